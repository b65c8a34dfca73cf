//! Tells the build which commit it is of.
#![expect(clippy::disallowed_types, reason = "the build asks git and the compiler")]

use std::process::Command;

fn main() {
    let commit = output("git", &["rev-parse", "--short=7", "HEAD"]).map(|commit| format!("g{commit}"));
    let date = output("git", &["show", "-s", "--format=%cs", "HEAD"]);
    let compiler = std::env::var("RUSTC").ok().and_then(|rustc| output(&rustc, &["--version"]));
    let compiler = compiler.and_then(|line| Some(format!("rustc {}", line.split(' ').nth(1)?)));
    for (name, value) in [("COMMIT", commit), ("COMMIT_DATE", date), ("RUSTC", compiler)] {
        println!("cargo::rustc-env=FELHOM_{name}={}", value.as_deref().unwrap_or("unknown"));
    }
    // The commit changes when the branch moves or another one is checked out.
    for file in ["HEAD", "logs/HEAD"] {
        if let Some(path) = output("git", &["rev-parse", "--git-path", file]) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    println!("cargo::rerun-if-changed=build.rs");
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_string())
}

//! The compiler itself refuses what the fence forbids, in a one-line crate and in each fenced crate as it is.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::workspace::{self, FENCED};

const PROBE: &str = "
fn process() { std::process::Command::new(\"true\"); }
fn socket() { std::net::TcpStream::connect(\"127.0.0.1:1\"); }
";

#[test]
fn std_does_not_exist_in_a_bare_crate() {
    let lib = format!("#![no_std]\nextern crate alloc;\n#[cfg(test)]\nextern crate std;\n{PROBE}");
    assert_eq!(unresolved(&rustc(&lib)), 2);
}

#[test]
fn std_inside_a_module_stays_inside() {
    let lib = format!(
        "#![no_std]\npub mod sim {{ extern crate std; pub type Lock = std::sync::Mutex<u8>; }}\n{PROBE}"
    );
    assert_eq!(unresolved(&rustc(&lib)), 2);
}

#[test]
fn std_at_the_root_opens_every_module() {
    let lib = format!("#![no_std]\n#[cfg(all())]\nextern crate std;\nmod deep {{ {PROBE} }}");
    assert_eq!(unresolved(&rustc(&lib)), 0);
}

#[test]
fn no_fenced_crate_can_name_a_process_or_a_socket() {
    let root = copy();
    for member in FENCED {
        assert_eq!(check(&root, member), "", "{member} compiles as it is");
        let lib = root.join(member).join("src/lib.rs");
        let text = fs::read_to_string(&lib).expect("the copy is there");
        fs::write(&lib, format!("{text}{PROBE}")).expect("the copy can be changed");
        assert_eq!(unresolved(&check(&root, member)), 2, "{member}");
        fs::write(&lib, text).expect("the copy can be restored");
    }
}

/// How many names the compiler could not find.
fn unresolved(errors: &str) -> usize {
    errors.matches("error[E0433]").count()
}

/// What the compiler says about a library.
fn rustc(lib: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut child = Command::new("rustc")
        .args(["--edition=2024", "--crate-type=lib", "--emit=metadata", "-", "--out-dir"])
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("rustc is there");
    child.stdin.take().expect("piped").write_all(lib.as_bytes()).expect("rustc reads it");
    let output = child.wait_with_output().expect("rustc ends");
    String::from_utf8(output.stderr).expect("rustc writes text")
}

/// A workspace of the fenced crates alone, in one place, so that what was built for it can be used again.
fn copy() -> PathBuf {
    let metadata = workspace::metadata(Path::new("."), &["--locked"]).expect("the workspace is there");
    let root = metadata.target_directory.join("fence").into_std_path_buf();
    if root.exists() {
        fs::remove_dir_all(&root).expect("an earlier copy can go");
    }
    for member in FENCED {
        copy_folder(metadata.workspace_root.join(member).as_std_path(), &root.join(member));
    }
    for file in ["Cargo.toml", "Cargo.lock"] {
        let text = fs::read_to_string(metadata.workspace_root.join(file)).expect("the workspace has it");
        fs::write(root.join(file), text.replace(", \"felhom-agent\", \"xtask\"]", "]"))
            .expect("it can be written");
    }
    root
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folders can be made");
    for entry in fs::read_dir(from).expect("folders can be listed") {
        let path = entry.expect("folders can be listed").path();
        let copy = to.join(path.file_name().expect("it has a name"));
        if path.is_dir() {
            copy_folder(&path, &copy);
        } else {
            fs::copy(&path, &copy).expect("files can be copied");
        }
    }
}

/// What cargo says about a crate on its own, with all its features; nothing if it compiles.
fn check(root: &Path, member: &str) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--offline", "--lib", "--all-features", "--package", member])
        .arg("--target-dir")
        .arg(root.parent().expect("it lies in the target folder"))
        .current_dir(root)
        .env("CARGO_TERM_COLOR", "never")
        .output()
        .expect("cargo is there");
    String::from_utf8(output.stderr).expect("cargo writes text")
}

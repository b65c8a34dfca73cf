//! The compiler itself refuses what the fence forbids, in a one-line crate and in each fenced crate as it is, and the
//! symbols of a compiled library betray what no source shows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::link;
use crate::workspace::{self, FENCED};

const PROBE: &str = "
fn process() { std::process::Command::new(\"true\"); }
fn socket() { std::net::TcpStream::connect(\"127.0.0.1:1\"); }
";

/// A claim, the beginning of a crate, and how many of the two names of the probe do not exist in it.
const CRATES: [(&str, &str, usize); 3] = [
    (
        "std does not exist in a bare crate",
        "#![no_std] extern crate alloc; #[cfg(test)] extern crate std; PROBE",
        2,
    ),
    (
        "std inside a module stays inside",
        "#![no_std] pub mod sim { extern crate std; pub type Lock = std::sync::Mutex<u8>; } PROBE",
        2,
    ),
    (
        "std at the root opens every module",
        "#![no_std] #[cfg(all())] extern crate std; mod deep { PROBE }",
        0,
    ),
];

#[test]
fn the_compiler_finds_std_in_the_module_that_links_it_and_below() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (claim, lib, expected) in CRATES {
        let errors = rustc(folder.path(), "probe", &lib.replace("PROBE", PROBE));
        assert_eq!(unresolved(&errors), expected, "{claim}: {errors}");
    }
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

/// A claim, a library, and what its symbols show of it.
const LIBRARIES: [(&str, &str, &str); 4] = [
    (
        "a harmless library holds nothing",
        "#![no_std] extern crate std; pub fn f() -> u8 { std::process::abort() } pub fn fork() {}",
        "",
    ),
    (
        "a process is seen",
        "pub fn f() { std::process::Command::new(\"true\").spawn().map(drop).unwrap_or_default() }",
        "std::process::Command",
    ),
    (
        "a socket is seen",
        "#[inline] pub fn f() { std::net::TcpStream::connect(\"[::1]:1\").map(drop).unwrap_or_default() }",
        "std::net::",
    ),
    (
        "what a macro of a dependency writes is seen",
        "#![no_std] extern crate tempter; tempter::harmless!();",
        "fork",
    ),
];

#[test]
fn symbols_show_processes_and_sockets() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let call = "pub fn nothing() { unsafe extern \"C\" { fn fork() -> i32; } unsafe { fork() }; }";
    let tempter = format!("#[macro_export] macro_rules! harmless {{ () => {{ {call} }} }}");
    assert_eq!(rustc(folder.path(), "tempter", &tempter), "");
    for (claim, lib, expected) in LIBRARIES {
        assert_eq!(rustc(folder.path(), "library", lib), "", "{claim}");
        let symbols = link::forbidden(&folder.path().join("liblibrary.rlib")).expect("nm reads it");
        let symbols = symbols.into_iter().collect::<Vec<_>>().join(" ");
        assert!(
            symbols.contains(expected) && symbols.is_empty() == expected.is_empty(),
            "{claim}: {symbols}"
        );
    }
}

/// How many names the compiler could not find.
fn unresolved(errors: &str) -> usize {
    errors.matches("error[E0433]").count()
}

/// What the compiler says about a library, which may use those that it compiled before.
fn rustc(folder: &Path, name: &str, lib: &str) -> String {
    let source = folder.join(name).with_extension("rs");
    fs::write(&source, lib).expect("files can be written");
    let output = Command::new("rustc")
        .args(
            "--edition=2024 --crate-type=rlib --cap-lints=allow -C embed-bitcode=no -C link-dead-code -L ."
                .split(' '),
        )
        .arg(&source)
        .current_dir(folder)
        .output()
        .expect("rustc is there");
    String::from_utf8(output.stderr).expect("rustc writes text")
}

/// A workspace of the fenced crates alone, in one place, so that what was built for it can be used again.
fn copy() -> PathBuf {
    let metadata = workspace::metadata(Path::new("."), &["--locked"]).expect("the workspace is there");
    let root = metadata.target_directory.join("fence").into_std_path_buf();
    if root.exists() {
        fs::remove_dir_all(&root).expect("an earlier copy can go");
    }
    fs::create_dir_all(&root).expect("folders can be made");
    let members = FENCED.map(|member| metadata.workspace_root.join(member));
    let status = Command::new("cp").arg("-r").args(members).arg(&root).status();
    assert!(status.expect("cp is there").success(), "the members can be copied");
    for file in ["Cargo.toml", "Cargo.lock"] {
        let text = fs::read_to_string(metadata.workspace_root.join(file)).expect("the workspace has it");
        let text = text.replace(", \"felhom-agent\", \"xtask\"]", "]");
        fs::write(root.join(file), text).expect("it can be written");
    }
    root
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

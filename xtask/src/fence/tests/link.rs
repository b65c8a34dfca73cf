//! The symbols of a compiled library betray what no source shows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::super::link;

#[test]
fn harmless_libraries_hold_nothing() {
    let folder = Folder::new();
    let lib = "#![no_std]\nextern crate std;\npub fn f() -> u8 { std::process::abort() }\npub fn fork() {}";
    assert_eq!(forbidden(&folder.compile("harmless", lib)), "");
}

#[test]
fn a_process_is_seen() {
    let folder = Folder::new();
    let lib = "pub fn f() { std::process::Command::new(\"true\").spawn().map(drop).unwrap_or_default() }";
    assert!(forbidden(&folder.compile("process", lib)).contains("std::process::Command"));
}

#[test]
fn a_socket_is_seen() {
    let folder = Folder::new();
    let lib = "#[inline] pub fn f() { std::net::TcpStream::connect(\"127.0.0.1:1\").map(drop).unwrap_or_default() }";
    assert!(forbidden(&folder.compile("socket", lib)).contains("std::net::"));
}

#[test]
fn what_a_macro_of_a_dependency_writes_is_seen() {
    let folder = Folder::new();
    let call = "pub fn nothing() { unsafe extern \"C\" { fn fork() -> i32; } unsafe { fork() }; }";
    folder.compile("tempter", &format!("#[macro_export]\nmacro_rules! harmless {{ () => {{ {call} }} }}"));
    assert_eq!(forbidden(&folder.compile("victim", "#![no_std]\ntempter::harmless!();")), "fork");
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    /// Compiles a library that may use those compiled before.
    fn compile(&self, name: &str, lib: &str) -> PathBuf {
        let source = self.0.path().join(name).with_extension("rs");
        fs::write(&source, lib).expect("files can be written");
        let uses = if name == "victim" { vec!["--extern", "tempter"] } else { Vec::new() };
        let status = Command::new("rustc")
            .args(["--edition=2024", "--crate-type=rlib", "-C", "embed-bitcode=no", "-C", "link-dead-code"])
            .args(["-L", "."])
            .args(uses)
            .arg(&source)
            .current_dir(self.0.path())
            .status();
        assert!(status.expect("rustc is there").success(), "{name} compiles");
        self.0.path().join(format!("lib{name}.rlib"))
    }
}

fn forbidden(library: &Path) -> String {
    let symbols = link::forbidden(library).expect("nm reads it");
    symbols.into_iter().collect::<Vec<_>>().join(" ")
}

//! A small workspace that passes every rule, and a registry of empty crates under the names that matter.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::workspace::{self, Workspace};

/// Crates of the registry, with what they depend on.
const REGISTRY: &[(&str, &str)] = &[
    ("aws-lc-rs", ""),
    ("harmless", ""),
    ("hyper", ""),
    ("hyper-util", "hyper = \"1\""),
    ("middle", "under = \"1\""),
    ("serde", ""),
    ("tokio", ""),
    ("under", "hyper-util = \"1\""),
];

const ROOT: &str = r#"
[workspace]
resolver = "3"
members = ["proxmox-types", "proxmox-api", "proxmox-privileged", "felhom-agent", "xtask"]

[workspace.lints.rust]
missing_docs = "warn"
unsafe_code = "forbid"

[workspace.lints.clippy]
pedantic = { level = "warn", priority = -1 }
allow_attributes = "warn"
allow_attributes_without_reason = "warn"
as_conversions = "warn"
exit = "warn"
expect_used = { level = "warn", priority = 1 }
indexing_slicing = "warn"
panic = "warn"
string_slice = "warn"
unwrap_used = "deny"
"#;

const DEPENDENCIES: &[(&str, &str)] = &[
    ("proxmox-types", "serde = \"1\""),
    ("proxmox-api", "proxmox-types = { path = \"../proxmox-types\" }\nserde = \"1\"\n\n[features]\nsim = []"),
    ("proxmox-privileged", "proxmox-types = { path = \"../proxmox-types\" }"),
    (
        "felhom-agent",
        "proxmox-api = { path = \"../proxmox-api\" }\nhyper = \"1\"\ntokio = \"1\"\n\n[dev-dependencies]\nproxmox-api = { path = \"../proxmox-api\", features = [\"sim\"] }",
    ),
    ("xtask", ""),
];

const CLIPPY: &str = r#"
disallowed-types = [
    { path = "hyper_util::client::legacy::connect::HttpConnector", reason = "connects" },
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::os::unix::net::UnixDatagram",
    "std::os::unix::net::UnixListener",
    "std::os::unix::net::UnixStream",
    { path = "std::process::Command", reason = "starts processes" },
    "tokio::net::TcpStream",
    "tokio::net::UnixStream",
    "tokio::process::Command",
]
disallowed-methods = ["std::net::ToSocketAddrs::to_socket_addrs", "std::process::exit"]
"#;

const FENCED_LIB: &str = r"#![no_std]
#![forbid(clippy::disallowed_types, clippy::disallowed_methods)]

extern crate alloc;
#[cfg(test)]
extern crate std;
";

const FILES: &[(&str, &str)] = &[
    (".cargo/config.toml", "[alias]\nxtask = \"run --quiet --package xtask --\"\n"),
    (
        "xtask/fence/felhom-agent.paths.list",
        "hyper = speaks\nproxmox_api = calls\nstd::fs = reads\ntokio::net@felhom-agent/src/connect.rs = connects\ntokio::time = waits\n",
    ),
    ("xtask/fence/features.list", ""),
    ("felhom-agent/src/wait.rs", "use std::fs;\nuse tokio::{time, time::sleep as rest};\n"),
    ("proxmox-api/src/sim.rs", "extern crate std;\n\nmod world;\n\nuse std::sync::Mutex;\n"),
    ("proxmox-api/src/sim/world.rs", "use super::std::time::Instant;\n"),
    (
        "felhom-agent/src/lib.rs",
        "#![deny(clippy::disallowed_methods, clippy::disallowed_types)]\n\nmod connect;\nmod wait;\n",
    ),
    (
        "felhom-agent/src/connect.rs",
        "#![expect(clippy::disallowed_types, reason = \"connects\")]\n\nuse tokio::net::TcpStream;\n",
    ),
    ("xtask/src/lib.rs", ""),
    ("xtask/fence/proxmox-types.list", "serde = reads\n"),
    ("xtask/fence/proxmox-api.list", "# comment\n\nproxmox-types = shapes\nserde = reads\n"),
    ("xtask/fence/proxmox-privileged.list", "proxmox-types = shapes\nserde = reads\n"),
    ("xtask/fence/felhom-agent.list", "felhom-agent/src/connect.rs = connects\n"),
];

/// The workspace before it is written out.
pub(super) struct Tiny {
    files: BTreeMap<String, String>,
    edit: fn(&mut Value),
}

impl Tiny {
    pub(super) fn new() -> Self {
        let mut tiny = Self { files: BTreeMap::new(), edit: |_| {} };
        tiny.write("Cargo.toml", ROOT);
        for (member, dependencies) in DEPENDENCIES {
            let lints = format!("[lints]\nworkspace = true\n\n[dependencies]\n{dependencies}");
            tiny.write(&format!("{member}/Cargo.toml"), &manifest(member, &lints));
            tiny.write(&format!("{member}/clippy.toml"), CLIPPY);
            tiny.write(&format!("{member}/src/lib.rs"), FENCED_LIB);
        }
        tiny.append("proxmox-api/src/lib.rs", "#[cfg(feature = \"sim\")]\npub mod sim;\n");
        for (path, text) in FILES {
            tiny.write(path, text);
        }
        tiny
    }

    pub(super) fn write(&mut self, path: &str, text: &str) {
        self.files.insert(path.to_owned(), text.to_owned());
    }

    pub(super) fn append(&mut self, path: &str, text: &str) {
        let file = self.files.entry(path.to_owned()).or_default();
        file.push('\n');
        file.push_str(text);
    }

    pub(super) fn replace(&mut self, path: &str, from: &str, to: &str) {
        let file = self.files.get_mut(path).expect("the file is there");
        assert!(file.contains(from), "{path} does not contain {from}");
        *file = file.replace(from, to);
    }

    pub(super) fn remove(&mut self, path: &str) {
        assert!(self.files.remove(path).is_some(), "{path} is not there");
    }

    /// Adds a member that is not one of the five.
    pub(super) fn add_package(&mut self, folder: &str, name: &str) {
        self.write(&format!("{folder}/Cargo.toml"), &manifest(name, ""));
        self.write(&format!("{folder}/src/lib.rs"), "");
    }

    /// Changes what cargo will have answered.
    pub(super) fn edit(&mut self, edit: fn(&mut Value)) {
        self.edit = edit;
    }

    /// Writes everything out, asks cargo, and reads it like the real one.
    pub(super) fn workspace(&self) -> (TempDir, Workspace) {
        let folder = TempDir::new().expect("a temporary folder");
        write_registry(folder.path());
        let root = folder.path().join("root");
        self.files.iter().for_each(|(path, text)| write(&root.join(path), text));
        let metadata = workspace::metadata(&root, &["--offline"]).expect("cargo reads it");
        let mut metadata = serde_json::to_value(metadata).expect("metadata is JSON");
        (self.edit)(&mut metadata);
        let metadata = serde_json::from_value(metadata).expect("still metadata");
        (folder, Workspace::read(metadata).expect("the files are read"))
    }
}

/// Stands in for crates.io: to cargo these packages come from there.
fn write_registry(folder: &Path) {
    let source =
        "[source.crates-io]\nreplace-with = \"vendored\"\n[source.vendored]\ndirectory = \"vendor\"\n";
    write(&folder.join(".cargo/config.toml"), source);
    for (name, dependencies) in REGISTRY {
        let package = folder.join("vendor").join(name);
        write(&package.join("Cargo.toml"), &manifest(name, &format!("[dependencies]\n{dependencies}")));
        write(&package.join("src/lib.rs"), "");
        write(&package.join(".cargo-checksum.json"), r#"{"files":{},"package":null}"#);
    }
}

fn manifest(name: &str, rest: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\npublish = false\n\n{rest}\n"
    )
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("not the root")).expect("folders can be made");
    fs::write(path, text).expect("files can be written");
}

//! What the rules look at: what cargo resolved, and the text of every source, manifest and list.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cargo_metadata::{Metadata, MetadataCommand, Package};
use snafu::{OptionExt, ResultExt, Whatever};

use super::Violation;
use super::tokens::{self, Token};

/// The one crate that touches the world.
pub(super) const AGENT: &str = "felhom-agent";
/// The crates that must not.
pub(super) const FENCED: [&str; 3] = ["proxmox-types", "proxmox-api", "proxmox-privileged"];
/// Every member; each one stands in the folder of its name.
pub(super) const MEMBERS: [&str; 5] = ["proxmox-types", "proxmox-api", "proxmox-privileged", AGENT, "xtask"];

/// Extensions of the files that are read.
const READ: [&str; 3] = ["rs", "toml", "list"];
/// Names of files that cargo and rustup read without an extension.
const NAMED: [&str; 3] = ["config", "credentials", "rust-toolchain"];

/// A workspace as it lies on disk.
pub(super) struct Workspace {
    pub(super) metadata: Metadata,
    /// Text by path from the root.
    pub(super) files: BTreeMap<String, String>,
    sources: Vec<Source>,
}

/// One Rust file.
pub(super) struct Source {
    pub(super) path: String,
    pub(super) tokens: Vec<Token>,
}

impl Workspace {
    /// Reads the workspace around `folder`.
    ///
    /// All features and no platform filter: otherwise optional and `cfg(windows)` edges would be invisible.
    pub(super) fn load(folder: impl AsRef<Path>) -> Result<Self, Whatever> {
        let metadata = metadata(folder.as_ref(), &["--locked", "--offline"])
            .or_else(|_| metadata(folder.as_ref(), &["--locked"]))
            .whatever_context("cargo metadata failed")?;
        Self::read(metadata)
    }

    /// Reads the files of the workspace that cargo described.
    pub(super) fn read(metadata: Metadata) -> Result<Self, Whatever> {
        let mut files = BTreeMap::new();
        read_folder(metadata.workspace_root.as_std_path(), &metadata, &mut files)?;
        let sources = files.iter().filter(|(path, _)| is_rust(path));
        let sources = sources.map(|(path, text)| tokenize(path, text)).collect::<Result<_, _>>()?;
        Ok(Self { metadata, files, sources })
    }

    /// The member of this name.
    pub(super) fn member(&self, name: &str) -> Option<&Package> {
        self.members().find(|package| package.name == name)
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Package> {
        self.metadata.packages.iter().filter(|package| self.is_member(package))
    }

    pub(super) fn is_member(&self, package: &Package) -> bool {
        self.metadata.workspace_members.contains(&package.id)
    }

    /// The fenced crates that are there; that one is missing is for the rule `members` to say.
    pub(super) fn fenced(&self) -> impl Iterator<Item = &Package> {
        FENCED.iter().filter_map(|name| self.member(name))
    }

    /// The Rust files below a folder.
    pub(super) fn sources(&self, folder: &str) -> impl Iterator<Item = &Source> + use<'_> {
        let folder = format!("{folder}/");
        self.sources.iter().filter(move |source| source.path.starts_with(&folder))
    }

    /// The Rust files of the agent that end in what ships, its build script included: all but tests and examples.
    pub(super) fn shipped_sources(&self) -> impl Iterator<Item = &Source> + use<'_> {
        let apart = ["tests", "examples", "benches"].map(|folder| format!("{AGENT}/{folder}/"));
        self.sources(AGENT).filter(move |source| !apart.iter().any(|folder| source.path.starts_with(folder)))
    }

    pub(super) fn source(&self, path: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.path == path)
    }

    /// One TOML file, or why it cannot be read.
    pub(super) fn toml(&self, path: &str) -> Result<toml::Table, Violation> {
        let text = self.text(path)?;
        text.parse().map_err(|error: toml::de::Error| {
            Violation::new(format!("{path} is not TOML: {}", error.message()))
        })
    }

    pub(super) fn text(&self, path: &str) -> Result<&str, Violation> {
        self.files.get(path).map(String::as_str).ok_or_else(|| Violation::new(format!("{path} is missing")))
    }
}

pub(super) fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

pub(super) fn metadata(folder: &Path, options: &[&str]) -> cargo_metadata::Result<Metadata> {
    MetadataCommand::new()
        .current_dir(folder)
        .other_options(["--all-features"].iter().chain(options).map(ToString::to_string).collect::<Vec<_>>())
        .exec()
}

fn read_folder(
    folder: &Path,
    metadata: &Metadata,
    files: &mut BTreeMap<String, String>,
) -> Result<(), Whatever> {
    let entries = fs::read_dir(folder).whatever_context("cannot list a folder")?;
    for entry in entries {
        let path = entry.whatever_context("cannot list a folder")?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            let builds = [metadata.target_directory.clone(), metadata.workspace_root.join("target")];
            if name != ".git" && !builds.iter().any(|build| *build == path) {
                read_folder(&path, metadata, files)?;
            }
        } else if is_read(&path) {
            let text = fs::read_to_string(&path)
                .with_whatever_context(|_| format!("cannot read {}", path.display()))?;
            let below = path.strip_prefix(&metadata.workspace_root).unwrap_or(&path);
            files.insert(below.to_string_lossy().into_owned(), text);
        }
    }
    Ok(())
}

fn is_read(path: &Path) -> bool {
    let is_named = path.file_name().is_some_and(|name| NAMED.iter().any(|named| name == *named));
    is_named || path.extension().is_some_and(|extension| READ.iter().any(|read| extension == *read))
}

fn tokenize(path: &str, text: &str) -> Result<Source, Whatever> {
    let tokens =
        tokens::read(text).ok().with_whatever_context(|| format!("{path} is not made of Rust tokens"))?;
    Ok(Source { path: path.to_owned(), tokens })
}

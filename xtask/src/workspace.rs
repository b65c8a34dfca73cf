//! What the rules look at: what cargo resolved, and the text of every source, manifest and list.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cargo_metadata::{Metadata, MetadataCommand, Package};
use snafu::{OptionExt, ResultExt, Whatever};

use crate::source::{self, SourceToken};

/// The one crate that touches the world.
pub(crate) const AGENT: &str = "felhom-agent";
/// The crates that must not.
pub(crate) const FENCED: [&str; 3] = ["proxmox-types", "proxmox-api", "proxmox-privileged"];
/// Every member; each one stands in the folder of its name.
pub(crate) const MEMBERS: [&str; 5] = ["proxmox-types", "proxmox-api", "proxmox-privileged", AGENT, "xtask"];

/// Extensions of the files that are read.
const READ: [&str; 3] = ["rs", "toml", "list"];
/// Names of files that cargo and rustup read without an extension.
const NAMED: [&str; 3] = ["config", "credentials", "rust-toolchain"];

/// A workspace as it lies on disk.
pub(crate) struct Workspace {
    pub(crate) metadata: Metadata,
    /// Text by path from the root.
    pub(crate) files: BTreeMap<String, String>,
    sources: BTreeMap<String, RustFile>,
}

/// One Rust file.
pub(crate) struct RustFile {
    pub(crate) path: String,
    pub(crate) tokens: Vec<SourceToken>,
}

impl Workspace {
    /// Reads the workspace around `folder`.
    ///
    /// All features and no platform filter: otherwise optional and `cfg(windows)` edges would be invisible.
    pub(crate) fn load(folder: impl AsRef<Path>) -> Result<Self, Whatever> {
        let metadata = metadata(folder.as_ref(), &["--locked", "--offline"])
            .or_else(|_| metadata(folder.as_ref(), &["--locked"]))
            .whatever_context("cargo metadata failed")?;
        Self::read(metadata)
    }

    /// Reads the files of the workspace that cargo described.
    pub(crate) fn read(metadata: Metadata) -> Result<Self, Whatever> {
        let mut files = BTreeMap::new();
        read_folder(metadata.workspace_root.as_std_path(), &metadata, &mut files)?;
        let sources = files.iter().filter(|(path, _)| is_rust(path)).map(|(path, text)| {
            let tokens = source::read(text).ok();
            let tokens = tokens.with_whatever_context(|| format!("{path} is not made of Rust tokens"))?;
            Ok((path.clone(), RustFile { path: path.clone(), tokens }))
        });
        let sources = sources.collect::<Result<_, Whatever>>()?;
        Ok(Self { metadata, files, sources })
    }

    /// The member of this name.
    pub(crate) fn member(&self, name: &str) -> Option<&Package> {
        self.members().find(|package| package.name == name)
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.metadata.packages.iter().filter(|package| self.is_member(package))
    }

    pub(crate) fn is_member(&self, package: &Package) -> bool {
        self.metadata.workspace_members.contains(&package.id)
    }

    /// The fenced crates that are there; that one is missing is for the rule `members` to say.
    pub(crate) fn fenced(&self) -> impl Iterator<Item = &Package> {
        FENCED.iter().filter_map(|name| self.member(name))
    }

    /// The Rust files below a folder.
    pub(crate) fn sources(&self, folder: &str) -> impl Iterator<Item = &RustFile> + use<'_> {
        let folder = format!("{folder}/");
        self.sources.values().filter(move |source| source.path.starts_with(&folder))
    }

    /// The Rust files of the agent that end in what ships, its build script included: all but tests and examples.
    pub(crate) fn shipped_sources(&self) -> impl Iterator<Item = &RustFile> + use<'_> {
        self.sources(AGENT).filter(|source| !is_apart(&source.path))
    }

    pub(crate) fn source(&self, path: &str) -> Option<&RustFile> {
        self.sources.get(path)
    }

    /// One TOML file, or why it cannot be read.
    pub(crate) fn toml(&self, path: &str) -> Result<toml::Table, String> {
        let text = self.text(path)?;
        text.parse().map_err(|error: toml::de::Error| format!("{path} is not TOML: {}", error.message()))
    }

    fn text(&self, path: &str) -> Result<&str, String> {
        self.files.get(path).map(String::as_str).ok_or_else(|| format!("{path} is missing"))
    }

    /// The names on `xtask/fence/{name}.list`: one `name = reason` per line, so that every exception is argued for
    /// where it is made.
    pub(crate) fn list(&self, name: &str) -> Result<BTreeSet<String>, String> {
        let path = format!("xtask/fence/{name}.list");
        let lines = self.text(&path)?.lines().zip(1..);
        let mut names = BTreeSet::new();
        for (line, number) in lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#')) {
            let name = listed(line).ok_or_else(|| format!("{path}:{number}: a line is `name = reason`"))?;
            if !names.insert(name.to_owned()) {
                return Err(format!("{path}:{number}: the name is listed twice"));
            }
        }
        Ok(names)
    }
}

/// The name on a line, if it has a reason and no odd blanks.
fn listed(line: &str) -> Option<&str> {
    let (name, reason) = line.split_once(" = ")?;
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@".contains(letter);
    let has_reason = !reason.is_empty() && reason.trim() == reason;
    (!name.is_empty() && name.chars().all(is_name) && has_reason).then_some(name)
}

pub(crate) fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

/// Whether a file of a member is for its tests, examples or benches.
pub(crate) fn is_apart(path: &str) -> bool {
    path.split('/').nth(1).is_some_and(|folder| ["tests", "examples", "benches"].contains(&folder))
}

pub(crate) fn metadata(folder: &Path, options: &[&str]) -> cargo_metadata::Result<Metadata> {
    let options = ["--all-features"].iter().chain(options).map(ToString::to_string);
    MetadataCommand::new().current_dir(folder).other_options(options.collect::<Vec<_>>()).exec()
}

fn read_folder(
    folder: &Path,
    metadata: &Metadata,
    files: &mut BTreeMap<String, String>,
) -> Result<(), Whatever> {
    let builds = [metadata.target_directory.clone(), metadata.workspace_root.join("target")];
    for entry in fs::read_dir(folder).whatever_context("cannot list a folder")? {
        let path = entry.whatever_context("cannot list a folder")?.path();
        if path.is_dir() {
            if !path.ends_with(".git") && !builds.iter().any(|build| *build == path) {
                read_folder(&path, metadata, files)?;
            }
        } else if is_read(&path) {
            let text = fs::read_to_string(&path);
            let text = text.with_whatever_context(|_| format!("cannot read {}", path.display()))?;
            let below = path.strip_prefix(&metadata.workspace_root).unwrap_or(&path);
            files.insert(below.to_string_lossy().into_owned(), text);
        }
    }
    Ok(())
}

fn is_read(path: &Path) -> bool {
    NAMED.iter().any(|named| path.file_name().is_some_and(|name| name == *named))
        || READ.iter().any(|read| path.extension().is_some_and(|extension| extension == *read))
}

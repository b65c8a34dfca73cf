//! What the rules look at: what cargo resolved, and the text of every source, manifest and list.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::Path;

use cargo_metadata::{Metadata, MetadataCommand, Package};
use snafu::{OptionExt, ResultExt, Whatever};

use crate::tokens::{self, Token};

/// The one crate that touches the world.
pub(crate) const AGENT: &str = "felhom-agent";
/// The crates that must not.
pub(crate) const FENCED: [&str; 3] = ["proxmox-types", "proxmox-api", "proxmox-privileged"];
/// Every member; each one stands in the folder of its name.
pub(crate) const MEMBERS: [&str; 5] = ["proxmox-types", "proxmox-api", "proxmox-privileged", AGENT, "xtask"];

/// What breaks a rule.
pub(crate) struct Violation {
    pub(crate) what: String,
    /// The way through the dependency graph to it.
    path: Option<String>,
}

impl Violation {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), path: None }
    }

    pub(crate) fn along(what: impl Into<String>, path: impl Into<String>) -> Self {
        Self { what: what.into(), path: Some(path.into()) }
    }
}

impl Display for Violation {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "    {}", self.what)?;
        self.path.iter().try_for_each(|path| write!(formatter, "\n        {path}"))
    }
}

/// Extensions of the files that are read.
const READ: [&str; 3] = ["rs", "toml", "list"];
/// Names of files that cargo and rustup read without an extension.
const NAMED: [&str; 3] = ["config", "credentials", "rust-toolchain"];

/// A workspace as it lies on disk.
pub(crate) struct Workspace {
    pub(crate) metadata: Metadata,
    /// Text by path from the root.
    pub(crate) files: BTreeMap<String, String>,
    sources: Vec<Source>,
}

/// One Rust file.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) tokens: Vec<Token>,
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
        let sources = files.iter().filter(|(path, _)| is_rust(path));
        let sources = sources.map(|(path, text)| tokenize(path, text)).collect::<Result<_, _>>()?;
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
    pub(crate) fn sources(&self, folder: &str) -> impl Iterator<Item = &Source> + use<'_> {
        let folder = format!("{folder}/");
        self.sources.iter().filter(move |source| source.path.starts_with(&folder))
    }

    /// The Rust files of the agent that end in what ships, its build script included: all but tests and examples.
    pub(crate) fn shipped_sources(&self) -> impl Iterator<Item = &Source> + use<'_> {
        let apart = ["tests", "examples", "benches"].map(|folder| format!("{AGENT}/{folder}/"));
        self.sources(AGENT).filter(move |source| !apart.iter().any(|folder| source.path.starts_with(folder)))
    }

    pub(crate) fn source(&self, path: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.path == path)
    }

    /// One TOML file, or why it cannot be read.
    pub(crate) fn toml(&self, path: &str) -> Result<toml::Table, Violation> {
        let text = self.text(path)?;
        text.parse().map_err(|error: toml::de::Error| {
            Violation::new(format!("{path} is not TOML: {}", error.message()))
        })
    }

    pub(crate) fn text(&self, path: &str) -> Result<&str, Violation> {
        self.files.get(path).map(String::as_str).ok_or_else(|| Violation::new(format!("{path} is missing")))
    }
}

pub(crate) fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

pub(crate) fn metadata(folder: &Path, options: &[&str]) -> cargo_metadata::Result<Metadata> {
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

//! The workspace is its five members, each takes the lints that the fence stands on, and nothing in the repository
//! changes what cargo, rustc or clippy do, but what is listed here word for word.

use toml::{Table, Value};

use crate::tokens;
use crate::workspace::{MEMBERS, Source, Violation, Workspace, is_rust};

/// Exactly the five members, each in the folder of its name, and no code beside them.
pub(super) fn members(workspace: &Workspace) -> Vec<Violation> {
    missing(workspace).chain(unknown(workspace)).chain(outside(workspace)).chain(strays(workspace)).collect()
}

fn missing(workspace: &Workspace) -> impl Iterator<Item = Violation> {
    let missing = MEMBERS.iter().filter(|name| workspace.member(name).is_none());
    missing.map(|name| Violation::new(format!("{name} is not a member")))
}

fn unknown(workspace: &Workspace) -> impl Iterator<Item = Violation> {
    let root = &workspace.metadata.workspace_root;
    let is_known = move |name: &str, manifest: &str| {
        MEMBERS.contains(&name) && manifest == root.join(name).join("Cargo.toml")
    };
    let unknown =
        workspace.members().filter(move |member| !is_known(&member.name, member.manifest_path.as_str()));
    unknown.map(|member| {
        Violation::new(format!("{} in {} is not one of the members", member.name, member.manifest_path))
    })
}

/// Packages of a folder outside; where the others come from is for cargo-deny to say.
fn outside(workspace: &Workspace) -> impl Iterator<Item = Violation> {
    let local = workspace.metadata.packages.iter().filter(|package| package.source.is_none());
    let outside = local.filter(|package| !workspace.is_member(package));
    outside.map(|package| Violation::new(format!("{} comes from {}", package.name, package.manifest_path)))
}

/// Manifests and Rust files that belong to no member.
fn strays(workspace: &Workspace) -> impl Iterator<Item = Violation> {
    let strays = workspace.files.keys().filter(|path| is_stray(path));
    strays.map(|path| Violation::new(format!("{path} is code outside the members")))
}

fn is_stray(path: &str) -> bool {
    let Some((folder, below)) = path.split_once('/') else {
        return is_rust(path);
    };
    let is_manifest = below == "Cargo.toml" || below.ends_with("/Cargo.toml");
    let is_members = MEMBERS.contains(&folder) && (!is_manifest || below == "Cargo.toml");
    (is_manifest || is_rust(below)) && !is_members
}

/// Lints that the workspace must set to more than `allow`; `unsafe_code` to `forbid`.
const REQUIRED: &[(&str, &str)] = &[
    ("rust", "missing_docs"),
    ("clippy", "allow_attributes"),
    ("clippy", "allow_attributes_without_reason"),
    ("clippy", "as_conversions"),
    ("clippy", "exit"),
    ("clippy", "expect_used"),
    ("clippy", "indexing_slicing"),
    ("clippy", "panic"),
    ("clippy", "string_slice"),
    ("clippy", "unwrap_used"),
];
/// Lints that the workspace may set, but not to `allow`: without them the bans of clippy.toml are silent.
const NEVER_ALLOWED: &[(&str, &str)] = &[
    ("rust", "warnings"),
    ("clippy", "all"),
    ("clippy", "disallowed_methods"),
    ("clippy", "disallowed_types"),
    ("clippy", "style"),
];

/// Every member takes the workspace's lints, the workspace's table has them, and no attribute turns one off.
pub(super) fn lints(workspace: &Workspace) -> Vec<Violation> {
    let table = workspace.toml("Cargo.toml").map(|manifest| table(&manifest));
    let table = table.unwrap_or_else(|violation| vec![violation]);
    let inherited = MEMBERS.iter().filter_map(|member| inherits(workspace, member).err());
    let allowed = MEMBERS.iter().flat_map(|member| workspace.sources(member)).flat_map(allows);
    table.into_iter().chain(inherited).chain(allowed).collect()
}

fn inherits(workspace: &Workspace, member: &str) -> Result<(), Violation> {
    let path = format!("{member}/Cargo.toml");
    let manifest = workspace.toml(&path)?;
    let lints = manifest.get("lints").and_then(Value::as_table);
    let inherits =
        lints.is_some_and(|lints| lints.len() == 1 && lints.get("workspace") == Some(&Value::Boolean(true)));
    if inherits {
        Ok(())
    } else {
        Err(Violation::new(format!("{path}: [lints] is not just `workspace = true`")))
    }
}

fn table(manifest: &Table) -> Vec<Violation> {
    let level = |(tool, lint): &(&str, &str)| level(manifest, tool, lint).unwrap_or("unset");
    let is_off = |lint: &(&str, &str)| ["allow", "unset"].contains(&level(lint));
    let lax = [("rust", "unsafe_code")].into_iter().filter(|lint| level(lint) != "forbid");
    let off = REQUIRED.iter().copied().filter(is_off);
    let silenced = NEVER_ALLOWED.iter().copied().filter(|lint| level(lint) == "allow");
    let found = lax.chain(off).chain(silenced).map(|lint| (lint.0, lint.1, level(&lint)));
    let lines = found
        .map(|(tool, name, level)| format!("Cargo.toml: [workspace.lints.{tool}] has {name} at `{level}`"));
    lines.map(Violation::new).collect()
}

/// The level of a lint in the workspace's table, in its short or its long form.
fn level<'a>(manifest: &'a Table, tool: &str, lint: &str) -> Option<&'a str> {
    let entry = manifest.get("workspace")?.get("lints")?.get(tool)?.get(lint)?;
    entry.as_str().or_else(|| entry.get("level")?.as_str())
}

/// clippy's `allow_attributes` does not see inner attributes, so they are looked for here.
fn allows(source: &Source) -> Vec<Violation> {
    let attributes = tokens::attributes(&source.tokens).filter(|attribute| {
        tokens::begins(attribute, "allow (")
            || tokens::begins(attribute, "cfg_attr") && tokens::holds(attribute, ", allow (")
    });
    let lines = attributes.filter_map(|attribute| attribute.first()).map(|token| token.line);
    let lines = lines.map(|line| format!("{}:{line}: an attribute turns a lint off", source.path));
    lines.map(Violation::new).collect()
}

/// The one configuration of cargo: the alias that makes `cargo xtask` a command.
const CONFIG: &str = ".cargo/config.toml";
const ALIAS: &str = "run --quiet --package xtask --";

/// Files that steer a tool wherever they lie, by their name, with what they steer.
const STEERING: &[(&str, &str)] = &[
    ("rust-toolchain", "chooses the compiler"),
    ("rust-toolchain.toml", "chooses the compiler"),
    ("clippy.toml", "sets the bans"),
    (".clippy.toml", "sets the bans"),
    (".rustfmt.toml", "hides the rustfmt.toml beside it"),
];

/// Tables of the root manifest that put other code in the place of a package, or ask for what no stable cargo has.
const REFUSED: [&str; 3] = ["cargo-features", "patch", "replace"];
/// What a profile may set: none of it adds a flag or runs a program.
const PROFILE: &[&str] = &[
    "codegen-units",
    "debug",
    "debug-assertions",
    "incremental",
    "inherits",
    "lto",
    "opt-level",
    "overflow-checks",
    "panic",
    "split-debuginfo",
    "strip",
];

/// `.cargo` holds the alias and nothing else, no toolchain file chooses a compiler, clippy.toml lies where the bans are
/// looked at, and the root manifest neither patches a package nor passes flags.
pub(super) fn settings(workspace: &Workspace) -> Vec<Violation> {
    let config = config(workspace).err();
    let strays = workspace.files.keys().filter_map(|path| stray(path)).map(Violation::new);
    let manifest = workspace.toml("Cargo.toml").map(|manifest| manifest_violations(&manifest));
    config.into_iter().chain(strays).chain(manifest.unwrap_or_else(|violation| vec![violation])).collect()
}

fn config(workspace: &Workspace) -> Result<(), Violation> {
    let expected = Table::from_iter([("xtask".to_owned(), Value::from(ALIAS))]);
    let expected = Table::from_iter([("alias".to_owned(), Value::from(expected))]);
    if workspace.toml(CONFIG)? == expected {
        Ok(())
    } else {
        Err(Violation::new(format!("{CONFIG} holds more than the alias xtask = \"{ALIAS}\"")))
    }
}

/// Why a file may not be where it is.
fn stray(path: &str) -> Option<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_cargo = folder.split('/').any(|part| part == ".cargo");
    if is_cargo && path != CONFIG {
        return Some(format!("{path} changes what cargo does"));
    }
    let (_, steers) = STEERING.iter().find(|(steering, _)| *steering == name)?;
    let is_in_place = name == "clippy.toml" && (folder.is_empty() || MEMBERS.contains(&folder));
    (!is_in_place).then(|| format!("{path} {steers}"))
}

fn manifest_violations(manifest: &Table) -> Vec<Violation> {
    let refused = REFUSED.iter().filter(|key| manifest.contains_key(**key));
    let refused = refused.map(|key| format!("Cargo.toml: [{key}] changes what is built"));
    let profiles = manifest.get("profile").and_then(Value::as_table).into_iter().flatten();
    let flags = profiles.flat_map(|(name, profile)| flags(&format!("profile.{name}"), profile));
    refused.chain(flags).map(Violation::new).collect()
}

/// The keys of a profile, and of its overrides for packages, that are not allowed.
fn flags(place: &str, profile: &Value) -> Vec<String> {
    let entries = profile.as_table().into_iter().flatten();
    let found = entries.flat_map(|(key, value)| match (key.as_str(), value.as_table()) {
        ("build-override", Some(_)) => flags(&format!("{place}.{key}"), value),
        ("package", Some(packages)) => packages
            .iter()
            .flat_map(|(name, package)| flags(&format!("{place}.package.{name}"), package))
            .collect(),
        (key, _) if PROFILE.contains(&key) => Vec::new(),
        (key, _) => vec![format!("Cargo.toml: [{place}] may not set {key}")],
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stable cargo refuses these by itself; one that no longer does must not find them unwatched.
    #[test]
    fn flags_in_a_profile_are_refused_wherever_they_stand() {
        let cases = [
            ("[profile.dev]\nrustflags = []\nlto = false", "[profile.dev] may not set rustflags"),
            (
                "[profile.release.package.'*']\nrustflags = []",
                "[profile.release.package.*] may not set rustflags",
            ),
            ("[profile.dev.build-override]\nhint = 1", "[profile.dev.build-override] may not set hint"),
            ("cargo-features = []", "[cargo-features] changes what is built"),
        ];
        for (manifest, expected) in cases {
            let found = manifest_violations(&manifest.parse().expect("it is TOML"));
            let found: Vec<_> = found.into_iter().map(|violation| violation.what).collect();
            assert_eq!(found, [format!("Cargo.toml: {expected}")]);
        }
    }
}

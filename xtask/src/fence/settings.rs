//! The workspace is its five members, each takes the lints that the fence stands on, and nothing in the repository
//! changes what cargo, rustc or clippy do, but what is listed here word for word.

use toml::{Table, Value};

use super::sources;
use crate::source::{begins, holds};
use crate::workspace::{MEMBERS, RustFile, Workspace, is_rust};

/// Exactly the five members, each in the folder of its name, and no code beside them.
pub(super) fn members(workspace: &Workspace) -> Vec<String> {
    let root = &workspace.metadata.workspace_root;
    let missing = MEMBERS.iter().filter(|name| workspace.member(name).is_none());
    let missing = missing.map(|name| format!("{name} is not a member"));
    let unknown = workspace.members().filter(|member| {
        let manifest = root.join(member.name.as_str()).join("Cargo.toml");
        !MEMBERS.contains(&member.name.as_str()) || member.manifest_path != manifest
    });
    let unknown = unknown.map(|member| (&member.name, &member.manifest_path));
    let unknown = unknown.map(|(name, path)| format!("{name} in {path} is not one of the members"));
    // Packages of a folder outside; where the others come from is for cargo-deny to say.
    let local = workspace.metadata.packages.iter().filter(|package| package.source.is_none());
    let outside = local.filter(|package| !workspace.is_member(package));
    let outside = outside.map(|package| format!("{} comes from {}", package.name, package.manifest_path));
    let strays = workspace.files.keys().filter(|path| is_stray(path));
    let strays = strays.map(|path| format!("{path} is code outside the members"));
    missing.chain(unknown).chain(outside).chain(strays).collect()
}

/// The benchmark: a workspace of its own below a member that does not ship, so that no other client is resolved here.
const BENCHMARK: &str = "xtask/bench/Cargo.toml";

/// Whether a manifest or a Rust file belongs to no member.
fn is_stray(path: &str) -> bool {
    let Some((folder, below)) = path.split_once('/') else {
        return is_rust(path);
    };
    let is_manifest = below == "Cargo.toml" || below.ends_with("/Cargo.toml");
    let is_members = MEMBERS.contains(&folder) && (!is_manifest || below == "Cargo.toml");
    (is_manifest || is_rust(below)) && !is_members && path != BENCHMARK
}

/// Lints that the workspace must set to more than `allow`; `unsafe_code` to `forbid`.
const REQUIRED: [(&str, &str); 2] = [
    ("rust", "missing_docs"),
    (
        "clippy",
        "allow_attributes allow_attributes_without_reason as_conversions exit expect_used indexing_slicing panic \
         string_slice unwrap_used",
    ),
];
/// Lints that the workspace may set, but not to `allow`: without them the bans of clippy.toml are silent.
const NEVER_ALLOWED: [(&str, &str); 2] =
    [("rust", "warnings"), ("clippy", "all disallowed_methods disallowed_types style")];

/// Every member takes the workspace's lints, the workspace's table has them, and no attribute turns one off.
pub(super) fn lints(workspace: &Workspace) -> Vec<String> {
    let table = workspace.toml("Cargo.toml").map(|manifest| table(&manifest));
    let inherited = MEMBERS.iter().filter_map(|member| inherits(workspace, member).err());
    let allowed = MEMBERS.iter().flat_map(|member| workspace.sources(member)).flat_map(allows);
    table.unwrap_or_else(|violation| vec![violation]).into_iter().chain(inherited).chain(allowed).collect()
}

fn inherits(workspace: &Workspace, member: &str) -> Result<(), String> {
    let path = format!("{member}/Cargo.toml");
    let expected = Value::from(Table::from_iter([("workspace".to_owned(), Value::from(true))]));
    let inherits = workspace.toml(&path)?.get("lints") == Some(&expected);
    inherits.then_some(()).ok_or_else(|| format!("{path}: [lints] is not just `workspace = true`"))
}

fn table(manifest: &Table) -> Vec<String> {
    let off = |wanted: &[(&'static str, &'static str)], refused: &[&str]| {
        let lints = wanted.iter().flat_map(|(tool, names)| names.split(' ').map(move |name| (tool, name)));
        let levels = lints.map(|(tool, name)| (tool, name, level(manifest, tool, name).unwrap_or("unset")));
        let off = levels.filter(|(_, _, level)| refused.contains(level));
        let found = off.map(|(tool, name, level)| {
            format!("Cargo.toml: [workspace.lints.{tool}] has {name} at `{level}`")
        });
        found.collect::<Vec<_>>()
    };
    let lax = off(&[("rust", "unsafe_code")], &["allow", "unset", "warn", "deny"]);
    [lax, off(&REQUIRED, &["allow", "unset"]), off(&NEVER_ALLOWED, &["allow"])].concat()
}

/// The level of a lint in the workspace's table, in its short or its long form.
fn level<'a>(manifest: &'a Table, tool: &str, lint: &str) -> Option<&'a str> {
    let entry = manifest.get("workspace")?.get("lints")?.get(tool)?.get(lint)?;
    entry.as_str().or_else(|| entry.get("level")?.as_str())
}

/// clippy's `allow_attributes` does not see inner attributes, so they are looked for here.
fn allows(source: &RustFile) -> Vec<String> {
    sources::attributes(source, "an attribute turns a lint off", |attribute| {
        begins(attribute, "allow (") || begins(attribute, "cfg_attr") && holds(attribute, ", allow (")
    })
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
const PROFILE: &str = "codegen-units debug debug-assertions incremental inherits lto opt-level overflow-checks panic \
                       split-debuginfo strip";

/// `.cargo` holds the alias and nothing else, no toolchain file chooses a compiler, clippy.toml lies where the bans are
/// looked at, and the root manifest neither patches a package nor passes flags.
pub(super) fn settings(workspace: &Workspace) -> Vec<String> {
    let config = config(workspace).err();
    let strays = workspace.files.keys().filter_map(|path| stray(path));
    let manifest = workspace.toml("Cargo.toml").map(|manifest| manifest_violations(&manifest));
    config.into_iter().chain(strays).chain(manifest.unwrap_or_else(|violation| vec![violation])).collect()
}

fn config(workspace: &Workspace) -> Result<(), String> {
    let expected = format!("[alias]\nxtask = \"{ALIAS}\"").parse().ok();
    let is_alias = Some(workspace.toml(CONFIG)?) == expected;
    is_alias.then_some(()).ok_or_else(|| format!("{CONFIG} holds more than the alias xtask = \"{ALIAS}\""))
}

/// Why a file may not be where it is.
fn stray(path: &str) -> Option<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if folder.split('/').any(|part| part == ".cargo") && path != CONFIG {
        return Some(format!("{path} changes what cargo does"));
    }
    let (_, steers) = STEERING.iter().find(|(steering, _)| *steering == name)?;
    let is_in_place = name == "clippy.toml" && (folder.is_empty() || MEMBERS.contains(&folder));
    (!is_in_place).then(|| format!("{path} {steers}"))
}

fn manifest_violations(manifest: &Table) -> Vec<String> {
    let refused = REFUSED.iter().filter(|key| manifest.contains_key(**key));
    let refused = refused.map(|key| format!("Cargo.toml: [{key}] changes what is built"));
    let profiles = manifest.get("profile").map_or_else(Vec::new, |profiles| all("profile", profiles));
    let flags = profiles.into_iter().filter(|(_, key)| !PROFILE.split(' ').any(|allowed| allowed == key));
    refused.chain(flags.map(|(place, key)| format!("Cargo.toml: [{place}] may not set {key}"))).collect()
}

/// Every setting below a table: the table that it stands in, and its key.
fn all(place: &str, table: &Value) -> Vec<(String, String)> {
    let entries = table.as_table().into_iter().flatten();
    let found = entries.flat_map(|(key, value)| match value {
        Value::Table(_) => all(&format!("{place}.{key}"), value),
        _ => vec![(place.to_owned(), key.clone())],
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
            assert_eq!(found, [format!("Cargo.toml: {expected}")]);
        }
    }
}

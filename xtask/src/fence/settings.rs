//! No file of the repository changes what cargo, rustc or clippy do, but those that are listed here word for word.

use toml::{Table, Value};

use crate::workspace::{MEMBERS, Violation, Workspace};

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

//! The lints that the fence stands on are on, for every member, everywhere.

use toml::Value;

use crate::tokens;
use crate::workspace::{MEMBERS, Source, Violation, Workspace};

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

fn table(manifest: &toml::Table) -> Vec<Violation> {
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
fn level<'a>(manifest: &'a toml::Table, tool: &str, lint: &str) -> Option<&'a str> {
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

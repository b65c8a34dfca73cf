//! The workspace is its five members.

use crate::workspace::{MEMBERS, Violation, Workspace, is_rust};

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

//! Every dependency is named by a source of the crate that asks for it.

use cargo_metadata::{Dependency, Package};

use super::graph;
use crate::tokens;
use crate::workspace::{Violation, Workspace};

/// Dependencies that no source names: those that ship by the crate itself, the others by its tests and examples as well.
pub(super) fn unused(workspace: &Workspace) -> Vec<Violation> {
    let declared = workspace
        .members()
        .flat_map(|member| member.dependencies.iter().map(move |dependency| (member, dependency)));
    let unused = declared.filter(|(member, dependency)| !is_named(workspace, member, dependency));
    unused
        .map(|(member, dependency)| {
            Violation::new(format!("{} does not name {}, its dependency", member.name, dependency.name))
        })
        .collect()
}

fn is_named(workspace: &Workspace, member: &Package, dependency: &Dependency) -> bool {
    let name = dependency.rename.as_ref().unwrap_or(&dependency.name).replace('-', "_");
    let is_apart =
        |path: &str| ["tests", "examples", "benches"].iter().any(|folder| is_in(path, member, folder));
    let mut sources = workspace.sources(&member.name);
    sources.any(|source| {
        (!graph::ships(dependency) || !is_apart(&source.path)) && tokens::holds(&source.tokens, &name)
    })
}

fn is_in(path: &str, member: &Package, folder: &str) -> bool {
    let below = path.strip_prefix(member.name.as_str()).and_then(|path| path.strip_prefix('/'));
    below.and_then(|path| path.strip_prefix(folder)).is_some_and(|rest| rest.starts_with('/'))
}

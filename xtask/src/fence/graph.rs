//! What a package reaches through its dependencies, and the way there.

use std::collections::{BTreeSet, VecDeque};

use cargo_metadata::{Dependency, DependencyKind, Metadata, Node, NodeDep, Package};

use crate::workspace::Workspace;

/// A package that another one reaches.
pub(super) struct Reached {
    pub(super) name: String,
    /// A shortest way there: `proxmox-api -> snafu -> hyper (build)`.
    pub(super) path: String,
}

/// Every package that `start` reaches over normal and build edges, itself excluded.
///
/// What a member declares counts as reached even if cargo resolved it away.
pub(super) fn shipped(workspace: &Workspace, start: &Package) -> Vec<Reached> {
    let ships = |edge: &NodeDep| edge.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development);
    let visits = visit(&workspace.metadata, start, ships);
    let resolved: BTreeSet<_> = visits.iter().map(|visit| visit.package.name.to_string()).collect();
    let declared = visits.iter().flat_map(|visit| declared(workspace, visit));
    let declared: Vec<_> = declared.filter(|reached| !resolved.contains(&reached.name)).collect();
    visits.into_iter().skip(1).map(Reached::from).chain(declared).collect()
}

/// Whether a dependency is more than a development one.
pub(super) fn ships(dependency: &Dependency) -> bool {
    dependency.kind != DependencyKind::Development
}

/// A package on the way, the first one included.
struct Visit<'a> {
    package: &'a Package,
    path: String,
}

impl From<Visit<'_>> for Reached {
    fn from(visit: Visit<'_>) -> Self {
        Self { name: visit.package.name.to_string(), path: visit.path }
    }
}

/// Walks the resolved graph breadth first, so that the first way to a package is a shortest one.
fn visit<'a>(
    metadata: &'a Metadata,
    start: &'a Package,
    follow: impl Fn(&NodeDep) -> bool,
) -> Vec<Visit<'a>> {
    let mut seen = BTreeSet::from([&start.id]);
    let mut queue = VecDeque::from([Visit { package: start, path: start.name.to_string() }]);
    let mut visits = Vec::new();
    while let Some(visit) = queue.pop_front() {
        for edge in edges(metadata, visit.package).filter(|edge| follow(edge)) {
            let Some(package) = metadata.packages.iter().find(|package| package.id == edge.pkg) else {
                continue;
            };
            if seen.insert(&package.id) {
                let path = format!("{} -> {}", visit.path, step(metadata, visit.package, &package.name));
                queue.push_back(Visit { package, path });
            }
        }
        visits.push(visit);
    }
    visits
}

fn edges<'a>(metadata: &'a Metadata, package: &Package) -> impl Iterator<Item = &'a NodeDep> {
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    nodes.filter(|node: &&Node| node.id == package.id).flat_map(|node| &node.deps)
}

/// What a member declares; of other packages only what cargo resolved counts.
fn declared(workspace: &Workspace, visit: &Visit<'_>) -> Vec<Reached> {
    let member = Some(visit.package).filter(|package| workspace.is_member(package));
    let declared = member.into_iter().flat_map(|member| &member.dependencies);
    let declared = declared.filter(|dependency| ships(dependency));
    let reach = |dependency: &Dependency| Reached {
        name: dependency.name.clone(),
        path: format!("{} -> {}", visit.path, step(&workspace.metadata, visit.package, &dependency.name)),
    };
    declared.map(reach).collect()
}

/// The name of a dependency, with how a member asks for it where that is not plain.
fn step(metadata: &Metadata, parent: &Package, name: &str) -> String {
    let is_member = metadata.workspace_members.contains(&parent.id);
    let declared = parent.dependencies.iter().filter(|dependency| is_member && dependency.name == name);
    let Some(dependency) = declared.min_by_key(|dependency| !ships(dependency)) else {
        return name.to_owned();
    };
    let notes = [
        (dependency.kind != DependencyKind::Normal).then(|| dependency.kind.to_string()),
        dependency.optional.then(|| "optional".to_owned()),
        dependency.target.as_ref().map(ToString::to_string),
        dependency.rename.as_ref().map(|rename| format!("as {rename}")),
    ];
    let notes: Vec<_> = notes.into_iter().flatten().collect();
    if notes.is_empty() { name.to_owned() } else { format!("{name} ({})", notes.join(", ")) }
}

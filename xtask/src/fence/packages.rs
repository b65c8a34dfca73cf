//! What a fenced crate reaches is what its list says, and never a door to the outside; it is one plain library; crates
//! with doors have the listed features; no dependency is unused, and none turns the simulated node on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cargo_metadata::{Dependency, DependencyKind, NodeDep, Package, Target, TargetKind};

use crate::source;
use crate::workspace::{Workspace, is_apart};

/// Families of packages that no list may allow, with why; `tokio` stands for `tokio-util` and the like as well.
///
/// Everything else that is not on a list is refused as well; these are refused even if somebody lists them.
const NEVER: &[(&str, &str)] = &[
    ("async-io async-net mio polling quinn socket2", "opens sockets"),
    ("async-process duct subprocess", "starts processes"),
    ("async-std smol", "starts processes and opens sockets"),
    ("curl h2 hyper isahc reqwest ureq", "speaks HTTP"),
    ("felhom-agent", "touches the world"),
    ("libc linux-raw-sys nix rustix syscalls winapi windows", "names every system call"),
    ("proxmox-api", "speaks to the API, which what acts as root must not"),
    ("proxmox-privileged", "acts as root, which what speaks to the API must not"),
    ("rustls", "speaks TLS"),
    ("tokio", "starts processes and opens sockets, as soon as another member asks it to"),
];

/// Crates whose features decide which doors they have.
const WATCHED: [&str; 4] = ["hyper-util", "libc", "rustix", "tokio"];

/// A package that another one reaches.
pub(super) struct Reached {
    pub(super) name: String,
    /// A shortest way there: `proxmox-api -> snafu -> hyper (build)`.
    pub(super) way: String,
}

impl Reached {
    /// What is wrong with it, and the way there.
    pub(super) fn violation(&self, what: &str) -> String {
        format!("{what}\n        {}", self.way)
    }
}

/// Every package that `start` reaches over normal and build edges, itself excluded.
///
/// What a member declares counts as reached even if cargo resolved it away.
pub(super) fn shipped(workspace: &Workspace, start: &Package) -> Vec<Reached> {
    let (mut seen, mut reached, mut declared) = (BTreeSet::from([&start.id]), Vec::new(), Vec::new());
    // Breadth first, so that the first way to a package is a shortest one.
    let mut queue = VecDeque::from([(start, start.name.to_string())]);
    while let Some((package, so_far)) = queue.pop_front() {
        let reach = |name: &str| Reached {
            name: name.to_owned(),
            way: format!("{so_far} -> {}", step(workspace, package, name)),
        };
        for next in edges(workspace, package) {
            if seen.insert(&next.id) {
                let next_reached = reach(&next.name);
                queue.push_back((next, next_reached.way.clone()));
                reached.push(next_reached);
            }
        }
        if workspace.is_member(package) {
            let shipped = package.dependencies.iter().filter(|dependency| ships(dependency));
            declared.extend(shipped.map(|dependency| reach(&dependency.name)));
        }
    }
    let names: BTreeSet<_> = reached.iter().map(|reached| reached.name.clone()).collect();
    declared.retain(|reached| !names.contains(&reached.name));
    reached.into_iter().chain(declared).collect()
}

/// What cargo resolved for a package, development apart.
fn edges<'a>(workspace: &'a Workspace, package: &Package) -> impl Iterator<Item = &'a Package> {
    let nodes = workspace.metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let deps = nodes.filter(|node| node.id == package.id).flat_map(|node| &node.deps);
    let ships = |edge: &&NodeDep| edge.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development);
    let packages = &workspace.metadata.packages;
    deps.filter(ships).filter_map(|edge| packages.iter().find(|package| package.id == edge.pkg))
}

/// The name of a dependency, with how a member asks for it where that is not plain.
fn step(workspace: &Workspace, parent: &Package, name: &str) -> String {
    let declared = parent.dependencies.iter().filter(|dependency| dependency.name == name);
    let declared = declared.filter(|_| workspace.is_member(parent));
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

/// Whether a dependency is more than a development one.
pub(super) fn ships(dependency: &Dependency) -> bool {
    dependency.kind != DependencyKind::Development
}

/// The name that sources know a dependency by.
pub(super) fn crate_name(dependency: &Dependency) -> String {
    dependency.rename.as_ref().unwrap_or(&dependency.name).replace('-', "_")
}

/// Each fenced crate reaches exactly the packages on its list.
pub(super) fn closure(workspace: &Workspace) -> Vec<String> {
    let compare = |package| compare(workspace, package).unwrap_or_else(|violation| vec![violation]);
    workspace.fenced().flat_map(compare).collect()
}

fn compare(workspace: &Workspace, package: &Package) -> Result<Vec<String>, String> {
    let (name, listed) = (&package.name, workspace.list(&package.name)?);
    let reached = shipped(workspace, package);
    let unlisted = reached.iter().filter(|reached| !listed.contains(&reached.name)).map(|reached| {
        reached.violation(&format!("{name} reaches {}, which is not on its list", reached.name))
    });
    let unused = listed.iter().filter(|listed| !reached.iter().any(|reached| reached.name == **listed));
    let unused = unused.map(|unused| format!("{name} does not reach {unused}, which is on its list"));
    Ok(unlisted.chain(unused).collect())
}

/// No fenced crate reaches a package that no list may allow.
pub(super) fn never(workspace: &Workspace) -> Vec<String> {
    let reached = workspace
        .fenced()
        .flat_map(|package| shipped(workspace, package).into_iter().map(move |reached| (package, reached)));
    let forbidden = reached.filter_map(|(package, reached)| {
        let (_, why) = NEVER
            .iter()
            .find(|(never, _)| never.split(' ').any(|never| is_of_family(&reached.name, never)))?;
        Some(reached.violation(&format!("{} reaches {}, which {why}", package.name, reached.name)))
    });
    forbidden.collect()
}

/// Whether a package is the one named or one of its companions: `hyper-util` of `hyper`.
fn is_of_family(name: &str, family: &str) -> bool {
    name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}

/// The features that cargo turns on in the crates that have doors are exactly those on the list.
pub(super) fn features(workspace: &Workspace) -> Vec<String> {
    let listed = match workspace.list("features") {
        Ok(listed) => listed,
        Err(violation) => return vec![violation],
    };
    let packages = workspace.metadata.packages.iter();
    let names: BTreeMap<_, _> = packages.map(|package| (&package.id, package.name.as_str())).collect();
    let nodes = workspace.metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let nodes = nodes.filter_map(|node| Some((names.get(&node.id)?, &node.features)));
    let nodes = nodes.filter(|(name, _)| WATCHED.contains(name));
    let found: BTreeSet<_> = nodes
        .flat_map(|(name, features)| features.iter().map(move |feature| format!("{name}/{feature}")))
        .collect();
    let unlisted = found.difference(&listed);
    let unlisted = unlisted.map(|feature| format!("{feature} is turned on, and not on the list of features"));
    let unused = listed.difference(&found);
    let unused = unused.map(|feature| format!("features.list: nothing turns {feature} on"));
    unlisted.chain(unused).collect()
}

/// No feature and no shipped dependency turns `sim` on.
pub(super) fn sim_off(workspace: &Workspace) -> Vec<String> {
    let is_sim = |feature: &String| feature == "sim" || feature.ends_with("/sim");
    let found = workspace.members().flat_map(|member| {
        let asks = |dependency: &Dependency| {
            ships(dependency) && dependency.name == "proxmox-api" && dependency.features.iter().any(is_sim)
        };
        let asks = member.dependencies.iter().any(asks);
        let asks = asks.then(|| format!("{} depends on proxmox-api with `sim`", member.name));
        let on = member.features.iter().filter(|(_, features)| features.iter().any(is_sim));
        let on = on.map(|(name, _)| format!("feature `{name}` of {} turns on `sim`", member.name));
        asks.into_iter().chain(on)
    });
    found.collect()
}

/// Dependencies that no source names: those that ship by the crate itself, the others by its tests and examples as well.
pub(super) fn unused(workspace: &Workspace) -> Vec<String> {
    let unused = workspace.members().flat_map(|member| {
        let unused = member.dependencies.iter().filter(|dependency| {
            let mut sources = workspace.sources(&member.name);
            !sources.any(|source| {
                (!ships(dependency) || !is_apart(&source.path))
                    && source::holds(&source.tokens, &crate_name(dependency))
            })
        });
        unused.map(|unused| format!("{} does not name {}, its dependency", member.name, unused.name))
    });
    unused.collect()
}

/// No build script, no `links`, no macro, binary or C library, no library file of another name.
pub(super) fn targets(workspace: &Workspace) -> Vec<String> {
    workspace.fenced().flat_map(odd).collect()
}

fn odd(package: &Package) -> Vec<String> {
    let name = &package.name;
    let links = package.links.as_ref().map(|library| format!("{name} links {library}"));
    let file = package.manifest_path.with_file_name("src/lib.rs");
    let is_library = |target: &Target| target.kind == [TargetKind::Lib];
    let has_library = package.targets.iter().any(|target| is_library(target) && target.src_path == file);
    let missing = (!has_library).then(|| format!("{name} has no plain library in src/lib.rs"));
    let is_for_tests = |target: &Target| {
        [TargetKind::Test, TargetKind::Bench, TargetKind::Example]
            .iter()
            .any(|kind| target.kind.contains(kind))
    };
    let others = package.targets.iter().filter(|target| !is_library(target) && !is_for_tests(target));
    let others = others.map(|target| format!("{name} has a target of another kind: {}", target.src_path));
    links.into_iter().chain(missing).chain(others).collect()
}

//! What a fenced crate reaches is what its list says, and never a door to the outside; no dependency is unused, and
//! none turns the simulated node on.

use std::collections::BTreeSet;

use cargo_metadata::{Dependency, Package};

use super::graph;
use crate::workspace::{Violation, Workspace};
use crate::{list, tokens};

/// Names that no list may allow, with why; `tokio` stands for `tokio-util` and the like as well.
///
/// Everything else that is not on a list is refused as well; these are refused even if somebody lists them.
const NEVER: &[(&str, &str)] = &[
    ("async-io", "opens sockets"),
    ("async-net", "opens sockets"),
    ("async-process", "starts processes"),
    ("async-std", "starts processes and opens sockets"),
    ("curl", "speaks HTTP"),
    ("duct", "starts processes"),
    ("felhom-agent", "touches the world"),
    ("h2", "speaks HTTP"),
    ("hyper", "speaks HTTP"),
    ("isahc", "speaks HTTP"),
    ("libc", "names every system call"),
    ("linux-raw-sys", "names every system call"),
    ("mio", "opens sockets"),
    ("nix", "names every system call"),
    ("polling", "opens sockets"),
    ("proxmox-api", "speaks to the API, which what acts as root must not"),
    ("proxmox-privileged", "acts as root, which what speaks to the API must not"),
    ("quinn", "opens sockets"),
    ("reqwest", "speaks HTTP"),
    ("rustix", "names every system call"),
    ("rustls", "speaks TLS"),
    ("smol", "starts processes and opens sockets"),
    ("socket2", "opens sockets"),
    ("subprocess", "starts processes"),
    ("syscalls", "names every system call"),
    ("tokio", "starts processes and opens sockets, as soon as another member asks it to"),
    ("ureq", "speaks HTTP"),
    ("winapi", "names every system call"),
    ("windows", "names every system call"),
];

/// Each fenced crate reaches exactly the packages on its list.
pub(super) fn closure(workspace: &Workspace) -> Vec<Violation> {
    let compare = |package| compare(workspace, package).unwrap_or_else(|violation| vec![violation]);
    workspace.fenced().flat_map(compare).collect()
}

/// No fenced crate reaches a package that no list may allow.
pub(super) fn never(workspace: &Workspace) -> Vec<Violation> {
    workspace.fenced().flat_map(|package| forbidden(workspace, package)).collect()
}

fn compare(workspace: &Workspace, package: &Package) -> Result<Vec<Violation>, Violation> {
    let name = &package.name;
    let listed = list::read(workspace, name)?;
    let reached = graph::shipped(workspace, package);
    let unlisted = reached.iter().filter(|reached| !listed.contains(&reached.name)).map(|reached| {
        let what = format!("{name} reaches {}, which is not on its list", reached.name);
        Violation::along(what, &reached.path)
    });
    let names: BTreeSet<_> = reached.iter().map(|reached| reached.name.clone()).collect();
    let unused = listed.difference(&names);
    let unused =
        unused.map(|unused| Violation::new(format!("{name} does not reach {unused}, which is on its list")));
    Ok(unlisted.chain(unused).collect())
}

fn forbidden(workspace: &Workspace, package: &Package) -> Vec<Violation> {
    let reached = graph::shipped(workspace, package);
    let forbidden = reached.into_iter().filter_map(|reached| {
        let (_, why) = NEVER.iter().find(|(never, _)| is_of_family(&reached.name, never))?;
        Some(Violation::along(
            format!("{} reaches {}, which {why}", package.name, reached.name),
            reached.path,
        ))
    });
    forbidden.collect()
}

/// Whether a package is the one named or one of its companions: `hyper-util` of `hyper`.
fn is_of_family(name: &str, family: &str) -> bool {
    name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}

/// No feature and no shipped dependency turns `sim` on.
pub(super) fn sim_off(workspace: &Workspace) -> Vec<Violation> {
    let found = workspace.members().flat_map(|member| {
        let asks = member.dependencies.iter().any(asks_for_sim);
        let asks = asks.then(|| format!("{} depends on proxmox-api with `sim`", member.name));
        let turns_on =
            member.features.iter().filter(|(_, features)| features.iter().any(|name| is_sim(name)));
        let turns_on =
            turns_on.map(|(name, _)| format!("feature `{name}` of {} turns on `sim`", member.name));
        asks.into_iter().chain(turns_on)
    });
    found.map(Violation::new).collect()
}

fn asks_for_sim(dependency: &Dependency) -> bool {
    graph::ships(dependency)
        && dependency.name == "proxmox-api"
        && dependency.features.iter().any(|name| is_sim(name))
}

fn is_sim(feature: &str) -> bool {
    feature == "sim" || feature.ends_with("/sim")
}

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

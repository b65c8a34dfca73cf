//! What the agent names of the crates that have doors to the outside, and which features those have, is listed.
//!
//! Everything is allowed by a line or not at all, so that a new way out is refused before anybody has heard of it.

use std::collections::{BTreeMap, BTreeSet};

use super::graph;
use crate::workspace::{AGENT, Source, Violation, Workspace};
use crate::{list, paths};

const PATHS: &str = "felhom-agent.paths";
const FEATURES: &str = "features";

/// Part of every program, though no dependency.
const STD: &str = "std";
/// Crates whose features decide which doors they have.
const WATCHED: [&str; 4] = ["hyper-util", "libc", "rustix", "tokio"];

/// Every crate that the agent depends on is listed, as a whole or path by path; a line with a file is for that file alone.
pub(super) fn doors(workspace: &Workspace) -> Vec<Violation> {
    list::read(workspace, PATHS).map_or_else(|violation| vec![violation], |lines| check(workspace, &lines))
}

fn check(workspace: &Workspace, lines: &BTreeSet<String>) -> Vec<Violation> {
    let roots = roots(workspace);
    let mut unused = lines.clone();
    let mut found = Vec::new();
    for root in &roots {
        if unused.remove(root) {
            continue;
        }
        for source in workspace.shipped_sources() {
            found.extend(astray(source, root, lines, &mut unused));
        }
    }
    let unused = unused.iter().map(|line| format!("{PATHS}.list: nothing needs {line}"));
    found.into_iter().chain(unused).map(Violation::new).collect()
}

/// The crates that the agent's sources can name, by the names that they have there.
fn roots(workspace: &Workspace) -> BTreeSet<String> {
    let declared = workspace.member(AGENT).into_iter().flat_map(|agent| &agent.dependencies);
    let shipped = declared.filter(|dependency| graph::ships(dependency));
    let names =
        shipped.map(|dependency| dependency.rename.as_ref().unwrap_or(&dependency.name).replace('-', "_"));
    names.chain([STD.to_owned()]).collect()
}

/// The paths of one file that no line allows. The lines that allow one are taken from `unused`.
fn astray(
    source: &Source,
    root: &str,
    lines: &BTreeSet<String>,
    unused: &mut BTreeSet<String>,
) -> Vec<String> {
    let mut found = Vec::new();
    for path in paths::into(&source.tokens, root) {
        let fits = |line: &&String| allows(line, &path, source);
        match lines.iter().find(fits) {
            Some(line) => drop(unused.remove(line)),
            None => found
                .push(format!("{}:{}: {} is not on the list of paths", source.path, path.line, path.text)),
        }
    }
    found
}

/// Whether a line, `path` or `path@file`, allows a path in a file.
fn allows(line: &str, path: &paths::Path, source: &Source) -> bool {
    let (prefix, file) = line.split_once('@').map_or((line, None), |(prefix, file)| (prefix, Some(file)));
    path.is_below(prefix) && file.is_none_or(|file| file == source.path)
}

/// The features that cargo turns on in the crates that have doors are exactly those on the list.
pub(super) fn features(workspace: &Workspace) -> Vec<Violation> {
    list::read(workspace, FEATURES)
        .map_or_else(|violation| vec![violation], |lines| compare(workspace, &lines))
}

fn compare(workspace: &Workspace, lines: &BTreeSet<String>) -> Vec<Violation> {
    let names: BTreeMap<_, _> =
        workspace.metadata.packages.iter().map(|package| (&package.id, &package.name)).collect();
    let nodes = workspace.metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let nodes = nodes.filter_map(|node| Some((*names.get(&node.id)?, node)));
    let nodes = nodes.filter(|(name, _)| WATCHED.contains(&name.as_str()));
    let features =
        nodes.flat_map(|(name, node)| node.features.iter().map(move |feature| format!("{name}/{feature}")));
    let features: BTreeSet<_> = features.collect();
    let unlisted = features
        .difference(lines)
        .map(|feature| format!("{feature} is turned on, and not on the list of features"));
    let unused =
        lines.difference(&features).map(|feature| format!("{FEATURES}.list: nothing turns {feature} on"));
    unlisted.chain(unused).map(Violation::new).collect()
}

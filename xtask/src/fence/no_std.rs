//! `std` does not exist in a fenced crate, so `std::process` cannot be named there.

use super::words;
use crate::tokens::{self, Token};
use crate::workspace::{FENCED, Source, Violation, Workspace};

/// Every fenced crate is `no_std`, and links only `alloc`, `std` in its tests, and `std` inside the simulated node.
///
/// A root-level `extern crate std` under a feature would open the whole crate to it; the one inside a module does not.
pub(super) fn no_std(workspace: &Workspace) -> Vec<Violation> {
    FENCED.iter().flat_map(|member| check(workspace, member)).collect()
}

fn check(workspace: &Workspace, member: &str) -> Vec<Violation> {
    let root = format!("{member}/src/lib.rs");
    let lib = workspace.source(&root);
    let is_bare = lib.is_some_and(|lib| tokens::places(&lib.tokens).any(|(_, rest)| is_no_std(rest)));
    let dressed = (!is_bare).then(|| format!("{root} does not say #![no_std]"));
    let sim = lib.into_iter().flat_map(|lib| words::found(lib, is_open_sim));
    let sim = sim.map(|line| format!("{line}: `mod sim` is not under #[cfg(feature = \"sim\")]"));
    let sources = workspace.sources(&format!("{member}/src"));
    let links = sources
        .flat_map(|source| words::found(source, |before, rest| is_stray_link(source, &root, before, rest)));
    let links = links.map(|line| format!("{line}: `extern` where it is not allowed"));
    dressed.into_iter().chain(sim).chain(links).map(Violation::new).collect()
}

fn is_no_std(rest: &[Token]) -> bool {
    tokens::begins(rest, "# ! [ no_std ]") && is_at_root(rest)
}

fn is_stray_link(source: &Source, root: &str, before: &[Token], rest: &[Token]) -> bool {
    let is_alloc = tokens::begins(rest, "extern crate alloc ;");
    let is_std = tokens::begins(rest, "extern crate std ;");
    let is_tested = tokens::ends(before, "# [ cfg ( test ) ]");
    let is_public = tokens::ends(before, "pub") || tokens::ends(before, ")");
    let is_allowed = source.path == root && (is_alloc || is_std && is_tested)
        || source.path == words::SIM && is_std && !is_public;
    tokens::begins(rest, "extern") && !(is_allowed && is_at_root(rest))
}

fn is_open_sim(before: &[Token], rest: &[Token]) -> bool {
    let gates = ["# [ cfg ( feature = \"sim\" ) ]", "# [ cfg ( feature = \"sim\" ) ] pub"];
    tokens::begins(rest, "mod sim") && !gates.iter().any(|gate| tokens::ends(before, gate))
}

fn is_at_root(rest: &[Token]) -> bool {
    rest.first().is_some_and(|token| token.depth == 0)
}

//! The simulated node is for tests.

use cargo_metadata::Dependency;

use super::graph;
use crate::workspace::{Violation, Workspace};

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

//! What may stand in one place only, or nowhere.

use cargo_metadata::Dependency;

use super::{closure, graph};
use crate::workspace::{AGENT, Violation, Workspace};

/// Cargo unifies features: whoever depends on tokio gets all of it that anybody asks for.
const AT_HOME_IN_THE_AGENT: [&str; 3] = ["tokio", "hyper", "mio"];
/// A second provider makes rustls panic when it has to choose; some need cmake or a system library.
const OTHER_CRYPTO: [&str; 4] = ["aws-lc", "boring", "native-tls", "openssl"];

/// Only the agent depends on tokio, hyper and their companions, tests apart.
pub(super) fn tokio_home(workspace: &Workspace) -> Vec<Violation> {
    let others = workspace.members().filter(|member| member.name != AGENT);
    let found = others.flat_map(|member| {
        let shipped = member.dependencies.iter().filter(|dependency| graph::ships(dependency));
        let astray = shipped.filter(|dependency| is_any_of(&dependency.name, &AT_HOME_IN_THE_AGENT));
        astray.map(|dependency| {
            let what = format!("{} is for {AGENT} alone", dependency.name);
            Violation::along(what, format!("{} -> {}", member.name, dependency.name))
        })
    });
    found.collect()
}

/// No second crypto provider, not even in tests.
pub(super) fn crypto(workspace: &Workspace) -> Vec<Violation> {
    let reached = workspace.members().flat_map(|member| graph::all(workspace, member));
    let found = reached.filter(|reached| is_any_of(&reached.name, &OTHER_CRYPTO));
    found
        .map(|reached| {
            Violation::along(format!("{} is a second crypto provider", reached.name), reached.path)
        })
        .collect()
}

/// The simulated node is for tests: no feature and no shipped dependency turns `sim` on.
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

fn is_any_of(name: &str, families: &[&str]) -> bool {
    families.iter().any(|family| closure::is_of_family(name, family))
}

//! Checks of the node and its services, and that the pool and the bridges of the configuration are there: PVE takes privileges on what is not.

use proxmox_types::params::PermissionFilter;
use proxmox_types::{Bridge, NetworkInterface, NodeEntry, NodeState, PoolId, Rows, Service, Unread};
use serde_json::json;

use crate::config::Config;
use crate::diagnosis::guests::{no_such_node, untold};
use crate::report::finding::{Claim, Finding, Found, Remedy};
use crate::report::shell::edit_line;
use crate::selftest::{Check, Look, Ready};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        Claim::new("node.exists", "the configured node is one of the cluster, and online", "GET /nodes")
            .needs(&["auth.token"]),
        Look::Api(|ready| Box::pin(exists(ready))),
    ),
    Check::new(
        Claim::new(
            "node.status",
            "the node answers, and its root file system has room",
            "GET /nodes/{node}/status",
        )
        .needs(&["node.exists"]),
        Look::Api(|ready| Box::pin(status(ready))),
    ),
    Check::new(
        Claim::new(
            "node.services",
            "pvestatd, pveproxy, pvedaemon and pve-cluster run",
            "GET /nodes/{node}/services",
        )
        .needs(&["node.exists"]),
        Look::Api(|ready| Box::pin(services(ready))),
    ),
    Check::new(
        Claim::new("pool.exists", "the configured pool is there", "GET /pools").needs(&["auth.token"]),
        Look::Api(|ready| Box::pin(pool(ready))),
    ),
    Check::new(
        Claim::new("bridge.exists", "every configured bridge is there, and up", "GET /nodes/{node}/network")
            .needs(&["node.exists"]),
        Look::Api(|ready| Box::pin(bridges(ready))),
    ),
];

/// What stands for a number that PVE does not tell, or not as a number.
const UNTOLD: &str = "unknown";

async fn exists(ready: Ready<'_>) -> Found<Vec<Finding>> {
    let config = ready.config;
    let nodes = ready.nodes().await?;
    Ok(vec![find(config, nodes)])
}

fn find(config: &Config, nodes: &Rows<NodeEntry>) -> Finding {
    let names: Vec<String> = nodes.iter().map(|node| node.node.to_string()).collect();
    let Some(node) = nodes.iter().find(|node| node.node == config.node) else {
        let of_it = nodes.unread().iter().filter(|row| row.may_have("node", config.node.as_str()));
        let unread: Vec<Unread> = of_it.cloned().collect();
        let untold = untold(&unread, "it cannot be told whether it is the configured node");
        return untold.into_iter().next().unwrap_or_else(|| no_such_node(config, nodes));
    };
    match &node.status {
        NodeState::Online => {
            Finding::ok(format!("{} is online, {} in the cluster", config.node, names.len()))
        }
        NodeState::Unknown => stale(),
        other => Finding::fail(
            format!("{} is {other}", config.node),
            Remedy::look("pvecm status && systemctl status pve-cluster"),
        ),
    }
    .with(json!({ "nodes": names }))
}

async fn status(ready: Ready<'_>) -> Found<Vec<Finding>> {
    let config = ready.config;
    let status = ready.client.node(&config.node).status().await;
    let status = status.map_err(|error| ready.failed(&error))?;
    let root = percent(status.rootfs.used, status.rootfs.total);
    let memory = percent(status.memory.used, status.memory.total);
    let load = status.loadavg.first().copied();
    let summary = format!(
        "root file system {}, memory {}, load {}",
        percents(root),
        percents(memory),
        load.map_or_else(|| UNTOLD.into(), |load| load.to_string())
    );
    let data = json!({ "rootfs_percent": root, "memory_percent": memory, "load": load });
    Ok(vec![judge(root, summary, "df -h / && du -xhd1 /var | sort -h").with(data)])
}

/// Judges how full something is.
pub(super) fn judge(percent: Option<u64>, summary: String, look: &str) -> Finding {
    match percent {
        None => Finding::warn(summary).because("PVE does not tell how full it is").look(look),
        Some(0..=85) => Finding::ok(summary),
        Some(86..=95) => Finding::warn(summary).because("more than 85 % are used").look(look),
        _ => Finding::fail(summary, Remedy::look(look)).because("more than 95 % are used"),
    }
}

/// How much of the whole that is, rounded up; nothing if either is not told.
pub(super) fn percent(used: Option<u64>, total: Option<u64>) -> Option<u64> {
    let total = total.filter(|total| *total > 0)?;
    Some(used?.saturating_mul(100).div_ceil(total))
}

/// How full something is, in words.
pub(super) fn percents(percent: Option<u64>) -> String {
    percent.map_or_else(|| UNTOLD.into(), |percent| format!("{percent} %"))
}

async fn pool(ready: Ready<'_>) -> Found<Vec<Finding>> {
    let config = ready.config;
    let Some(pool) = &config.pool else {
        return Ok(vec![Finding::skip("the configuration names no pool")]);
    };
    Ok(vec![match ready.client.pool(pool).await {
        Ok(_) => Finding::ok(format!("{pool} is there")),
        Err(error) if error.is_not_found() => Finding::fail(format!("there is no pool {pool}"), add(pool))
            .because("PVE takes privileges on a pool that does not exist, and then creates nothing in it"),
        Err(error) => *ready.failed(&error),
    }])
}

/// Makes the pool, and those that it lies in.
fn add(pool: &PoolId) -> String {
    let pool = pool.as_str();
    let above = pool.match_indices('/').filter_map(|(at, _)| pool.get(..at));
    let above = above.map(|outer| format!("(pveum pool add {outer} || true) && "));
    format!("{}pveum pool add {pool}", above.collect::<String>())
}

async fn bridges(ready: Ready<'_>) -> Found<Vec<Finding>> {
    let config = ready.config;
    if config.bridges.is_empty() {
        return Ok(vec![Finding::skip("the configuration names no bridge")]);
    }
    let shown = ready.client.node(&config.node).bridges().await;
    let shown = shown.map_err(|error| ready.failed(&error))?;
    let mut against = Vec::new();
    for bridge in &config.bridges {
        let of_it = shown.unread().iter().filter(|row| row.may_have("iface", bridge.as_str()));
        let unread: Vec<Unread> = of_it.cloned().collect();
        let untold = untold(&unread, "it cannot be told whether it is there");
        if !untold.is_empty() {
            against.extend(untold);
            continue;
        }
        against.extend(match shown.iter().find(|interface| interface.iface == bridge.as_str()) {
            Some(interface) => is_down(interface).then(|| down(bridge)),
            None => Some(absent(ready, bridge, &shown).await),
        });
    }
    if against.is_empty() {
        let names: Vec<&str> = config.bridges.iter().map(Bridge::as_str).collect();
        against.push(Finding::ok(names.join(", ")).with(json!({ "bridges": names })));
    }
    Ok(against)
}

/// Bridges of Open vSwitch and vnets are not always told to be up.
fn is_down(interface: &NetworkInterface) -> bool {
    interface.kind == "bridge" && interface.active != Some(true)
}

fn down(bridge: &Bridge) -> Finding {
    Finding::fail(format!("{bridge} is not up"), format!("ifup {bridge}"))
        .about(bridge.to_string())
        .because("a container that joins it is created, and does not start")
}

/// Tells a bridge that is not there from one that is not shown.
async fn absent(ready: Ready<'_>, bridge: &Bridge, shown: &[NetworkInterface]) -> Finding {
    let path = format!("/sdn/zones/localnetwork/{bridge}");
    let filter = PermissionFilter { userid: None, path: Some(path.clone()) };
    let finding = match ready.client.access().permissions().with(filter).await {
        Err(error) => *ready.failed(&error),
        Ok(held) if !["SDN.Use", "SDN.Audit"].iter().any(|privilege| held.holds(&path, privilege)) => {
            Finding::skip(format!("{bridge} is not shown to a token without SDN.Use on {path}"))
        }
        Ok(_) => none(ready.config, bridge, shown),
    };
    finding.about(bridge.to_string())
}

fn none(config: &Config, bridge: &Bridge, shown: &[NetworkInterface]) -> Finding {
    let names: Vec<&str> = shown.iter().map(|interface| interface.iface.as_str()).collect();
    let there =
        if names.is_empty() { "none is shown".into() } else { format!("there is {}", names.join(", ")) };
    Finding::fail(format!("there is no bridge {bridge}; {there}"), edit_line(&config.path))
        .because(format!(
            "a container that joins it is created, and does not start; name another in `bridges`, or make it: \
             pvesh create /nodes/{0}/network --iface {bridge} --type bridge --autostart 1 && pvesh set /nodes/{0}/network",
            config.node
        ))
        .look("ip -br link show type bridge")
}

/// The services that the agent lives on, and what does not work without each.
const VITAL: [(&str, &str); 4] = [
    ("pvestatd", "the statistics stand still: /nodes and /cluster/resources tell how it was, or nothing"),
    ("pveproxy", "nobody answers on port 8006"),
    ("pvedaemon", "nothing can be changed"),
    ("pve-cluster", "without its file system there is no configuration, no user and no token"),
];

async fn services(ready: Ready<'_>) -> Found<Vec<Finding>> {
    let config = ready.config;
    let services = match ready.client.node(&config.node).services().await {
        Ok(services) => services,
        Err(error) if error.denied().is_some() => Rows::default(),
        Err(error) => return Err(ready.failed(&error)),
    };
    let known = VITAL.iter().filter_map(|(name, why)| Some((known(&services, name)?, *why)));
    let known: Vec<(&Service, &str)> = known.collect();
    let mut against: Vec<Finding> =
        known.iter().filter_map(|(service, why)| judge_service(service, why)).collect();
    let nodes = ready.nodes().await;
    let is_stale =
        nodes.is_ok_and(|nodes| nodes.iter().any(|node| node.node == config.node && is_stale(node)));
    if is_stale && !against.iter().any(|finding| finding.instance.as_deref() == Some("pvestatd")) {
        against.push(stale());
    }
    if against.is_empty() {
        let names: Vec<&str> = known.iter().map(|(service, _)| service.service.as_str()).collect();
        against.push(match names.as_slice() {
            [] => Finding::skip("the node does not tell which services run"),
            names => Finding::ok(names.join(", ")),
        });
    }
    Ok(against)
}

/// The service, if systemd knows it: in a container PVE is started by something else.
fn known<'a>(services: &'a [Service], name: &str) -> Option<&'a Service> {
    let found = services.iter().find(|service| service.service == name)?;
    (!["not-found", "unknown"].contains(&found.unit_state.as_str())).then_some(found)
}

fn judge_service(service: &Service, why: &str) -> Option<Finding> {
    let name = service.service.as_str();
    let is_masked = service.unit_state.starts_with("masked");
    let finding = match service.active_state.as_str() {
        "active" | "reloading" | "refreshing" if is_masked || service.unit_state == "disabled" => {
            let enable = if is_masked { "unmask" } else { "enable" };
            Finding::warn(format!("{name} runs, and will not after a reboot"))
                .fix(format!("systemctl {enable} {name}"))
        }
        "active" | "reloading" | "refreshing" => return None,
        "activating" | "deactivating" => {
            let look = format!("journalctl -u {name} -n 20 --no-pager");
            Finding::warn(format!("{name} is {}, {}", service.active_state, service.state)).look(look)
        }
        _ => {
            let unmask = if is_masked { format!("systemctl unmask {name} && ") } else { String::new() };
            Finding::fail(
                format!("{name} does not run ({})", service.state),
                format!("{unmask}systemctl restart {name}"),
            )
            .look(format!("journalctl -u {name} -n 20 --no-pager"))
        }
    };
    let data = json!({ "state": service.state, "active_state": service.active_state, "unit_state": service.unit_state });
    Some(finding.about(name).because(why).with(data))
}

/// Whether the server has no statistics of the node, which says nothing of the node itself: it has just answered.
///
/// Source: pve-manager `PVE/API2Tools.pm`, `extract_node_stats`; recording `nodes-pvestatd-dead`.
fn is_stale(node: &NodeEntry) -> bool {
    node.status == NodeState::Unknown
}

/// What is said of statistics that are gone.
fn stale() -> Finding {
    Finding::warn(
        "the statistics of the node are stale: pvestatd does not run, or pve-cluster has just started",
    )
    .about("pvestatd")
    .because("what is told of load and of running guests may be old; everything else works")
    .fix("systemctl restart pvestatd")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_judged_by_what_systemd_says() {
        let cases = [
            ("running", "active", "enabled", "", ""),
            ("exited", "active", "enabled", "", ""),
            ("reload", "reloading", "enabled", "", ""),
            ("running", "active", "disabled", "warn", "systemctl enable pvestatd"),
            ("dead", "inactive", "enabled", "FAIL", "systemctl restart pvestatd"),
            ("failed", "failed", "enabled", "FAIL", "systemctl restart pvestatd"),
            ("dead", "inactive", "masked", "FAIL", "systemctl unmask pvestatd && systemctl restart pvestatd"),
            ("auto-restart", "activating", "enabled", "warn", ""),
            ("dead", "maintenance", "enabled", "FAIL", "systemctl restart pvestatd"),
        ];
        for (state, active, unit, label, fix) in cases {
            let service: Service = serde_json::from_value(json!({
                "service": "pvestatd", "name": "pvestatd", "desc": "", "state": state, "active-state": active,
                "unit-state": unit,
            }))
            .unwrap();
            let found = judge_service(&service, "");
            let fixes = found.iter().flat_map(|finding| &finding.fix).map(|fix| fix.run.as_str());
            let labels = found.iter().map(|finding| finding.status.label());
            assert_eq!(
                (labels.collect::<String>(), fixes.collect::<String>()),
                (label.into(), fix.into()),
                "{state}"
            );
        }
    }
}

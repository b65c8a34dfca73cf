//! Checks of the node, and that the pool and the bridges of the configuration are there: PVE takes privileges on what is not.

use proxmox_api::{Cause, Error, Thing};
use proxmox_types::params::PermissionFilter;
use proxmox_types::{Bridge, NetworkInterface, NodeEntry, NodeState, PoolId, Rows, Unread};
use serde_json::json;

use super::service::stale;
use crate::config::Config;
use crate::diagnosis::guests::{no_such_node, untold};
use crate::report::finding::{Claim, Finding, Found, Remedy};
use crate::report::shell::edit_line;
use crate::selftest::{Check, Ready};

pub(super) const EXISTS: Check = Check::api(
    Claim::new("node.exists", "the configured node is one of the cluster, and online", "GET /nodes")
        .needs(&["auth.token"]),
    |ready| Box::pin(exists(ready)),
);

pub(super) const STATUS: Check = Check::api(
    Claim::new(
        "node.status",
        "the node answers, and its root file system has room",
        "GET /nodes/{node}/status",
    )
    .needs(&["node.exists"]),
    |ready| Box::pin(status(ready)),
);

pub(super) const POOL: Check = Check::api(
    Claim::new("pool.exists", "the configured pool is there", "GET /pools").needs(&["auth.token"]),
    |ready| Box::pin(pool(ready)),
);

pub(super) const BRIDGES: Check = Check::api(
    Claim::new("bridge.exists", "every configured bridge is there, and up", "GET /nodes/{node}/network")
        .needs(&["node.exists"]),
    |ready| Box::pin(bridges(ready)),
);

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
        let of_it = |row: &Unread| row.field("node").is_none_or(|name| name == config.node.as_str());
        let unread: Vec<Unread> = nodes.unread().iter().filter(|row| of_it(row)).cloned().collect();
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
        Err(error) if is_missing(&error) => {
            Finding::fail(format!("there is no pool {pool}"), Remedy::fix(add(pool)))
                .because("PVE takes privileges on a pool that does not exist, and then creates nothing in it")
        }
        Err(error) => *ready.failed(&error),
    }])
}

fn is_missing(error: &Error) -> bool {
    matches!(error.cause(), Some(Cause::NotFound { what: Thing::Pool, .. }))
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
        let unread =
            shown.unread().iter().filter(|row| row.field("iface").is_none_or(|name| name == bridge.as_str()));
        let unread: Vec<Unread> = unread.cloned().collect();
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
    Finding::fail(format!("{bridge} is not up"), Remedy::fix(format!("ifup {bridge}")))
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
    Finding::fail(format!("there is no bridge {bridge}; {there}"), Remedy::fix(edit_line(&config.path)))
        .because(format!(
            "a container that joins it is created, and does not start; name another in `bridges`, or make it: \
             pvesh create /nodes/{0}/network --iface {bridge} --type bridge --autostart 1 && pvesh set /nodes/{0}/network",
            config.node
        ))
        .look("ip -br link show type bridge")
}

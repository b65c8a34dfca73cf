//! Checks of the node.

use std::sync::Arc;

use proxmox_types::{NodeEntry, NodeState, Rows, Unread};
use serde_json::json;

use super::service::stale;
use crate::config::Config;
use crate::diagnosis::call_failed;
use crate::diagnosis::guests::no_such_node;
use crate::diagnosis::guests::untold;
use crate::report::finding::{Finding, Remedy};
use crate::selftest::check::{Findings, found};
use crate::selftest::context::Context;

/// What stands for a number that PVE does not tell, or not as a number.
const UNTOLD: &str = "unknown";

pub(super) fn exists(context: Arc<Context>) -> Findings {
    found(async move {
        let (config, connection) = context.connected()?;
        let nodes = context.nodes(connection).await.map_err(|error| call_failed(config, &error))?;
        Ok(vec![find(config, nodes)])
    })
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

pub(super) fn status(context: Arc<Context>) -> Findings {
    found(async move {
        let (config, connection) = context.connected()?;
        let status = connection.client.node(&config.node).status().await;
        let status = status.map_err(|error| call_failed(config, &error))?;
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
    })
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

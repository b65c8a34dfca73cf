//! What is known of the guests of a node: whether any is shown, which could not be read, and which are locked.

use std::collections::BTreeSet;

use proxmox_api::{Client, Error, Visibility};
use proxmox_types::params::{TaskFilter, TaskSource};
use proxmox_types::{Lock, NodeEntry, NodeName, Unread, Vmid};

use crate::config::Config;
use crate::report::finding::{Finding, Status};
use crate::report::shell::edit_line;

/// The path on which the configuration wants the containers' privileges.
pub fn containers_path(config: &Config) -> String {
    config.pool.as_ref().map_or_else(|| "/vms".into(), |pool| format!("/pool/{pool}"))
}

/// That no container is shown, whatever there is; nothing if the token would be shown one.
pub async fn none_shown(config: &Config, client: &Client) -> Result<Option<Finding>, Error> {
    Ok(match client.node(&config.node).containers().visibility().await? {
        Visibility::Nothing(denied) => {
            let path = containers_path(config);
            let fix = denied.pveum_on(&path, config.token.id()).unwrap_or_default();
            let finding = Finding::warn("no container is shown, whatever there is");
            Some(finding.because(format!("the token needs VM.Audit on {path}")).fix(fix))
        }
        _ => None,
    })
}

/// That the configured node is none of the cluster.
pub fn no_such_node(config: &Config, nodes: &[NodeEntry]) -> Finding {
    let names: Vec<String> = nodes.iter().map(|node| node.node.to_string()).collect();
    let text = format!("{} is no node of this cluster; there is {}", config.node, names.join(", "));
    Finding::fail(text, edit_line(&config.path)).because("PVE knows a node by its short host name")
}

/// The rows of a list of guests that may be containers of this node.
pub fn may_be_here(guests: &[Unread], node: &NodeName) -> Vec<Unread> {
    let here = guests.iter().filter(|row| row.may_have("type", "lxc") && row.may_have("node", node.as_str()));
    here.cloned().collect()
}

/// A warning for each of the rows, which says what cannot be told because of it.
pub fn untold(rows: &[Unread], what: &str) -> Vec<Finding> {
    let warn = |row: &Unread| {
        let name = row.name();
        Finding::warn(format!("{name} could not be read, so {what}"))
            .about(name)
            .because(row.reason())
            .look("pveversion && felhom-agent --version")
    };
    rows.iter().map(warn).collect()
}

/// Commands that take a lock away; every other lock is taken away by `pct unlock`.
const UNLOCK: [(Lock, &str); 1] = [(Lock::Mounted, "pct unmount")];

/// Why a lock that no task holds is not to be taken away blindly.
const fn caution(lock: &Lock) -> &'static str {
    match lock {
        Lock::Rollback => {
            "a rollback was broken off, or the token cannot see its task; the container may be half of each: unlock, look \
             at it, and roll back again before the snapshot, which may be the only whole copy, is deleted"
        }
        _ => {
            "a worker was killed, or the token cannot see its task; make sure that none runs before unlocking"
        }
    }
}

/// That a container is locked, and nothing will take the lock away by itself.
pub fn stale_lock(status: Status, vmid: Vmid, lock: &Lock) -> Finding {
    Finding::new(status, format!("{vmid} is locked ({lock}), and no task works on it"))
        .because(caution(lock))
        .fix(unlock(vmid, lock))
}

/// What running tasks work on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Busy(BTreeSet<String>);

impl Busy {
    /// Asks for the running tasks of a node. One that could not be read counts as running.
    pub async fn of_node(client: &Client, node: &NodeName) -> Result<Self, Error> {
        let filter = TaskFilter { source: Some(TaskSource::Active), ..TaskFilter::default() };
        let tasks =
            client.node(node).tasks().with(filter).unless_unread(|row| row.field("id").is_none()).await?;
        let unread: Vec<String> = tasks.rows.unread().iter().filter_map(|row| row.field("id")).collect();
        let running = tasks.rows.into_iter().filter(|task| task.endtime.is_none());
        let ids = running.map(|task| task.id).chain(unread);
        Ok(Self(ids.map(|id| id.split('@').next().unwrap_or_default().to_string()).collect()))
    }

    /// Whether a running task holds the lock of the container. A backup of several containers has no id.
    pub fn holds(&self, vmid: Vmid, lock: &Lock) -> bool {
        self.0.contains(&vmid.to_string()) || (*lock == Lock::Backup && self.0.contains(""))
    }
}

/// The command that takes a lock from a container that no task works on.
pub fn unlock(vmid: Vmid, lock: &Lock) -> String {
    let command = UNLOCK.iter().find(|(known, _)| known == lock).map_or("pct unlock", |(_, command)| command);
    format!("{command} {vmid}")
}

//! Locks of containers: whether a task holds one, and what takes away one that was left.

use std::collections::BTreeSet;

use proxmox_api::{Client, Error};
use proxmox_types::params::{TaskFilter, TaskSource};
use proxmox_types::{Lock, NodeName, Vmid};

/// Commands that take a lock away; every other lock is taken away by `pct unlock`.
const UNLOCK: [(Lock, &str); 1] = [(Lock::Mounted, "pct unmount")];

/// Why a lock that no task holds is not to be taken away blindly.
pub const fn caution(lock: &Lock) -> &'static str {
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

/// What running tasks work on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Busy(BTreeSet<String>);

impl Busy {
    /// Asks for the running tasks of a node. One that could not be read counts as running.
    pub async fn of_node(client: &Client, node: &NodeName) -> Result<Self, Error> {
        let filter = TaskFilter { source: Some(TaskSource::Active), ..TaskFilter::default() };
        let tasks = client.node(node).tasks(&filter).unless_unread(|row| row.field("id").is_none()).await?;
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

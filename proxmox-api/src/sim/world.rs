//! The state of the simulated node, and its time.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::acl::{Acl, Principal};
use super::answer::{Answer, Refusal};
use super::container::Container;
use super::fault::{Deferred, Fault, Script};
use super::route;
use super::sentence;
use super::storage::Storage;
use super::worker::Worker;

/// The state of the node.
#[derive(Debug)]
pub struct World {
    /// Name of the node.
    pub node: String,
    /// Names of other nodes that containers can be moved to. What is on them is not simulated.
    pub other_nodes: Vec<String>,
    /// Time since the node started.
    pub now: Duration,
    /// When the node started, in seconds since 1970.
    pub epoch: u64,
    /// Containers by VMID.
    pub containers: BTreeMap<u32, Container>,
    /// Storages by name.
    pub storages: BTreeMap<String, Storage>,
    /// Pools by name, with their comment.
    pub pools: BTreeMap<String, String>,
    /// Bridges of the node.
    pub bridges: Vec<String>,
    /// Users, tokens, roles and the access control list.
    pub acl: Acl,
    /// Containers that HA manages.
    pub ha_managed: Vec<u32>,
    /// Containers that are replicated.
    pub replicated: Vec<u32>,
    /// Whether pvedaemon is down, so that everything it would answer is 595.
    pub is_daemon_down: bool,
    /// Whether pvestatd is down, for so long that its statistics have gone.
    pub is_statistics_daemon_down: bool,
    /// Every request, in order.
    pub received: Vec<Received>,
    /// How long workers take, by type; the rest take [`World::TASK`].
    pub durations: BTreeMap<&'static str, Duration>,
    /// What decides at every request whether a fault strikes.
    pub script: Option<Script>,
    /// How many requests were sent, those included that were lost on the way.
    pub sent: usize,
    pub(super) workers: Vec<Worker>,
    pub(super) faults: Vec<Fault>,
    pub(super) deferred: Vec<Deferred>,
    pub(super) next_pid: u32,
}

/// A request that the node received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The operation's name in the endpoint table; empty if there is none.
    pub operation: &'static str,
    /// The method.
    pub method: String,
    /// The path, decoded, below `/api2/json`.
    pub path: String,
    /// The parameters.
    pub parameters: BTreeMap<String, String>,
    /// Who sent it.
    pub principal: String,
    /// Which of those that were sent it was, over the seam.
    pub number: usize,
    /// The status that it was answered with, whether or not the answer arrived.
    pub status: u16,
    /// The tasks that it started.
    pub upids: Vec<String>,
}

impl World {
    /// How long a worker takes unless [`World::durations`] says otherwise.
    pub const TASK: Duration = Duration::from_millis(400);

    /// The node's clock in seconds since 1970.
    pub fn time(&self) -> u64 {
        self.epoch.saturating_add(self.now.as_secs())
    }

    /// Lets time pass up to `now`; workers that end by then end, and what is due by then is done.
    pub(super) fn settle(&mut self, now: Duration) {
        loop {
            let ending = self.next_ending(now);
            let due = ending.map_or(now, |(_, at)| at);
            if let Some(index) = self.deferred.iter().position(|deferred| deferred.due <= due) {
                let Deferred { due, call } = self.deferred.remove(index);
                self.now = self.now.max(due);
                self.act(&call);
            } else if let Some((index, at)) = ending {
                self.now = self.now.max(at);
                self.end_worker(index);
            } else {
                self.now = self.now.max(now);
                return;
            }
        }
    }

    fn next_ending(&self, now: Duration) -> Option<(usize, Duration)> {
        let due = self.workers.iter().enumerate().filter(|(_, worker)| worker.is_due(now));
        due.map(|(index, worker)| (index, worker.ends_at)).min_by_key(|(_, at)| *at)
    }

    /// Every task that is not forgotten, with its exit status once it has ended.
    pub fn tasks(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.workers.iter().map(|worker| (worker.upid.as_str(), worker.exit()))
    }

    /// Answers somebody else's request: method, path below `/api2/json`, and form body.
    pub fn serve(&mut self, who: &Principal, method: &str, path: &str, body: &str) -> Answer {
        route::serve(self, method, path, body, Some(who))
    }

    /// The container, or what PVE says if there is none.
    pub(super) fn container(&self, vmid: u32) -> Result<&Container, Refusal> {
        self.containers.get(&vmid).ok_or_else(|| self.no_container(vmid))
    }

    /// The container to change, or what PVE says if there is none.
    pub(super) fn container_mut(&mut self, vmid: u32) -> Result<&mut Container, Refusal> {
        let missing = self.no_container(vmid);
        self.containers.get_mut(&vmid).ok_or(missing)
    }

    fn no_container(&self, vmid: u32) -> Refusal {
        Refusal::die(sentence::NO_CONTAINER.of(&[&self.node, &vmid]))
    }

    /// The container if it is not locked.
    pub(super) fn unlocked(&self, vmid: u32) -> Result<&Container, Refusal> {
        let container = self.container(vmid)?;
        match container.lock() {
            Some(lock) => Err(Refusal::die(sentence::LOCKED.of(&[&lock]))),
            None => Ok(container),
        }
    }

    /// The storage, or what PVE says if there is none or it is off.
    pub(super) fn storage(&self, name: &str) -> Result<&Storage, Refusal> {
        let storage =
            self.storages.get(name).ok_or_else(|| Refusal::die(sentence::NO_STORAGE.of(&[&name])))?;
        match (storage.is_enabled, storage.is_active) {
            (false, _) => Err(Refusal::die(sentence::DISABLED.of(&[&name]))),
            (_, false) => Err(Refusal::die(sentence::OFFLINE.of(&[&name]))),
            _ => Ok(storage),
        }
    }

    pub(super) fn sees(&self, principal: &Principal, vmid: u32) -> bool {
        self.has(principal, &format!("/vms/{vmid}"), &["VM.Audit"], false)
    }
}

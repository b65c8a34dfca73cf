//! The state of the simulated node, its time, and its workers: what runs behind a UPID.
//!
//! A worker checks once when it begins, as PVE's do after the UPID was returned, and takes effect when it ends.
//!
//! Source: pve-common `PVE/RESTEnvironment.pm`, `fork_worker`.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::mem::{replace, take};
use core::time::Duration;

use super::access::{Acl, Principal};
use super::answer::{Arrived, Effect, Injection, Refusal, Said, die_if, said};
use super::container::{Container, StorageState, VolumeState};
use crate::Request;

/// Name of the node.
pub(super) const NODE: &str = "pve1";

/// The state of the node.
#[derive(Debug, Default)]
pub struct World {
    /// Names of other nodes that containers can be moved to, which answer nothing themselves.
    pub other_nodes: Vec<String>,
    /// Containers that were moved to another node, and its name.
    pub moved: BTreeMap<u32, (String, Container)>,
    /// Time since the node started.
    pub now: Duration,
    /// When the node started, in seconds since 1970.
    pub epoch: u64,
    /// Containers by VMID.
    pub containers: BTreeMap<u32, Container>,
    /// Storages by name.
    pub storages: BTreeMap<String, StorageState>,
    /// Pools by name, with their comment.
    pub pools: BTreeMap<String, String>,
    /// Bridges of the node.
    pub bridges: Vec<String>,
    /// Users, tokens, roles and the access control list.
    pub acl: Acl,
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
    pub(super) workers: Vec<TaskWorker>,
    pub(super) faults: Vec<Injection>,
    /// Requests that the node acts on later, and when.
    pub(super) deferred: Vec<(Duration, Arrived)>,
    pub(super) last_pid: u32,
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

    /// The worker that ends first by `now`, and when.
    pub(super) fn next_ending(&self, now: Duration) -> Option<(usize, Duration)> {
        let due = self.workers.iter().enumerate().filter(|(_, worker)| worker.is_due(now));
        due.map(|(index, worker)| (index, worker.ends_at)).min_by_key(|(_, at)| *at)
    }

    /// Lets the workers end that end by `now`.
    pub(super) fn end_workers(&mut self, now: Duration) {
        while let Some((index, at)) = self.next_ending(now) {
            self.now = self.now.max(at);
            self.end_worker(index);
        }
        self.now = self.now.max(now);
    }

    /// Every task that is not forgotten, with its exit status once it has ended.
    pub fn tasks(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.workers.iter().map(|worker| (worker.upid.as_str(), worker.exit()))
    }

    /// A guest of the cluster, and its node.
    pub(super) fn guest(&self, vmid: u32) -> Option<(&str, &Container)> {
        let moved = || self.moved.get(&vmid).map(|(node, container)| (node.as_str(), container));
        self.containers.get(&vmid).map(|container| (NODE, container)).or_else(moved)
    }

    /// The container, or what PVE says if there is none.
    pub(super) fn container(&self, vmid: u32) -> Result<&Container, Refusal> {
        self.containers.get(&vmid).ok_or_else(|| no_container(vmid))
    }

    /// The container to change, or what PVE says if there is none.
    pub(super) fn container_mut(&mut self, vmid: u32) -> Result<&mut Container, Refusal> {
        self.containers.get_mut(&vmid).ok_or_else(|| no_container(vmid))
    }

    /// The container if it is not locked.
    pub(super) fn unlocked(&mut self, vmid: u32) -> Result<&mut Container, Refusal> {
        let container = self.container_mut(vmid)?;
        let lock = container.lock().unwrap_or_default();
        die_if(!lock.is_empty(), said!("CT is locked ({lock})"))?;
        Ok(container)
    }

    /// The storage, or what PVE says if there is none or it cannot be reached.
    pub(super) fn storage(&self, name: &str) -> Result<&StorageState, Refusal> {
        let storage = self.storages.get(name).ok_or_else(|| said!("storage '{name}' does not exist"))?;
        die_if(!storage.is_active, said!("storage '{name}' is not online"))?;
        Ok(storage)
    }

    /// The volume of a whole id, `local:backup/...`.
    pub(super) fn volume(&self, id: &str) -> Option<&VolumeState> {
        let (storage, name) = id.split_once(':')?;
        self.storages.get(storage)?.volumes.get(name)
    }

    /// The same to change.
    pub(super) fn volume_mut(&mut self, id: &str) -> Option<&mut VolumeState> {
        let (storage, name) = id.split_once(':')?;
        self.storages.get_mut(storage)?.volumes.get_mut(name)
    }

    /// Puts a volume on a storage.
    pub(super) fn put(&mut self, storage: &str, name: &str, volume: VolumeState) {
        if let Some(storage) = self.storages.get_mut(storage) {
            storage.volumes.insert(name.into(), volume);
        }
    }
}

fn no_container(vmid: u32) -> Refusal {
    said!("Configuration file 'nodes/{NODE}/lxc/{vmid}.conf' does not exist").into()
}

/// Decides whether a fault strikes a request.
type Decide = dyn FnMut(&mut World, &Request) -> Option<Effect> + Send;

/// Decides at every request, before the node sees it, whether a fault strikes. It may also change the node.
pub struct Script(pub(super) Box<Decide>);

impl Script {
    /// A script that decides so.
    pub fn new(decide: impl FnMut(&mut World, &Request) -> Option<Effect> + Send + 'static) -> Self {
        Self(Box::new(decide))
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

/// What a worker does, or why it failed.
type Job = Box<dyn FnOnce(&mut World, &mut Log) -> Result<(), Refusal> + Send>;

/// The lines of a task's log.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    pub(super) lines: Vec<Said>,
    warnings: usize,
}

impl Log {
    pub(super) fn line(&mut self, text: Said) {
        self.lines.push(text);
    }

    /// The warning of a start and of a new container whose distribution PVE does not know.
    pub(super) fn warn_of_debian(&mut self) {
        let text = said!(
            "The container's Debian version '15' is newer than the tested version '14'. While everything may work \
             fine, full compatibility cannot be guaranteed. Please check for PVE system updates."
        );
        self.line(said!("WARN: {text}"));
        self.warnings += 1;
    }
}

/// A worker, running or ended.
pub(super) struct TaskWorker {
    pub(super) upid: String,
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) principal: Principal,
    pub(super) pid: u32,
    pub(super) pstart: u64,
    pub(super) started: u64,
    pub(super) ends_at: Duration,
    pub(super) log: Log,
    pub(super) state: WorkerState,
}

pub(super) enum WorkerState {
    Running(Job),
    /// The exit status, and when it ended.
    Ended(Said, u64),
}

impl fmt::Debug for TaskWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.upid, self.exit())
    }
}

/// The exit status of a worker that could not write how it ended.
fn unexpected() -> Said {
    said!("unexpected status")
}

impl TaskWorker {
    fn is_due(&self, now: Duration) -> bool {
        matches!(self.state, WorkerState::Running(_)) && self.ends_at <= now
    }

    pub(super) fn exit(&self) -> Option<&str> {
        match &self.state {
            WorkerState::Ended(exit, _) => Some(exit.as_str()),
            WorkerState::Running(_) => None,
        }
    }

    fn end(&mut self, result: Result<(), Refusal>, at: u64) {
        let (exit, line) = match (result, self.log.warnings) {
            (Ok(()), 0) => (said!("OK"), said!("TASK OK")),
            (Ok(()), warnings) => (said!("WARNINGS: {warnings}"), said!("TASK WARNINGS: {warnings}")),
            // A permission failure carries its status.
            (Err(Refusal { status: 403, message, .. }), _) => {
                (said!("403 {message}"), said!("TASK ERROR: 403 {message}"))
            }
            (Err(Refusal { message, .. }), _) => (message.clone(), said!("TASK ERROR: {message}")),
        };
        if exit != unexpected() {
            self.log.line(line);
        }
        self.state = WorkerState::Ended(exit, at);
    }
}

impl World {
    /// Starts a worker and returns its UPID. `begin` runs at once, `finish` when the worker ends.
    pub(super) fn spawn(
        &mut self,
        kind: &'static str,
        id: impl fmt::Display,
        principal: &Principal,
        begin: impl FnOnce(&mut Self, &mut Log) -> Result<(), Refusal>,
        finish: impl FnOnce(&mut Self, &mut Log) -> Result<(), Refusal> + Send + 'static,
    ) -> String {
        let mut worker = self.new_worker(kind, id.to_string(), principal);
        let upid = worker.upid.clone();
        match begin(self, &mut worker.log) {
            Ok(()) => worker.state = WorkerState::Running(Box::new(finish)),
            Err(refusal) => worker.end(Err(refusal), self.time()),
        }
        self.workers.push(worker);
        upid
    }

    fn new_worker(&mut self, kind: &'static str, id: String, principal: &Principal) -> TaskWorker {
        self.last_pid += 1;
        let (pid, started) = (2000 + self.last_pid, self.time());
        let pstart = u64::try_from(self.now.as_millis() / 10).unwrap_or_default().saturating_add(200_000);
        let who = principal.as_str();
        let lasts = self.durations.get(kind).copied().unwrap_or(Self::TASK);
        TaskWorker {
            upid: format!("UPID:{NODE}:{pid:08X}:{pstart:08X}:{started:08X}:{kind}:{id}:{who}:"),
            kind,
            id,
            principal: principal.clone(),
            pid,
            pstart,
            started,
            ends_at: self.now.saturating_add(lasts),
            log: Log::default(),
            state: WorkerState::Ended(unexpected(), started),
        }
    }

    pub(super) fn end_worker(&mut self, index: usize) {
        let at = self.time();
        let Some(worker) = self.workers.get_mut(index) else { return };
        let WorkerState::Running(job) = replace(&mut worker.state, WorkerState::Ended(unexpected(), at))
        else {
            return;
        };
        let mut log = take(&mut worker.log);
        let result = job(self, &mut log);
        if let Some(worker) = self.workers.get_mut(index) {
            worker.log = log;
            worker.end(result, at);
        }
    }

    /// Stops a worker as `DELETE tasks/UPID` does, or as a crash does.
    pub(super) fn stop_worker(&mut self, upid: &str, exit: Said) {
        let at = self.time();
        let mut running = self.workers.iter_mut().filter(|worker| worker.exit().is_none());
        if let Some(worker) = running.find(|worker| worker.upid == upid) {
            worker.end(Err(exit.into()), at);
        }
    }

    /// Kills the worker of a task, as a crash or the OOM killer would: its container stays locked.
    pub fn kill_task(&mut self, upid: &str) {
        self.stop_worker(upid, unexpected());
    }

    /// Forgets a task, as PVE does when its logs are rotated.
    pub fn forget_task(&mut self, upid: &str) {
        self.workers.retain(|worker| worker.upid != upid);
    }
}

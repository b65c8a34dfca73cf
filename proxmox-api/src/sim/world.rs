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
use core::time::Duration;

use super::answer::{Acl, Deferred, Effect, Fault, Principal, Refusal};
use super::container::{Container, Storage};
use super::sentence::{self, Said, Sentence};
use crate::Request;

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

/// What a worker does: returns its warnings, or why it failed.
pub(super) type Job = Box<dyn FnOnce(&mut World, &mut Log) -> Result<(), Said> + Send>;

/// The lines of a task's log.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    pub(super) lines: Vec<Said>,
    pub(super) warnings: usize,
}

impl Log {
    pub(super) fn line(&mut self, text: impl Into<Said>) {
        self.lines.push(text.into());
    }

    pub(super) fn warn(&mut self, text: Sentence) {
        self.line(sentence::LOG_WARNING.of(&[&Said::from(text)]));
        self.warnings += 1;
    }
}

/// A worker, running or ended.
pub(super) struct Worker {
    pub(super) upid: String,
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) principal: Principal,
    pub(super) pid: u32,
    pub(super) pstart: u64,
    pub(super) started: u64,
    pub(super) ends_at: Duration,
    pub(super) log: Log,
    pub(super) state: State,
}

pub(super) enum State {
    Running(Job),
    /// The exit status, and when it ended.
    Ended(Said, u64),
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.upid, self.exit())
    }
}

impl Worker {
    pub(super) fn is_due(&self, now: Duration) -> bool {
        matches!(self.state, State::Running(_)) && self.ends_at <= now
    }

    pub(super) fn exit(&self) -> Option<&str> {
        match &self.state {
            State::Ended(exit, _) => Some(exit.as_str()),
            State::Running(_) => None,
        }
    }

    fn end(&mut self, result: Result<(), Said>, at: u64) {
        let (exit, line) = match (result, self.log.warnings) {
            (Ok(()), 0) => (sentence::OK.into(), Some(sentence::LOG_OK.into())),
            (Ok(()), warnings) => {
                let counted = |sentence: Sentence| sentence.of(&[&warnings]);
                (counted(sentence::WARNINGS), Some(counted(sentence::LOG_WARNINGS)))
            }
            (Err(text), _) if text == sentence::UNEXPECTED.into() => (text, None),
            (Err(text), _) => (text.clone(), Some(sentence::LOG_ERROR.of(&[&text]))),
        };
        if let Some(line) = line {
            self.log.line(line);
        }
        self.state = State::Ended(exit, at);
    }
}

impl World {
    /// Starts a worker and returns its UPID. `begin` runs at once, `finish` when the worker ends.
    pub(super) fn spawn(
        &mut self,
        kind: &'static str,
        id: &dyn fmt::Display,
        principal: &Principal,
        begin: impl FnOnce(&mut Self, &mut Log) -> Result<(), Refusal>,
        finish: impl FnOnce(&mut Self, &mut Log) -> Result<(), Refusal> + Send + 'static,
    ) -> String {
        let mut worker = self.new_worker(kind, id.to_string(), principal);
        let upid = worker.upid.clone();
        match begin(self, &mut worker.log) {
            Ok(()) => {
                let run: Job =
                    Box::new(|world, log| finish(world, log).map_err(|refusal| exit_text(&refusal)));
                worker.state = State::Running(run);
            }
            Err(refusal) => worker.end(Err(exit_text(&refusal)), self.time()),
        }
        self.workers.push(worker);
        upid
    }

    /// Starts a worker that has nothing to check when it begins.
    pub(super) fn spawn_job(
        &mut self,
        kind: &'static str,
        id: &dyn fmt::Display,
        principal: &Principal,
        finish: impl FnOnce(&mut Self, &mut Log) -> Result<(), Refusal> + Send + 'static,
    ) -> String {
        self.spawn(kind, id, principal, |_, _| Ok(()), finish)
    }

    fn new_worker(&mut self, kind: &'static str, id: String, principal: &Principal) -> Worker {
        self.next_pid += 1;
        let (pid, started) = (self.next_pid, self.time());
        let pstart = u64::try_from(self.now.as_millis() / 10).unwrap_or_default().saturating_add(200_000);
        let upid = format!(
            "UPID:{}:{pid:08X}:{pstart:08X}:{started:08X}:{kind}:{id}:{}:",
            self.node,
            principal.as_str()
        );
        let lasts = self.durations.get(kind).copied().unwrap_or(Self::TASK);
        Worker {
            upid,
            kind,
            id,
            principal: principal.clone(),
            pid,
            pstart,
            started,
            ends_at: self.now.saturating_add(lasts),
            log: Log::default(),
            state: State::Ended(sentence::UNEXPECTED.into(), started),
        }
    }

    pub(super) fn end_worker(&mut self, index: usize) {
        let at = self.time();
        let Some(worker) = self.workers.get_mut(index) else { return };
        let state = core::mem::replace(&mut worker.state, State::Ended(sentence::UNEXPECTED.into(), at));
        let State::Running(job) = state else { return };
        let mut log = core::mem::take(&mut worker.log);
        let result = job(self, &mut log);
        if let Some(worker) = self.workers.get_mut(index) {
            worker.log = log;
            worker.end(result, at);
        }
    }

    /// Stops a worker as `DELETE tasks/UPID` does, or as a crash does.
    pub(super) fn stop_worker(&mut self, upid: &str, exit: &Said) {
        let at = self.time();
        if let Some(worker) =
            self.workers.iter_mut().find(|worker| worker.upid == upid && worker.exit().is_none())
        {
            worker.end(Err(exit.clone()), at);
        }
    }

    /// Kills the worker of a task, as a crash or the OOM killer would: its container stays locked.
    pub fn kill_task(&mut self, upid: &str) {
        // A worker that was killed could not write how it ended.
        self.stop_worker(upid, &sentence::UNEXPECTED.into());
    }

    /// Forgets a task, as PVE does when its logs are rotated.
    pub fn forget_task(&mut self, upid: &str) {
        self.workers.retain(|worker| worker.upid != upid);
    }
}

/// A refusal inside a worker: permission failures carry their status.
fn exit_text(refusal: &Refusal) -> Said {
    let text = refusal.message();
    if refusal.is_permission() { sentence::FORBIDDEN.of(&[text]) } else { text.clone() }
}

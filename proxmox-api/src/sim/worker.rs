//! Workers: what runs behind a UPID.
//!
//! A worker checks once when it begins, as PVE's do after the UPID was returned, and takes effect when it ends.
//!
//! Source: pve-common `PVE/RESTEnvironment.pm`, `fork_worker`.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::acl::Principal;
use super::answer::Refusal;
use super::sentence::{self, Said, Sentence};
use super::world::World;

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

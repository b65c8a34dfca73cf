//! Where an exercise works, and how it waits there.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use proxmox_api::{Client, Ended, Error, Lxc, Patience};
use proxmox_types::{Upid, Vmid};
use serde::Serialize;
use tokio::time::Instant;

use super::progress::Progress;
use crate::config::Config;
use crate::process::interrupt::Interrupt;

/// How long a run may go on after the first signal, to let a task end and to undo. systemd waits for 90 s. A task is
/// never stopped: a rollback that is stopped leaves a lock that only root can take away.
pub(super) const LENIENCE: Duration = Duration::from_mins(1);

/// Where an exercise works.
#[derive(Debug)]
pub struct Site<'c> {
    /// What is configured.
    pub config: &'c Config,
    /// The client.
    pub client: &'c Client,
    /// How long a task may take.
    pub task_timeout: Duration,
    /// Tells what the journal says of time.
    pub clock: fn() -> SystemTime,
    /// How progress is shown.
    pub progress: Progress,
    /// Whether the run shall end.
    pub interrupt: Interrupt,
    /// The tasks so far.
    pub tasks: Vec<TaskRun>,
}

/// A task that was waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskRun {
    /// The task.
    pub upid: Upid,
    /// `OK`, the warnings, or what went wrong.
    pub status: String,
    /// How long it was waited for.
    pub duration_ms: u64,
    /// How often its status was asked for.
    pub polls: u32,
}

impl<'c> Site<'c> {
    /// A container of the node.
    pub fn lxc(&self, vmid: Vmid) -> Lxc<'c> {
        self.client.node(&self.config.node).lxc(vmid)
    }

    /// Waits for a task, and shows the last line of its log.
    pub async fn follow(&mut self, step: &str, upid: &Upid) -> Result<Ended, Error> {
        let start = Instant::now();
        let run = TaskRun { upid: upid.clone(), status: "not waited for".into(), duration_ms: 0, polls: 0 };
        self.tasks.push(run);
        let ended = self.wait(step, upid).await;
        if let Some(run) = self.tasks.last_mut() {
            (run.status, run.polls) = match &ended {
                Ok(ended) if ended.warnings > 0 => (format!("WARNINGS: {}", ended.warnings), ended.polls),
                Ok(ended) => ("OK".into(), ended.polls),
                Err(Error::TaskFailed { exit, .. }) => (exit.to_string(), 0),
                Err(error) => (error.to_string(), 0),
            };
            run.duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        }
        ended
    }

    async fn wait(&self, step: &str, upid: &Upid) -> Result<Ended, Error> {
        let last = Arc::new(Mutex::new(String::new()));
        let keep = last.clone();
        let mut line = move |text: &str| *keep.lock().unwrap_or_else(PoisonError::into_inner) = text.into();
        let (task, patience) = (self.client.task(upid), Patience::new(self.task_timeout));
        // Only a terminal shows the log while it grows.
        let mut wait: Pin<Box<dyn Future<Output = _>>> = match self.progress {
            Progress::Terminal => Box::pin(task.wait_with_log(patience, &mut line)),
            Progress::Silent | Progress::Lines => Box::pin(task.wait(patience)),
        };
        let mut shown = self.progress.resume(step, upid);
        let mut ticks = tokio::time::interval(self.progress.interval());
        ticks.reset();
        loop {
            tokio::select! {
                biased;
                ended = &mut wait => return ended,
                _ = ticks.tick() => shown.again(&last.lock().unwrap_or_else(PoisonError::into_inner)),
            }
        }
    }
}

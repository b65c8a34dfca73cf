//! Where an exercise works, and how it waits there.

use std::time::{Duration, Instant, SystemTime};

use proxmox_api::{Client, Ended, Error, Lxc, Patience};
use proxmox_types::{Upid, Vmid};
use serde::Serialize;

use crate::config::Config;
use crate::diagnosis::call_failed;
use crate::process::interrupt::Interrupt;
use crate::report::finding::Finding;
use crate::report::progress::Progress;

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

    /// What is said of a call that failed.
    pub fn failed(&self, error: &Error) -> Box<Finding> {
        Box::new(call_failed(self.config, error))
    }

    /// Waits for a task, whose log is the last word of the progress.
    pub async fn follow(&mut self, upid: &Upid) -> Result<Ended, Error> {
        let start = Instant::now();
        let run = TaskRun { upid: upid.clone(), status: "not waited for".into(), duration_ms: 0, polls: 0 };
        self.tasks.push(run);
        let ended = self.wait(upid).await;
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

    async fn wait(&self, upid: &Upid) -> Result<Ended, Error> {
        let (progress, task) = (&self.progress, self.client.task(upid));
        let mut hear = |line: &str| {
            progress.hear(&format!("{} {} {}  {line}", upid.node(), upid.worker_type(), upid.id()));
        };
        hear("");
        let patience = Patience::new(self.task_timeout);
        // Only a terminal shows the log while it grows.
        if progress.is_terminal() {
            task.wait_with_log(patience, &mut hear).await
        } else {
            task.wait(patience).await
        }
    }
}

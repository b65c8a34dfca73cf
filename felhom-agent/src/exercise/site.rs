//! Where an exercise works, and how it waits there.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use proxmox_api::{Client, Ended, Error, Lxc, Patience};
use proxmox_types::{NodeName, Upid, Vmid};
use serde::Serialize;
use tokio::time::sleep_until;

use super::progress::Progress;
use crate::interrupt::Interrupt;

/// How long a task may go on after an interruption before it is stopped.
const LENIENCE: Duration = Duration::from_secs(30);

/// Where an exercise works.
#[derive(Debug)]
pub struct Site<'c> {
    /// The client.
    pub client: &'c Client,
    /// The node.
    pub node: &'c NodeName,
    /// How long a task may take.
    pub task_timeout: Duration,
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

/// Why a task was not waited for to its end.
#[derive(Debug)]
pub enum Unfinished {
    /// It failed, or its end could not be learnt.
    Failed(Error),
    /// The second signal has arrived.
    GivenUp,
}

impl<'c> Site<'c> {
    /// A container of the node.
    pub fn lxc(&self, vmid: Vmid) -> Lxc<'c> {
        self.client.node(self.node).lxc(vmid)
    }

    /// Waits for a task, and shows the last line of its log.
    ///
    /// After the first signal it may go on for 30 s and is then stopped; the second signal ends the wait.
    pub async fn follow(&mut self, step: &str, upid: &Upid) -> Result<Ended, Unfinished> {
        let start = Instant::now();
        let ended = self.wait(step, upid).await;
        let (status, polls) = match &ended {
            Ok(ended) if ended.warnings > 0 => (format!("WARNINGS: {}", ended.warnings), ended.polls),
            Ok(ended) => ("OK".into(), ended.polls),
            Err(Unfinished::Failed(Error::TaskFailed { exit, .. })) => (exit.to_string(), 0),
            Err(Unfinished::Failed(error)) => (error.to_string(), 0),
            Err(Unfinished::GivenUp) => ("not waited for".into(), 0),
        };
        let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.tasks.push(TaskRun { upid: upid.clone(), status, duration_ms, polls });
        ended
    }

    async fn wait(&mut self, step: &str, upid: &Upid) -> Result<Ended, Unfinished> {
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
        let (mut first, mut second) = (self.interrupt.clone(), self.interrupt.clone());
        let mut stop_at: Option<Instant> = None;
        let mut is_stopped = false;
        loop {
            let limit = stop_at.unwrap_or_else(Instant::now);
            tokio::select! {
                biased;
                ended = &mut wait => return ended.map_err(Unfinished::Failed),
                _ = second.nth(2) => return Err(Unfinished::GivenUp),
                _ = first.nth(1), if stop_at.is_none() => stop_at = Some(Instant::now() + LENIENCE),
                () = sleep_until(limit.into()), if stop_at.is_some() && !is_stopped => {
                    is_stopped = true;
                    // Whether it worked shows in how the task ends.
                    let _asked = task.stop().await;
                }
                _ = ticks.tick() => shown.again(&last.lock().unwrap_or_else(PoisonError::into_inner)),
            }
        }
    }
}

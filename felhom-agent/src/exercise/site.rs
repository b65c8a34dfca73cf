//! Where an exercise works, how it waits there, and how that is shown on stderr: in one line that is rewritten on a
//! terminal, in plain lines in a pipe, not at all if it is not wanted.

use std::future::Future;
use std::io::{IsTerminal, Write, stderr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use proxmox_api::{Client, Ended, Error, Lxc, Patience};
use proxmox_types::{Upid, Vmid, redact};
use serde::Serialize;

use crate::config::{Config, Environment};
use crate::process::interrupt::Interrupt;
use crate::report::finding::Status;
use crate::report::terminal::plain;

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

/// Frames of the wheel.
const WHEEL: [char; 4] = ['|', '/', '-', '\\'];

/// Columns, where the terminal does not say how many it has.
const COLUMNS: usize = 80;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not at all.
    Silent,
    /// A line per step, one more every ten seconds, one at its end.
    Lines,
    /// One line, rewritten ten times a second.
    Terminal,
}

/// A step that is shown.
#[derive(Debug)]
pub struct Shown {
    progress: Progress,
    step: String,
    start: Instant,
    frame: usize,
}

impl Progress {
    /// As stderr is, unless nothing is wanted; in lines where log lines stand between.
    pub fn of_stderr(is_quiet: bool, is_logged: bool, environment: &Environment) -> Self {
        let is_terminal = stderr().is_terminal() && !is_logged && environment.get("TERM") != Some("dumb");
        match (is_quiet, is_terminal) {
            (true, _) => Self::Silent,
            (false, true) => Self::Terminal,
            (false, false) => Self::Lines,
        }
    }

    /// How often a step that takes long is shown again.
    pub const fn interval(self) -> Duration {
        match self {
            Self::Terminal => Duration::from_millis(100),
            Self::Silent | Self::Lines => Duration::from_secs(10),
        }
    }

    /// Shows that a step begins.
    pub fn begin(self, step: &str) -> Shown {
        let shown = Shown { progress: self, step: step.into(), start: Instant::now(), frame: 0 };
        if self == Self::Lines {
            write(&format!("{step}\n"));
        }
        shown
    }

    /// Shows a step that has begun, by its task.
    pub fn resume(self, step: &str, upid: &Upid) -> Shown {
        let step = format!("{step}  {} {} {}", upid.node(), upid.worker_type(), upid.id());
        Shown { progress: self, step, start: Instant::now(), frame: 0 }
    }

    /// Says something that is no step.
    pub fn say(self, text: &str) {
        match self {
            Self::Silent => {}
            Self::Lines => write(&format!("{text}\n")),
            Self::Terminal => write(&format!("\r\x1b[2K{text}\n")),
        }
    }
}

impl Drop for Shown {
    /// The line of a terminal is for what goes on.
    fn drop(&mut self) {
        if self.progress == Progress::Terminal {
            write("\r\x1b[2K");
        }
    }
}

impl Shown {
    /// Shows how long it takes already, and the last line of its log.
    pub fn again(&mut self, last: &str) {
        let seconds = self.start.elapsed().as_secs();
        let line = format!("{}  {:02}:{:02}  {}", self.step, seconds / 60, seconds % 60, plain(last));
        match self.progress {
            Progress::Silent => {}
            Progress::Lines => write(&format!("{line}\n")),
            Progress::Terminal => {
                self.frame += 1;
                let wheel = WHEEL.get(self.frame % WHEEL.len()).copied().unwrap_or_default();
                let line: String = line.chars().take(columns().saturating_sub(3)).collect();
                write(&format!("\r\x1b[2K{wheel} {line}"));
            }
        }
    }

    /// Shows how it ended.
    pub fn end(self, status: Status) {
        match self.progress {
            Progress::Silent | Progress::Terminal => {}
            Progress::Lines => {
                let took = self.start.elapsed().as_secs_f64();
                write(&format!("{}  {} after {took:.1} s\n", self.step, status.label()));
            }
        }
    }
}

fn columns() -> usize {
    rustix::termios::tcgetwinsize(stderr()).map_or(COLUMNS, |size| match size.ws_col {
        0 => COLUMNS,
        columns => columns.into(),
    })
}

fn write(text: &str) {
    // Progress that cannot be shown is no reason to stop.
    let _written = stderr().write_all(redact(text).as_bytes());
}

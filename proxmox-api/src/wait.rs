//! Waiting for a worker to end, and judging how it ended.
//!
//! PVE has no way to be told, so the status is polled: often at first, then at a tenth of the time already waited, so
//! that the overhead stays proportional to the task's own length.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

use proxmox_types::params::LogRange;
use proxmox_types::{ExitStatus, TaskState, TaskStatus, Upid};
use tracing::debug;

use crate::error::classify::classify_exit;
use crate::error::{Error, TaskFailedSnafu, TaskStillRunningSnafu, TaskUnknownSnafu};
use crate::{Cause, Client, Started, Task, Thing};

/// Lines of a log that are joined to a failure.
const TAIL: u64 = 20;

/// Lines of a log that are read at once.
const PAGE: u64 = 500;

/// How long a page of a log may take, and how long is tried to read on in the log of a task that has ended: how it ended
/// is known by then, and is not held up for longer.
const LOG_READ: Duration = Duration::from_secs(3);

/// Pages that are read between two polls, at most.
const MOST_PAGES: u32 = 100;

/// How long a UPID may be unknown after the worker was started: the list is written after the answer.
const SETTLING: Duration = Duration::from_secs(2);

/// How long polls may fail in a row, so that a restart of pveproxy, or a boot, is survived.
const OUTAGE: Duration = Duration::from_mins(1);

/// How long to wait for a worker, and how often to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    total: Duration,
}

impl Patience {
    /// The shortest and the longest pause between two polls. Beyond 5 s each poll would cost a TLS handshake.
    const SHORTEST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(2);

    /// Waits this long at most.
    pub const fn new(total: Duration) -> Self {
        Self { total }
    }

    /// The pause after this much time was waited: a tenth of it, within bounds and never beyond the end.
    pub(crate) fn pause(self, waited: Duration) -> Duration {
        (waited / 10).clamp(Self::SHORTEST, Self::LONGEST).min(self.total.saturating_sub(waited))
    }
}

impl Default for Patience {
    /// Ten minutes.
    fn default() -> Self {
        Self::new(Duration::from_mins(10))
    }
}

/// The good end of a call: it was done, perhaps with warnings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ended {
    /// The task, if there was one.
    pub upid: Option<Upid>,
    /// How many warnings it gave.
    pub warnings: u64,
    /// The lines of the warnings, as far as the last 500 lines of the log hold them.
    pub warning_lines: Vec<String>,
    /// Whether there was nothing to do: of a backup, that none was made, since no chosen guest is on this node.
    pub had_nothing_to_do: bool,
    /// How often its status was asked for.
    pub polls: u32,
    /// How long it was waited for.
    pub waited: Duration,
}

impl Client {
    /// Waits until what was started has ended. A call that was done when it was answered has ended already.
    ///
    /// Takes what any changing call returns, so that every operation is the same two lines.
    /// Dropping the future stops asking and leaves the task alone.
    pub async fn wait(&self, started: impl Into<Started>, patience: Patience) -> Result<Ended, Error> {
        match started.into() {
            Started::Task(upid) => self.task(&upid).wait(patience).await,
            Started::Done => Ok(Ended::default()),
            Started::Nothing => Ok(Ended { had_nothing_to_do: true, ..Ended::default() }),
        }
    }
}

impl Task<'_> {
    /// Waits until the worker has ended, and judges its exit status.
    ///
    /// `OK` and `WARNINGS: n` are success. Everything else is [`Error::TaskFailed`] with the last lines of the log, but
    /// an unexpected status and a UPID that vanished are [`Error::TaskUnknown`]. Running out of patience is
    /// [`Error::TaskStillRunning`]; wait again to go on. Refused and reset connections and 595 to 599 are survived; a
    /// 401 or 403 ends the wait with [`Error::TaskUnwatched`].
    pub async fn wait(self, patience: Patience) -> Result<Ended, Error> {
        self.follow(patience, &mut |_| {}, false).await
    }

    /// Waits as [`Task::wait`] does, and gives every line of the log to `line`, the last ones included.
    pub async fn wait_with_log(
        self,
        patience: Patience,
        line: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Ended, Error> {
        self.follow(patience, line, true).await
    }

    async fn follow(
        self,
        patience: Patience,
        line: &mut (dyn FnMut(&str) + Send),
        wants_log: bool,
    ) -> Result<Ended, Error> {
        let mut watch = Watch::new(self);
        let mut seen = 0;
        loop {
            let status = watch.poll().await?;
            let stopped = status.as_ref().is_some_and(|status| status.state == TaskState::Stopped);
            if wants_log && status.is_some() {
                // The status comes first: what the log holds after "stopped" is all that it will ever hold.
                self.drain(&mut seen, line, if stopped { LOG_READ } else { Duration::ZERO }).await;
            }
            if let Some(status) = status.filter(|_| stopped) {
                return watch.judge(status).await;
            }
            let waited = watch.waited();
            if waited >= patience.total {
                return watch.give_up(waited);
            }
            self.client.pause(patience.pause(waited)).await;
        }
    }

    /// Gives the lines after the first `seen` to `line`. A page that cannot be read is tried again for that long.
    async fn drain(self, seen: &mut u64, line: &mut (dyn FnMut(&str) + Send), patience: Duration) {
        let mut progress = self.client.now();
        for _ in 0..MOST_PAGES {
            let range = LogRange { start: Some(*seen), limit: Some(PAGE) };
            let page = match within(self.client, LOG_READ, self.log(&range).into_future()).await {
                Some(Ok(page)) => page,
                Some(Err(_)) | None if self.client.now().saturating_sub(progress) >= patience => return,
                Some(Err(_)) | None => {
                    self.client.pause(Patience::SHORTEST).await;
                    continue;
                }
            };
            let rows = page.rows.into_iter().filter(|row| !is_placeholder(page.total, &row.t));
            let texts: Vec<String> = rows.map(|row| row.t).collect();
            for text in &texts {
                line(text);
            }
            let read = u64::try_from(texts.len()).unwrap_or_default();
            *seen = seen.saturating_add(read);
            // PVE gives as many lines as it is asked for, as long as there are some.
            if read < PAGE {
                return;
            }
            progress = self.client.now();
        }
    }

    /// The last lines of the log of a task that has ended, if they can be read soon.
    async fn tail(self, lines: u64) -> Vec<String> {
        within(self.client, LOG_READ, self.log_tail(lines)).await.unwrap_or_default()
    }

    /// Reads the last lines of the log; none if it cannot be read.
    pub async fn log_tail(self, lines: u64) -> Vec<String> {
        let Ok(first) = self.log(&LogRange { start: None, limit: Some(1) }).await else { return Vec::new() };
        let range = LogRange { start: Some(first.total.saturating_sub(lines)), limit: Some(lines) };
        let Ok(page) = self.log(&range).await else { return Vec::new() };
        page.rows.into_iter().filter(|row| !is_placeholder(page.total, &row.t)).map(|row| row.t).collect()
    }
}

/// What a future returns, if it does so within that time.
async fn within<T>(client: &Client, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut pause) = (pin!(future), pin!(client.pause(limit)));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => pause.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// Whether a line is not of the log: PVE prints these for an empty and for a missing one.
fn is_placeholder(total: u64, text: &str) -> bool {
    total == 1 && (text == "no content" || text.starts_with("unable to open file - "))
}

/// One wait.
struct Watch<'a> {
    task: Task<'a>,
    start: Duration,
    last_answer: Duration,
    polls: u32,
    last_error: Option<Error>,
}

impl<'a> Watch<'a> {
    fn new(task: Task<'a>) -> Self {
        let start = task.client.now();
        Self { task, start, last_answer: start, polls: 0, last_error: None }
    }

    fn waited(&self) -> Duration {
        self.task.client.now().saturating_sub(self.start)
    }

    /// Asks once. Nothing if the answer may come later.
    async fn poll(&mut self) -> Result<Option<TaskStatus>, Error> {
        self.polls += 1;
        match self.task.status().await {
            Ok(status) => {
                self.last_answer = self.task.client.now();
                self.last_error = None;
                Ok(Some(status))
            }
            Err(error) => self.bear(error),
        }
    }

    /// Bears an error that may pass, and gives up on any other.
    fn bear(&mut self, error: Error) -> Result<Option<TaskStatus>, Error> {
        let upid = self.task.upid;
        let outage = self.task.client.now().saturating_sub(self.last_answer);
        let passes = match (&error, error.cause()) {
            (Error::Transport { .. }, _) | (_, Some(Cause::Gateway { .. })) => outage < OUTAGE,
            (_, Some(Cause::NotFound { what: Thing::Task, .. })) => {
                if self.waited() >= SETTLING {
                    let reason = "the server does not know it any more; look at what it was to change";
                    return TaskUnknownSnafu { upid: upid.clone(), reason }.fail();
                }
                true
            }
            _ => false,
        };
        if passes {
            debug!(%upid, %error, polls = self.polls, "poll failed");
            self.last_error = Some(error);
            return Ok(None);
        }
        Err(Error::TaskUnwatched { upid: upid.clone(), source: Box::new(error) })
    }

    fn give_up(self, waited: Duration) -> Result<Ended, Error> {
        let upid = self.task.upid.clone();
        match self.last_error {
            Some(error) => Err(Error::TaskUnwatched { upid, source: Box::new(error) }),
            None => TaskStillRunningSnafu { upid, waited }.fail(),
        }
    }

    async fn judge(self, status: TaskStatus) -> Result<Ended, Error> {
        let (upid, waited, polls) = (self.task.upid.clone(), self.waited(), self.polls);
        debug!(%upid, exit = ?status.exitstatus, polls, ?waited, "task ended");
        let ended = |warnings, warning_lines| Ended {
            upid: Some(upid.clone()),
            warnings,
            warning_lines,
            polls,
            waited,
            ..Ended::default()
        };
        match status.exitstatus {
            Some(ExitStatus::Ok) => Ok(ended(0, Vec::new())),
            Some(ExitStatus::Warnings(count)) => {
                let tail = self.task.tail(PAGE).await;
                let lines =
                    tail.iter().filter_map(|line| line.strip_prefix("WARN: ")).map(ToString::to_string);
                Ok(ended(count, lines.collect()))
            }
            Some(ExitStatus::Failed(exit)) => {
                let log_tail = self.task.tail(TAIL).await;
                let cause = classify_exit(&exit, &log_tail);
                TaskFailedSnafu { upid, exit, cause, log_tail }.fail()
            }
            Some(ExitStatus::Unexpected | ExitStatus::Unreadable(_)) | None => {
                let reason = "its worker ended without saying how; look at what it was to change";
                TaskUnknownSnafu { upid, reason }.fail()
            }
        }
    }
}

//! Waiting for a worker to end, and judging how it ended.
//!
//! PVE has no way to be told, so the state is polled: often at first, then at a tenth of the time already waited, so that
//! the overhead stays proportional to the task's own length. Who waits alone asks for the task's own status; several who
//! wait on a node share one list of its tasks.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use proxmox_types::{ExitStatus, TaskState, TaskStatus, Upid, clean};
use tracing::debug;

use super::board::{News, TaskBoard, TaskList, Ticket};
use super::log::{LOG_READ, PAGE, said};
use super::patience::{Patience, may_pass};
use super::started::Started;
use crate::error::classify::classify_exit;
use crate::error::text::{LONGEST_TEXT, last_lines};
use crate::error::{DecodeSnafu, Error, TaskFailedSnafu, TaskStillRunningSnafu, TaskUnknownSnafu};
use crate::{Cause, Client, Task, Thing};

/// Lines of a log that are joined to a failure.
const TAIL: u64 = 20;

/// How long a UPID may be unknown after the worker was started: the list is written after the answer.
const SETTLING: Duration = Duration::from_secs(2);

/// How long polls may fail in a row, so that a restart of pveproxy, or a boot, is survived.
const OUTAGE: Duration = Duration::from_mins(1);

/// How long somebody else's question is waited for: as long as a read may take. Whoever asks may be a future that nobody
/// polls any more.
const TURN_LIMIT: Duration = Duration::from_secs(6);

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
    /// Whether there was nothing to do: of a backup, that none was made, since no chosen guest is on this node or none
    /// is shown to the token.
    pub had_nothing_to_do: bool,
    /// How often was looked whether it runs, by its own status or in the list of tasks.
    pub polls: u32,
    /// How long it was waited for.
    pub waited: Duration,
}

impl Client {
    /// Waits until what was started has ended. A call that was done when it was answered has ended already.
    ///
    /// Takes what any changing call returns, so that every operation is the same two lines.
    /// Dropping the future stops asking and leaves the task alone.
    ///
    /// ```
    /// # use proxmox_api::*; sim::example(async |client, node, ct| {
    /// let upid = ct.start().await?;
    /// let ended = client.wait(upid, Patience::default()).await?;
    /// assert!(ended.polls > 0);
    /// # Ok(()) });
    /// ```
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
    /// [`Error::TaskStillRunning`]; wait again to go on. Whatever may pass is survived for a minute: connections that fail,
    /// any status but 4xx, 408 and 429, and answers that make no sense. Every other 4xx would be said again, and ends the
    /// wait with [`Error::TaskUnwatched`].
    pub async fn wait(self, patience: Patience) -> Result<Ended, Error> {
        self.follow(patience, &mut |_| {}, false).await
    }

    /// Waits as [`Task::wait`] does, and gives every line of the log to `line`, the last ones included.
    ///
    /// ```
    /// # use proxmox_api::*; sim::example(async |client, node, ct| {
    /// let upid = ct.start().await?;
    /// let mut print = |line: &str| println!("{line}");
    /// client.task(&upid).wait_with_log(Patience::default(), &mut print).await?;
    /// # Ok(()) });
    /// ```
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
        let mut watch = Watch::new(self, patience).await;
        let mut seen = 0;
        loop {
            let state = watch.poll().await?;
            let stopped = matches!(state, PollResult::Ended(_));
            if wants_log && !matches!(state, PollResult::Nothing) {
                // The status comes first: what the log holds after "stopped" is all that it will ever hold.
                self.drain(&mut seen, line, if stopped { LOG_READ } else { Duration::ZERO }).await;
            }
            if let PollResult::Ended(exit) = state {
                return watch.judge(exit).await;
            }
            let waited = watch.waited();
            if waited >= patience.total() {
                return watch.give_up(waited);
            }
            self.client.pause(watch.until_due()).await;
        }
    }
}

/// What a poll tells.
enum PollResult {
    Running,
    /// It has ended, in this way if it says how.
    Ended(Option<ExitStatus>),
    /// Nothing; a later one may.
    Nothing,
}

impl From<TaskStatus> for PollResult {
    fn from(status: TaskStatus) -> Self {
        if status.state == TaskState::Stopped { Self::Ended(status.exitstatus) } else { Self::Running }
    }
}

/// One wait.
struct Watch<'a> {
    task: Task<'a>,
    patience: Patience,
    board: Arc<TaskBoard>,
    #[expect(dead_code, reason = "dropping it is leaving the board")]
    ticket: Arc<Ticket>,
    start: Duration,
    /// When what was seen last was so.
    seen: Duration,
    last_answer: Duration,
    polls: u32,
    last_error: Option<Error>,
}

impl<'a> Watch<'a> {
    async fn new(task: Task<'a>, patience: Patience) -> Self {
        let start = task.client.now();
        let board = task.client.board(task.upid.node()).await;
        let ticket = board.join(task.upid).await;
        Self {
            task,
            patience,
            board,
            ticket,
            start,
            seen: start,
            last_answer: start,
            polls: 0,
            last_error: None,
        }
    }

    fn waited(&self) -> Duration {
        self.task.client.now().saturating_sub(self.start)
    }

    /// How long until what was seen last is too old.
    fn until_due(&self) -> Duration {
        let pause = self.patience.pause(self.waited(), !self.board.has_one());
        self.seen.saturating_add(pause).saturating_sub(self.task.client.now())
    }

    /// Looks once, at the list if others wait as well.
    async fn poll(&mut self) -> Result<PollResult, Error> {
        self.polls += 1;
        let client = self.task.client;
        let news = if self.board.has_one() { News::Useless } else { self.news().await };
        let (at, seen) = match news {
            News::Running(at) => (at, PollResult::Running),
            News::Ended(exit) => (client.now(), PollResult::Ended(Some(exit))),
            News::Silent(at) if self.may_be_silent() => {
                self.seen = at;
                return Ok(PollResult::Nothing);
            }
            News::Silent(_) | News::Useless => return self.ask().await,
        };
        self.seen = at;
        self.last_answer = client.now();
        self.last_error = None;
        Ok(seen)
    }

    /// What the list of those who wait says; asks for the next one if it holds nothing new.
    async fn news(&self) -> News {
        let (client, upid) = (self.task.client, self.task.upid);
        let (Ok(node), Some(mut list)) =
            (upid.node().parse(), client.within(TURN_LIMIT, self.board.list()).await)
        else {
            return News::Useless;
        };
        if list.is_older(self.seen) {
            let filter = self.board.filter().await;
            let asked = client.now();
            let page = client.node(&node).tasks().with(filter).await;
            let answer = page.map(|page| (page.rows, page.total));
            *list = TaskList::new(asked, client.now(), answer);
        }
        list.news(upid, self.start)
    }

    /// Whether a list without an answer may be left at that: neither is this the last look, nor has it been so for long.
    fn may_be_silent(&self) -> bool {
        let since = self.task.client.now().saturating_sub(self.last_answer);
        since < SETTLING && self.waited() < self.patience.total()
    }

    /// Asks for the task's own status.
    async fn ask(&mut self) -> Result<PollResult, Error> {
        let answer = self.task.status().await.and_then(|status| self.own(status));
        self.seen = self.task.client.now();
        match answer {
            Ok(status) => {
                self.last_answer = self.seen;
                self.last_error = None;
                Ok(status.into())
            }
            Err(error) => self.tolerate(error).map(|()| PollResult::Nothing),
        }
    }

    /// A status that is about this task.
    fn own(&self, status: TaskStatus) -> Result<TaskStatus, Error> {
        if status.upid == *self.task.upid {
            return Ok(status);
        }
        let request = self.task.status().request().line();
        DecodeSnafu { request, path: "data.upid", reason: "it is another task" }.fail()
    }

    /// Tolerates an error that may pass, and gives up on any other.
    fn tolerate(&mut self, error: Error) -> Result<(), Error> {
        let upid = self.task.upid;
        let outage = self.task.client.now().saturating_sub(self.last_answer);
        let passes = if is_unknown(&error) {
            if self.waited() >= SETTLING {
                let reason = "the server does not know it any more; look at what it was to change";
                return TaskUnknownSnafu { upid: upid.clone(), reason }.fail();
            }
            true
        } else {
            may_pass(&error) && outage < OUTAGE
        };
        if passes {
            debug!(%upid, %error, polls = self.polls, "poll failed");
            self.last_error = Some(error);
            return Ok(());
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

    async fn judge(self, exit: Option<ExitStatus>) -> Result<Ended, Error> {
        debug!(upid = %self.task.upid, ?exit, polls = self.polls, waited = ?self.waited(), "task ended");
        match exit {
            Some(ExitStatus::Unexpected | ExitStatus::Unreadable(_)) | None => {
                let log = self.task.tail(TAIL).await;
                match said(&log) {
                    Some(exit) => self.conclude(exit, Some(log)).await,
                    None => TaskUnknownSnafu { upid: self.task.upid.clone(), reason: untold(&log) }.fail(),
                }
            }
            Some(exit) => self.conclude(exit, None).await,
        }
    }

    /// Judges an end that is known. Reads the log unless that was done.
    async fn conclude(self, exit: ExitStatus, log: Option<Vec<String>>) -> Result<Ended, Error> {
        let upid = self.task.upid.clone();
        if let ExitStatus::Failed(exit) = exit {
            let log = match log {
                Some(log) => log,
                None => self.task.tail(TAIL).await,
            };
            let log_tail = last_lines(log.into_iter());
            let exit = clean(&exit, LONGEST_TEXT);
            let cause = classify_exit(&exit, &log_tail);
            return TaskFailedSnafu { upid, exit, cause, log_tail }.fail();
        }
        let mut ended =
            Ended { upid: Some(upid), polls: self.polls, waited: self.waited(), ..Ended::default() };
        if let ExitStatus::Warnings(count) = exit {
            ended.warnings = count;
            let tail = self.task.tail(PAGE).await;
            let lines = tail.iter().filter_map(|line| line.strip_prefix("WARN: "));
            ended.warning_lines = last_lines(lines.map(ToString::to_string));
        }
        let is_backup = self.task.upid.worker_type() == "vzdump";
        ended.had_nothing_to_do = is_backup && self.task.backed_up_nothing().await;
        Ok(ended)
    }
}

/// Whether the server does not know the task.
fn is_unknown(error: &Error) -> bool {
    let says_so = matches!(error.cause(), Some(Cause::NotFound { what: Thing::Task, .. }));
    says_so && matches!(error, Error::Rejected { status: 400..500, .. })
}

/// That nobody can tell how a task ended, and where its log stops.
fn untold(log: &[String]) -> String {
    let last = log.last().map_or_else(String::new, |line| format!("; its log stops at `{line}`"));
    format!("its worker ended without saying how{last}; look at what it was to change")
}

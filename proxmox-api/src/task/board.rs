//! One list of tasks for everybody who waits on a node.
//!
//! `GET /nodes/{node}/tasks` is answered by pveproxy itself, which keeps the connection, and it costs what one status costs,
//! whatever it brings. So whoever is due asks, and the others read what it brought. The list runs after the status by some
//! 20 ms, and may hold a UPID twice, running and ended: then it has ended.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;

use async_lock::{Mutex, MutexGuard};
use proxmox_types::params::{TaskFilter, TaskSource};
use proxmox_types::{ExitStatus, Rows, TaskEntry, Upid};

use super::patience::may_pass;
use crate::error::Error;

/// How far before the oldest start the list begins.
const SLACK: u64 = 2;

/// The boards of the nodes on which this client waits.
#[derive(Default)]
pub(crate) struct Boards(Mutex<BTreeMap<Box<str>, Arc<TaskBoard>>>);

impl Boards {
    /// The board of a node.
    pub(crate) async fn of(&self, node: &str) -> Arc<TaskBoard> {
        self.0.lock().await.entry(node.into()).or_default().clone()
    }
}

/// What is known of the tasks of a node.
#[derive(Default)]
pub(crate) struct TaskBoard {
    waits: Mutex<Vec<Weak<Ticket>>>,
    count: Arc<AtomicUsize>,
    list: Mutex<TaskList>,
}

/// One wait; dropping it is leaving.
pub(super) struct Ticket {
    /// When its task began, by the server's clock.
    started: u64,
    count: Arc<AtomicUsize>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The tasks as the last list had them.
#[derive(Default)]
pub(super) struct TaskList {
    /// When it was asked for and answered, by the transport's clock; nothing before the first one.
    asked: Option<Duration>,
    answered: Duration,
    tasks: Answered,
}

/// How the last list was answered.
enum Answered {
    /// The tasks, and how those that ended did.
    Rows(BTreeMap<Upid, Option<ExitStatus>>, Extent),
    /// Not at all, which may pass.
    Later,
    /// In a way that will be the same next time.
    Never,
}

/// Whether a list holds every task since the oldest one that is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    Cut,
}

impl Default for Answered {
    fn default() -> Self {
        Self::Rows(BTreeMap::new(), Extent::Whole)
    }
}

/// What the list says of a task.
pub(super) enum News {
    /// It runs, and so it was at this time.
    Running(Duration),
    /// It has ended so.
    Ended(ExitStatus),
    /// Nothing yet, at this time; the next list may.
    Silent(Duration),
    /// Nothing that helps: ask for this task alone.
    Useless,
}

impl TaskBoard {
    /// Joins those who wait.
    pub(super) async fn join(&self, upid: &Upid) -> Arc<Ticket> {
        self.count.fetch_add(1, Ordering::Relaxed);
        let ticket = Arc::new(Ticket { started: upid.started(), count: self.count.clone() });
        self.waits.lock().await.push(Arc::downgrade(&ticket));
        ticket
    }

    /// Whether a single one waits.
    pub(super) fn has_one(&self) -> bool {
        self.count.load(Ordering::Relaxed) <= 1
    }

    /// The last list, for one at a time. Whoever finds it too old asks for the next, and the others wait for that.
    pub(super) async fn list(&self) -> MutexGuard<'_, TaskList> {
        self.list.lock().await
    }

    /// Which tasks to ask for: those since the oldest one that is waited for.
    pub(super) async fn filter(&self) -> TaskFilter {
        let (since, count) = self.oldest().await;
        TaskFilter {
            source: Some(TaskSource::All),
            since: since.map(|since| since.saturating_sub(SLACK)),
            limit: Some(500 + 2 * count),
            ..TaskFilter::default()
        }
    }

    /// When the oldest task began that is waited for, and how many are.
    async fn oldest(&self) -> (Option<u64>, u64) {
        let mut waits = self.waits.lock().await;
        let mut oldest = None;
        waits.retain(|wait| {
            let started = wait.upgrade().map(|ticket| ticket.started);
            oldest = oldest.into_iter().chain(started).min();
            started.is_some()
        });
        (oldest, waits.len().try_into().unwrap_or(u64::MAX))
    }
}

impl TaskList {
    /// Whether it holds nothing that is newer than what was known at `seen`.
    pub(super) fn is_older(&self, seen: Duration) -> bool {
        self.asked.is_none() || self.answered <= seen
    }

    /// A list as it was answered: the rows, and how many there are in all.
    pub(super) fn new(
        asked: Duration,
        answered: Duration,
        answer: Result<(Rows<TaskEntry>, u64), Error>,
    ) -> Self {
        let tasks = match answer {
            Ok((rows, total)) => {
                let read = rows.len() + rows.unread().len();
                let is_whole = u64::try_from(read).is_ok_and(|read| read >= total);
                let rows = rows.into_iter().map(|row| (row.exit_status(), row.upid));
                Answered::Rows(ends(rows), if is_whole { Extent::Whole } else { Extent::Cut })
            }
            Err(error) if may_pass(&error) => Answered::Later,
            Err(_) => Answered::Never,
        };
        Self { asked: Some(asked), answered, tasks }
    }

    /// What it says to somebody who waits since `joined`.
    pub(super) fn news(&self, upid: &Upid, joined: Duration) -> News {
        let at = self.answered;
        match &self.tasks {
            Answered::Later => News::Silent(at),
            Answered::Never => News::Useless,
            Answered::Rows(tasks, extent) => match tasks.get(upid) {
                Some(None) => News::Running(at),
                // Only the task's own log can tell more.
                Some(Some(ExitStatus::Unexpected | ExitStatus::Unreadable(_))) => News::Useless,
                Some(Some(exit)) => News::Ended(exit.clone()),
                // It may have begun after this list was made, or not have fitted in.
                None if *extent == Extent::Cut || self.asked.is_none_or(|asked| asked < joined) => {
                    News::Silent(at)
                }
                None => News::Useless,
            },
        }
    }
}

/// Tasks and how they ended. Of two rows of a task, the one that has ended counts.
fn ends(rows: impl Iterator<Item = (Option<ExitStatus>, Upid)>) -> BTreeMap<Upid, Option<ExitStatus>> {
    let mut tasks: BTreeMap<Upid, Option<ExitStatus>> = BTreeMap::new();
    for (exit, upid) in rows {
        let known = tasks.entry(upid).or_default();
        if exit.is_some() {
            *known = exit;
        }
    }
    tasks
}

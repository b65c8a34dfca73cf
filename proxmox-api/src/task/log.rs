//! The log of a task: following it, its last lines, and what they say where the exit status says nothing.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use proxmox_types::params::LogRange;
use proxmox_types::{ExitStatus, TaskLogLine, clean};

use super::patience::{Patience, may_pass};
use crate::error::text::LONGEST_LINE;
use crate::{Page, Task};

/// Lines of a log that are read at once.
pub(super) const PAGE: u64 = 500;

/// How long a page of a log may take, and how long is tried to read on in the log of a task that has ended: how it ended
/// is known by then, and is not held up for longer.
pub(super) const LOG_READ: Duration = Duration::from_secs(3);

/// Pages that are read between two polls, at most.
const MOST_PAGES: u32 = 100;

/// How often one page is asked for, at most.
const ATTEMPTS: u32 = 30;

impl Task<'_> {
    /// Gives the lines after the first `seen` to `line`. A page that cannot be read is tried again for that long.
    pub(super) async fn drain(self, seen: &mut u64, line: &mut (dyn FnMut(&str) + Send), patience: Duration) {
        for _ in 0..MOST_PAGES {
            let Some(texts) = self.lines(*seen, patience).await else { return };
            for text in &texts {
                line(text);
            }
            let read = u64::try_from(texts.len()).unwrap_or_default();
            *seen = seen.saturating_add(read);
            // PVE gives as many lines as it is asked for, as long as there are some.
            if read < PAGE {
                return;
            }
        }
    }

    /// Reads the last lines of the log; none if it cannot be read.
    ///
    /// ```
    /// # use proxmox_api::*; sim::example(async |client, node, ct| {
    /// let upid = ct.start().await?;
    /// client.wait(upid.clone(), Patience::default()).await?;
    /// let lines = client.task(&upid).log_tail(20).await;
    /// assert_eq!(lines.last().map(String::as_str), Some("TASK OK"));
    /// # Ok(()) });
    /// ```
    pub async fn log_tail(self, lines: u64) -> Vec<String> {
        let first = self.page(&LogRange { start: None, limit: Some(1) }, LOG_READ).await;
        let Some(first) = first else { return Vec::new() };
        let range = LogRange { start: Some(first.total.saturating_sub(lines)), limit: Some(lines) };
        let mut texts = self.page(&range, LOG_READ).await.map(texts).unwrap_or_default();
        let surplus = texts.len().saturating_sub(usize::try_from(lines).unwrap_or(usize::MAX));
        texts.split_off(surplus)
    }

    /// The last lines of the log of a task that has ended, if they can be read soon.
    pub(super) async fn tail(self, lines: u64) -> Vec<String> {
        self.client.within(LOG_READ, self.log_tail(lines)).await.unwrap_or_default()
    }

    /// Whether the log of a backup that has ended is complete and names no guest that was begun.
    ///
    /// Source: pve-manager `PVE/VZDump.pm`, `exec_backup`; recording `vzdump-all-dsonly.task-log`.
    pub(super) async fn backed_up_nothing(self) -> bool {
        let mut seen = 0;
        loop {
            let Some(lines) = self.lines(seen, LOG_READ).await else { return false };
            let read = u64::try_from(lines.len()).unwrap_or_default();
            if lines.iter().any(|line| line.starts_with("INFO: Starting Backup of ")) {
                return false;
            }
            if read < PAGE {
                return lines.last().is_some_and(|line| line.starts_with("TASK "));
            }
            seen += read;
        }
    }

    /// A page of lines after the first `seen`.
    async fn lines(self, seen: u64, patience: Duration) -> Option<Vec<String>> {
        let range = LogRange { start: Some(seen), limit: Some(PAGE) };
        self.page(&range, patience).await.map(texts)
    }

    /// A page, which is tried again for that long if it cannot be read.
    async fn page(self, range: &LogRange, patience: Duration) -> Option<Page<TaskLogLine>> {
        let start = self.client.now();
        for _ in 0..ATTEMPTS {
            match self.client.within(LOG_READ, self.log().with(*range).into_future()).await {
                Some(Ok(page)) => return Some(page),
                Some(Err(error)) if !may_pass(&error) => return None,
                _ if self.client.now().saturating_sub(start) >= patience => return None,
                _ => self.client.pause(Patience::SHORTEST).await,
            }
        }
        None
    }
}

/// How a task ended by the last line of its log, if that says it.
///
/// A worker that leaves PVE's own way out writes no `TASK ERROR:`, and its status is `unexpected status`.
/// Recording `vzdump-lockwait0-while-running.task-log`.
pub(super) fn said(log: &[String]) -> Option<ExitStatus> {
    let line = log.iter().rev().map(|line| line.trim()).find(|line| !line.is_empty())?;
    let end = line.strip_prefix("TASK ").unwrap_or(line);
    match (end.strip_prefix("ERROR: "), ExitStatus::from(end)) {
        (Some(text), _) => Some(ExitStatus::Failed(text.to_string())),
        (None, exit) => exit.is_success().then_some(exit).filter(|_| end != line),
    }
}

fn texts(page: Page<TaskLogLine>) -> Vec<String> {
    let rows = page.rows.into_iter().filter(|row| !is_placeholder(page.total, &row.t));
    rows.map(|row| clean(&row.t, LONGEST_LINE)).collect()
}

/// Whether a line is not of the log: PVE prints these for an empty and for a missing one.
fn is_placeholder(total: u64, text: &str) -> bool {
    total == 1 && (text == "no content" || text.starts_with("unable to open file - "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_a_log_may_say_what_the_status_does_not() {
        let failed = |text: &str| Some(ExitStatus::Failed(text.into()));
        let logs: [(&[&str], Option<ExitStatus>); 10] = [
            (
                &["ERROR: can't acquire lock '/var/run/vzdump.lock' (wait = 0)"],
                failed("can't acquire lock '/var/run/vzdump.lock' (wait = 0)"),
            ),
            (&["INFO: x", "TASK ERROR: job errors", ""], failed("job errors")),
            (
                &["ERROR: Backup job failed - interrupted by signal"],
                failed("Backup job failed - interrupted by signal"),
            ),
            (&["TASK OK"], Some(ExitStatus::Ok)),
            (&["WARN: x", "TASK WARNINGS: 1"], Some(ExitStatus::Warnings(1))),
            (&["OK"], None),
            (&["ERROR: a", "INFO: b"], None),
            (&["INFO: creating vzdump archive"], None),
            (&["  "], None),
            (&[], None),
        ];
        for (log, wanted) in logs {
            let lines: Vec<String> = log.iter().map(ToString::to_string).collect();
            assert_eq!(said(&lines), wanted, "{log:?}");
        }
    }
}

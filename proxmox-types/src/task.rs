//! The shapes of worker tasks.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::convert::Infallible;
use core::fmt;
use core::str::FromStr;

use serde::Deserialize;

use crate::id::as_text;
use crate::lenient::needed;
use crate::text::open_text;
use crate::{NodeName, Upid};

/// A row of `GET /nodes/{node}/tasks` and of `GET /cluster/tasks`.
///
/// A token sees its own tasks only, and in the cluster's list not even those, unless it has `Sys.Audit`.
///
/// Source: pve-manager `PVE/API2/Tasks.pm` and `PVE/API2/Cluster.pm`; recordings `get-tasks`, `tasks-active-running`,
/// `cluster-tasks-with-offline`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TaskEntry {
    /// The task.
    pub upid: Upid,
    /// Node that runs it.
    pub node: NodeName,
    /// Kind of worker: `vzsnapshot`, `vzdump`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// What it works on: a VMID, `101@local`, or nothing.
    pub id: String,
    /// Who started it: with the token's name while the task is active, without it in the archive.
    pub user: String,
    /// Name of the token that started it; absent while the task is active.
    pub tokenid: Option<String>,
    /// When it started, in seconds since 1970.
    pub starttime: u64,
    /// When it ended, in seconds since 1970; absent while it runs.
    #[serde(default, deserialize_with = "needed")]
    pub endtime: Option<u64>,
    /// How it ended; while it runs `RUNNING` in a node's list and absent in the cluster's. [`Self::exit_status`] reads it.
    #[serde(default, deserialize_with = "needed")]
    pub status: Option<String>,
    /// Whether it is in the archive; absent there.
    pub saved: Option<bool>,
    /// Process id on the node.
    pub pid: Option<u32>,
    /// Start of its process in clock ticks since boot.
    pub pstart: Option<u64>,
}

impl TaskEntry {
    /// How it ended; nothing while it runs.
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.status.as_deref().filter(|status| *status != "RUNNING").map(ExitStatus::from)
    }

    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        self.exit_status().is_none()
    }
}

open_text!(
    /// Whether a task still runs.
    ///
    /// Source: pve-manager `PVE/API2/Tasks.pm`.
    pub enum TaskState {
        /// Its process exists.
        Running = "running",
        /// It has ended.
        Stopped = "stopped",
    }
);

/// Answer of `GET /nodes/{node}/tasks/{upid}/status`.
///
/// Source: pve-manager `PVE/API2/Tasks.pm`; recordings `*.task-status`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TaskStatus {
    /// The task.
    pub upid: Upid,
    /// Whether it still runs.
    #[serde(rename = "status")]
    pub state: TaskState,
    /// How it ended; absent while it runs.
    #[serde(default, deserialize_with = "needed")]
    pub exitstatus: Option<ExitStatus>,
    /// Node that runs it.
    pub node: NodeName,
    /// Kind of worker: `vzsnapshot`, `vzdump`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// What it works on: a VMID, `101@local`, or nothing.
    pub id: String,
    /// Who started it, without the token's name.
    pub user: String,
    /// Name of the token that started it.
    pub tokenid: Option<String>,
    /// When it started, in seconds since 1970.
    pub starttime: Option<u64>,
    /// Process id on the node.
    pub pid: Option<u32>,
    /// Start of its process in clock ticks since boot.
    pub pstart: Option<u64>,
}

impl TaskStatus {
    /// Whether it still runs. A state that this version does not know counts as running.
    pub fn is_running(&self) -> bool {
        self.state != TaskState::Stopped
    }
}

/// A row of `GET /nodes/{node}/tasks/{upid}/log`; the number of all lines is `total` in the envelope.
///
/// An empty log is the one line `no content`, a vanished one the line `unable to open file - No such file or
/// directory`, both with status 200.
///
/// Source: pve-common `PVE/Tools.pm`, `dump_logfile`; recordings `*.task-log`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TaskLogLine {
    /// Number of the line, from 1.
    pub n: u64,
    /// The line. The last one of a finished task is `TASK OK`, `TASK WARNINGS: n` or `TASK ERROR: ...`.
    pub t: String,
}

/// How a task ended, read from its `exitstatus`.
///
/// Source: pve-common `PVE/UPID.pm`, `status_is_error`; recordings `*.task-status`.
///
/// ```
/// # use proxmox_types::ExitStatus;
/// assert_eq!(ExitStatus::from("WARNINGS: 2"), ExitStatus::Warnings(2));
/// assert!(!ExitStatus::from("CT is locked (backup)").is_success());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// `OK`: it succeeded.
    Ok,
    /// `WARNINGS: 2`: it succeeded with so many warnings, which are in its log.
    Warnings(u64),
    /// `unexpected status`: nobody knows. The worker was killed or ended without a word, so look at the guest.
    Unexpected,
    /// `unable to get last line from task log - ...`: nobody knows either, since PVE could not read how it ended.
    Unreadable(String),
    /// Any other text: it failed, and the text says why.
    Failed(String),
}

const OK: &str = "OK";
const WARNINGS: &str = "WARNINGS: ";
const UNEXPECTED: &str = "unexpected status";
const UNREADABLE: &str = "unable to get last line from task log";

impl ExitStatus {
    /// Whether the task did what it should, with or without warnings.
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Ok | Self::Warnings(_))
    }
}

impl From<&str> for ExitStatus {
    fn from(text: &str) -> Self {
        let is_count = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match (text, text.strip_prefix(WARNINGS).filter(is_count)) {
            (OK, _) => Self::Ok,
            (UNEXPECTED, _) => Self::Unexpected,
            (text, _) if text.starts_with(UNREADABLE) => Self::Unreadable(text.to_owned()),
            (_, Some(count)) => Self::Warnings(count.parse().unwrap_or(u64::MAX)),
            (_, None) => Self::Failed(text.to_owned()),
        }
    }
}

impl FromStr for ExitStatus {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str(OK),
            Self::Warnings(count) => write!(f, "{WARNINGS}{count}"),
            Self::Unexpected => f.write_str(UNEXPECTED),
            Self::Unreadable(text) | Self::Failed(text) => f.write_str(text),
        }
    }
}

as_text!(ExitStatus);

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn row(status: &str) -> TaskEntry {
        let json = alloc::format!(
            r#"{{"upid":"UPID:pve1:00000C96:00024B71:6B05261E:vzdump:100:root@pam!full:","node":"pve1","id":"100",
                "type":"vzdump","user":"root@pam","starttime":1795499550{status}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn a_task_runs_while_its_status_is_absent_or_says_so() {
        let read =
            ["", ",\"status\":\"RUNNING\"", ",\"status\":\"OK\""].map(|status| row(status).exit_status());
        assert_eq!(read, [None, None, Some(ExitStatus::Ok)]);
    }

    const LOST: &str = "unable to get last line from task log - No such file or directory";

    #[test]
    fn only_ok_and_a_number_of_warnings_are_success() {
        let cases = [
            ("OK", ExitStatus::Ok, true),
            ("WARNINGS: 1", ExitStatus::Warnings(1), true),
            ("WARNINGS: 99999999999999999999", ExitStatus::Warnings(u64::MAX), true),
            ("unexpected status", ExitStatus::Unexpected, false),
            (LOST, ExitStatus::Unreadable(LOST.into()), false),
            ("WARNINGS: ", ExitStatus::Failed("WARNINGS: ".into()), false),
            ("WARNINGS: +1", ExitStatus::Failed("WARNINGS: +1".into()), false),
            ("WARNINGS: 1 of 2", ExitStatus::Failed("WARNINGS: 1 of 2".into()), false),
            ("ok", ExitStatus::Failed("ok".into()), false),
            ("", ExitStatus::Failed(String::new()), false),
            ("job errors", ExitStatus::Failed("job errors".into()), false),
        ];
        for (text, exit, is_success) in cases {
            assert_eq!((ExitStatus::from(text), exit.is_success()), (exit, is_success), "{text}");
        }
    }

    #[test]
    fn an_exit_status_is_written_as_it_was_read() {
        for text in ["OK", "WARNINGS: 2", "unexpected status", "CT is locked (backup)", LOST] {
            assert_eq!(ExitStatus::from(text).to_string(), text);
        }
    }
}

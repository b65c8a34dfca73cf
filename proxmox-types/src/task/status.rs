//! Whether a task still runs.

use alloc::string::String;

use serde::Deserialize;

use super::ExitStatus;
use crate::text::open_text;
use crate::{NodeName, Upid, lenient::needed};

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

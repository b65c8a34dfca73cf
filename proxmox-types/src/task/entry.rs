//! Tasks in lists.

use alloc::string::String;

use serde::Deserialize;

use super::ExitStatus;
use crate::{NodeName, Upid, lenient::needed};

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

#[cfg(test)]
mod tests {
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
}

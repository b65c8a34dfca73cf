//! A worker task.

use proxmox_types::params::LogRange;
use proxmox_types::{TaskLogLine, TaskStatus, Upid};

use crate::endpoint::table::task;
use crate::{Call, Client, Page};

/// A task, on the node that its UPID names.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    pub(crate) client: &'a Client,
    pub(crate) upid: &'a Upid,
}

impl<'a> Task<'a> {
    /// The UPID.
    pub const fn upid(self) -> &'a Upid {
        self.upid
    }

    /// Reads the state.
    ///
    /// `GET /nodes/{node}/tasks/{upid}/status`; a token's own tasks need no privilege, others `Sys.Audit` on
    /// `/nodes/{node}`. A UPID that was rotated away is a 400.
    /// Source: pve-manager `PVE/API2/Tasks.pm`.
    pub fn status(self) -> Call<'a, TaskStatus> {
        self.client.call(&task::STATUS, &[&self.upid.node(), self.upid])
    }

    /// Reads lines of the log. An empty log has the line `no content`, a missing one the text of the failed open.
    ///
    /// `GET /nodes/{node}/tasks/{upid}/log`; a token's own tasks need no privilege, others `Sys.Audit` on
    /// `/nodes/{node}`.
    /// Source: pve-manager `PVE/API2/Tasks.pm`.
    pub fn log(self) -> Call<'a, Page<TaskLogLine>, LogRange> {
        self.client.page(&task::LOG, &[&self.upid.node(), self.upid])
    }

    /// Stops the task: TERM, and KILL after 5 s, for which the call waits. A task that has ended is no error.
    ///
    /// `DELETE /nodes/{node}/tasks/{upid}`; a token's own tasks need no privilege, others `Sys.Modify` on
    /// `/nodes/{node}`.
    /// Source: pve-manager `PVE/API2/Tasks.pm`.
    pub fn stop(self) -> Call<'a, ()> {
        self.client.call(&task::STOP, &[&self.upid.node(), self.upid]).unit()
    }
}

//! Logs of tasks.

use alloc::string::String;

use serde::Deserialize;

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

//! The shapes of worker tasks.

mod entry;
mod exit;
mod log;
mod status;

pub use entry::TaskEntry;
pub use exit::ExitStatus;
pub use log::TaskLogLine;
pub use status::{TaskState, TaskStatus};

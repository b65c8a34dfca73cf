//! Workers: what a call started, waiting for it, its log, and what became of a call whose answer was lost.

mod backups;
mod board;
mod known_tasks;
mod log;
mod patience;
mod settle;
mod started;
mod wait;

pub(crate) use board::{Boards, TaskBoard};
pub(crate) use known_tasks::KnownTasks;
pub use patience::Patience;
pub use started::{Change, Started};
pub use wait::Ended;

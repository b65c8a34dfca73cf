//! The self-test: checks with stable ids, what each needs, and a report.

pub mod check;
pub mod checks;
pub mod context;
pub mod engine;
pub mod report;

pub use check::Check;
pub use context::Context;
pub use engine::{Selection, run};
pub use report::{Mode, Report};

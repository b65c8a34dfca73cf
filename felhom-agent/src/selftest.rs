//! The self-test: checks with stable ids, what each needs, and a report.

pub mod check;
pub mod checks;
pub mod context;
pub mod engine;
pub mod failure;
pub mod locked;
pub mod report;
pub mod shown;
pub mod unusable;

pub use check::{Check, Claim, Finding, Fix, Group, Status};
pub use context::Context;
pub use engine::{Selection, run};
pub use report::{Mode, Report};

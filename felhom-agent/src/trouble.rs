//! What is said of what went wrong, and the command that repairs it.

pub mod call;
pub mod configuration;
pub mod lock;
pub mod sight;
pub mod unread;

//! The agent: configuration and the production transport, for the binary and its tests.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod config;
pub mod tls;
pub mod transport;

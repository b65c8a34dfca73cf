//! The agent: configuration, the production transport and runner, the self-test and the command line, for the binary
//! and its tests.
//!
//! `wiring` is the last place that knows hyper; everything behind it speaks to a [`proxmox_api::Client`].
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod cli;
pub mod config;
pub mod diagnosis;
pub mod exercise;
pub mod guard;
pub mod host;
pub mod process;
pub mod report;
pub mod runner;
pub mod selftest;
pub mod tls;
pub mod transport;
pub mod wiring;

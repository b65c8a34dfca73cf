//! The three things on a Proxmox VE node that need root and that its API cannot do.
//!
//! 1. [`golden`] creates the golden container, with features that the API refuses to every token.
//! 2. [`mount`] and [`mount::fstab`] bring a USB disk in by its UUID and out again.
//! 3. [`smart`] reads the health of a disk, and [`sensors`] (without root) the temperatures of the board.
//!
//! This crate starts no process, opens no file and knows no network: everything goes through the trait [`Runner`]. A
//! [`Command`] has no public constructor. Each one has a row beside the function that runs it,
//! with arguments of the types in [`argument`]; the [`sudoers`] drop-in is printed from the same rows.
#![no_std]
#![forbid(clippy::disallowed_types, clippy::disallowed_methods)]
#![warn(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod command;
pub mod disks;
pub mod golden;
pub mod mount;
#[cfg(test)]
mod mutations;
mod runner;
#[cfg(test)]
mod script;
pub mod sensors;
pub mod smart;
mod sudoers;

pub use command::argument;
pub use command::{Command, Program};
pub use proxmox_types::Malformed;
pub use runner::{CommandEnd, CommandOutput, RunError, RunFuture, Runner, SudoTrouble};
pub use sudoers::{programs, sudoers};

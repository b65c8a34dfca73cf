//! The three things on a Proxmox VE node that need root and that its API cannot do.
//!
//! It reads the health of a disk ([`smart`]) and, without root, the temperatures of the board ([`sensors`]).
//!
//! This crate starts no process, opens no file and knows no network: everything goes through the trait [`Runner`]. A
//! [`Command`] has no public constructor. All that can ever be run is the table in `table.rs`, with arguments of the
//! types in [`argument`].
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

pub mod argument;
mod command;
pub mod disks;
mod grammar;
mod malformed;
mod runner;
#[cfg(test)]
mod script;
pub mod sensors;
pub mod smart;
mod table;

pub use command::{Command, Program};
pub use malformed::Malformed;
pub use runner::{BoxFuture, End, Output, RunError, Runner, SudoTrouble};

//! The three things on a Proxmox VE node that need root and that its API cannot do: [`golden`] creates the golden
//! container with features that the API refuses to every token, [`mount`] and [`mount::fstab`] bring a USB disk in by its
//! UUID and out again, [`smart`] reads the health of a disk, and [`sensors`] (without root) the temperatures of the board.
//! The agent calls it with a [`Runner`] that starts processes; this crate starts none, opens no file and knows no network.
//! Begin with one of these functions; a [`Command`] has no public constructor, and [`sudoers`] prints the rules for exactly
//! those that exist.
//!
//! ```
//! use proxmox_privileged::sensors::{FeatureKind, sensors};
//! use proxmox_privileged::{Command, CommandOutput};
//!
//! // A runner that answers with a recorded text. The agent's starts `sensors -u`.
//! let recorded = |command: &Command| {
//!     assert_eq!(command.to_string(), "/usr/bin/sensors -u");
//!     Ok(CommandOutput::from("coretemp-isa-0000\nAdapter: ISA adapter\nCore 0:\n  temp2_input: 45.000\n"))
//! };
//! # mod now { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/now.rs")); }
//! # use now::now;
//! let chips = now(sensors(&recorded))?;
//! let core = &chips[0].features[0];
//! assert_eq!((core.label.as_str(), core.kind, core.value()), ("Core 0", FeatureKind::Temperature, Some(45.0)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
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
#[cfg(test)]
mod now;
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

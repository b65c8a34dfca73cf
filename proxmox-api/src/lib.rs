//! Typed client of the Proxmox VE 9.2 API.
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

mod backups;
mod call;
mod client;
mod config_change;
mod decode;
pub mod endpoint;
pub mod error;
pub mod grant;
mod known_tasks;
mod next_id;
mod request;
mod scope;
mod settle;
#[cfg(feature = "sim")]
pub mod sim;
mod started;
mod transport;
mod visibility;
mod wait;

pub use call::Call;
pub use client::{Client, Observer};
pub use config_change::ConfigChange;
pub use decode::Page;
pub use error::{Cause, Denied, Error, Thing};
pub use request::{Method, Parameter, ParameterValue, Request, encode};
pub use scope::{Access, Cluster, FeatureName, Lxc, Node, Snapshot, Storage, Task, Volume};
pub use started::{Change, Started};
#[cfg(test)]
pub use transport::MockHttpTransport;
pub use transport::{Body, BoxFuture, HttpTransport, Response, Stage, TransportError};
pub use visibility::Visibility;
pub use wait::{Ended, Patience};

/// What the calls take and return, for those who depend on this crate alone.
pub use proxmox_types as types;

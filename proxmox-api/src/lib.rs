//! Typed client of the Proxmox VE 9.2 API.
//!
//! Modules of the agent call it for everything that PVE's REST API can do with a token. A [`Client`] speaks through an
//! [`HttpTransport`], which somebody else brings: this crate knows no socket and no clock. Begin with [`Client::node`]
//! and [`Node::lxc`]; [`Call::run`] is the way to change something, `.await` the way to read.
//!
//! The life of a container, against the simulated node (feature `sim`):
//!
//! ```
//! # use proxmox_api::types::params::{NewContainer, RestoreParams, SnapshotParams};
//! # proxmox_api::sim::example(async |client, _, _| {
//! let node = "pve1".parse()?;
//! let node = client.node(&node);
//! let archive: proxmox_api::types::BackupVolume = "local:backup/vzdump-lxc-210-2026_11_24-05_46_14.tar.zst".parse()?;
//! let restore = |vmid| {
//!     let storage = "local-btrfs".parse().ok();
//!     node.restore(&RestoreParams::new(NewContainer { storage, ..NewContainer::from(vmid) }, archive.clone()))
//! };
//! let (vmid, started) = client.cluster().with_next_id(restore).await?;
//! client.wait(started?, client.patience()).await?;
//!
//! let (ct, name) = (node.lxc(vmid), "before".parse()?);
//! ct.start().run().await?;
//! ct.snapshot(&name).create().with(SnapshotParams { description: Some("before the update".into()) }).run().await?;
//! ct.snapshot(&name).rollback().run().await?;
//! ct.snapshot(&name).delete().run().await?;
//! ct.destroy().run().await?;
//! # Ok(()) });
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

mod call;
mod client;
mod config_change;
mod decode;
pub mod endpoint;
pub mod error;
pub mod grant;
mod next_id;
mod request;
pub mod scope;
#[cfg(feature = "sim")]
pub mod sim;
mod task;
mod transport;
mod visibility;

pub use call::{Call, Paged, Pages};
pub use client::{Client, Observer};
pub use config_change::ConfigChange;
pub use decode::Page;
pub use error::{Cause, Denied, Error, Thing};
pub use request::{Method, Parameter, ParameterValue, Request, encode};
#[doc(inline)]
pub use scope::{Access, Cluster, FeatureName, Lxc, Node, Snapshot, Storage, Task, Volume};
pub use task::{Change, Ended, Patience, Started};
#[cfg(test)]
pub use transport::MockHttpTransport;
pub use transport::{Body, BoxFuture, HttpTransport, Response, Stage, TransportError};
pub use visibility::Visibility;

/// What the calls take and return, for those who depend on this crate alone.
pub use proxmox_types as types;

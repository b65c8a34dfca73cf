//! Scopes: borrowed ids under which calls are made, from [`Client`] downwards, and the endpoints that they call.
//!
//! A scope is a `Copy` bundle of borrowed ids that were parsed once, at the edge. Making one costs nothing and asks
//! nobody. Each endpoint is one entry of `endpoints!`, which makes the row and the method of it.

#[macro_use]
mod entry;
pub mod access;
pub mod backup;
pub mod cluster;
pub mod lxc;
pub mod node;
mod place;
pub mod power;
pub mod snapshot;
pub mod storage;
pub mod task;

use entry::Section;
pub use lxc::FeatureName;
pub use place::{Access, Cluster, Lxc, Node, Snapshot, Storage, Task, Volume};

#[cfg(feature = "sim")]
use crate::Client;
#[cfg(feature = "sim")]
use crate::call::made::{Built, Given};
use crate::endpoint::Endpoint;

static SECTIONS: [&Section; 9] = [
    &node::SECTION,
    &lxc::SECTION,
    &power::SECTION,
    &snapshot::SECTION,
    &backup::SECTION,
    &storage::SECTION,
    &task::SECTION,
    &cluster::SECTION,
    &access::SECTION,
];

/// Every endpoint that the client speaks to.
pub fn all() -> impl Iterator<Item = &'static Endpoint> {
    SECTIONS.iter().flat_map(|part| part.endpoints).copied()
}

/// Makes the call of an operation of names and JSON, and awaits or settles it.
#[cfg(feature = "sim")]
pub async fn make(client: &Client, operation: &str, given: &mut Given) -> Built {
    let mut builds = SECTIONS.iter().flat_map(|part| part.builds);
    match builds.find(|(name, _)| *name == operation) {
        Some((_, build)) => build(client, given).await,
        None => Err(operation.into()),
    }
}

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
pub mod power;
pub mod snapshot;
pub mod storage;
pub mod task;

pub use access::Access;
pub use cluster::Cluster;
pub use lxc::{FeatureName, Lxc};
pub use node::Node;
use proxmox_types::{NodeName, StorageId, Upid, Vmid, VolumeId};
pub use snapshot::Snapshot;
pub use storage::{Storage, Volume};
pub use task::Task;

#[cfg(feature = "sim")]
use crate::call::made::{Built, Given};
use crate::endpoint::Endpoint;
use crate::{Call, Client, decode};

/// What a call answers that was done when it is answered.
type Nothing = ();

/// Every endpoint that the client speaks to.
pub fn all() -> impl Iterator<Item = &'static Endpoint> {
    [
        node::ALL,
        lxc::ALL,
        power::ALL,
        snapshot::ALL,
        backup::ALL,
        storage::ALL,
        task::ALL,
        cluster::ALL,
        access::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Makes the call of an operation of names and JSON, and awaits or settles it.
#[cfg(feature = "sim")]
pub fn make(client: &Client, operation: &str, given: &mut Given) -> Built {
    let builds = [
        node::BUILDS,
        lxc::BUILDS,
        power::BUILDS,
        snapshot::BUILDS,
        backup::BUILDS,
        storage::BUILDS,
        task::BUILDS,
        cluster::BUILDS,
        access::BUILDS,
    ];
    let build = builds.into_iter().flatten().find(|(name, _)| *name == operation);
    build.map_or_else(|| Err(operation.into()), |(_, build)| build(client, given))
}

impl Client {
    pub(crate) fn call<P>(&self, endpoint: &'static Endpoint) -> Call<'_, Nothing, P> {
        Call::new(self, endpoint, decode::nothing)
    }

    /// A node.
    pub const fn node<'a>(&'a self, node: &'a NodeName) -> Node<'a> {
        Node { client: self, node }
    }

    /// A task, on the node that its UPID names.
    pub const fn task<'a>(&'a self, upid: &'a Upid) -> Task<'a> {
        Task { client: self, upid }
    }

    /// The cluster.
    pub const fn cluster(&self) -> Cluster<'_> {
        Cluster { client: self }
    }

    /// Privileges, roles and tokens.
    pub const fn access(&self) -> Access<'_> {
        Access { client: self }
    }
}

impl<'a> Node<'a> {
    /// A container on this node. Nothing is asked; it need not exist.
    pub const fn lxc(self, vmid: Vmid) -> Lxc<'a> {
        Lxc { node: self, vmid }
    }

    /// A storage, as this node reaches it.
    pub const fn storage(self, storage: &'a StorageId) -> Storage<'a> {
        Storage { node: self, storage }
    }
}

impl<'a> Storage<'a> {
    /// A volume on this storage.
    pub const fn volume(self, volume: &'a VolumeId) -> Volume<'a> {
        Volume { storage: self, volume }
    }
}

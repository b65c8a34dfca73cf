//! Scopes: borrowed ids under which calls are made, from [`Client`] downwards.
//!
//! A scope is a `Copy` bundle of borrowed ids that were parsed once, at the edge. Making one costs nothing and asks
//! nobody.

mod access;
mod cluster;
mod lxc;
mod node;
mod snapshot;
mod storage;
mod task;

use core::fmt;

use proxmox_types::{
    NodeEntry, NodeName, Pool, PoolId, Rows, StorageDefinition, StorageId, Upid, Version, Vmid, VolumeId,
};
use serde::de::DeserializeOwned;

pub use access::Access;
pub use cluster::Cluster;
pub use lxc::{FeatureName, Lxc};
pub use node::Node;
pub use snapshot::Snapshot;
pub use storage::{Storage, Volume};
pub use task::Task;

use crate::endpoint::Endpoint;
use crate::endpoint::table::{access as access_table, node as node_table, storage as storage_table};
use crate::{Call, Client, Page, decode};

impl Client {
    /// Reads the version of the server.
    ///
    /// `GET /version`; needs no privilege. The cheapest call that proves the token.
    /// Source: pve-manager `PVE/API2.pm`.
    pub fn version(&self) -> Call<'_, Version> {
        self.call(&node_table::VERSION, &[])
    }

    /// Lists the nodes of the cluster.
    ///
    /// `GET /nodes`; needs no privilege, but load and space are left out without `Sys.Audit` on `/nodes/{node}`.
    /// Source: pve-manager `PVE/API2/Nodes.pm`.
    pub fn nodes(&self) -> Call<'_, Rows<NodeEntry>> {
        self.call(&node_table::LIST, &[])
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

    /// Lists the pools.
    ///
    /// `GET /pools`; pools without `Pool.Audit` on `/pool/{poolid}` are left out.
    /// Source: pve-manager `PVE/API2/Pool.pm`.
    pub fn pools(&self) -> Call<'_, Rows<Pool>> {
        self.call(&access_table::POOLS, &[])
    }

    /// Reads one pool with its members, as a list of one.
    ///
    /// `GET /pools?poolid=...`; every token may read it. A pool that does not exist is refused.
    /// Source: pve-manager `PVE/API2/Pool.pm`; recordings `pools-poolid-without-audit`, `pools-poolid-missing`.
    pub fn pool(&self, pool: &PoolId) -> Call<'_, Rows<Pool>> {
        self.call(&access_table::POOLS, &[]).parameter("poolid", pool)
    }

    /// Lists the storage definitions of the cluster.
    ///
    /// `GET /storage`; storages without `Datastore.Audit` or `Datastore.AllocateSpace` are left out.
    /// Source: pve-storage `PVE/API2/Storage/Config.pm`.
    pub fn storage_definitions(&self) -> Call<'_, Rows<StorageDefinition>> {
        self.call(&storage_table::DEFINITIONS, &[])
    }

    /// Reads one storage definition.
    ///
    /// `GET /storage/{storage}`; needs `Datastore.Allocate` on `/storage/{storage}`, more than the list does.
    /// Source: pve-storage `PVE/API2/Storage/Config.pm`.
    pub fn storage_definition(&self, storage: &StorageId) -> Call<'_, StorageDefinition> {
        self.call(&storage_table::DEFINITION, &[storage])
    }

    pub(crate) fn call<T: DeserializeOwned, P>(
        &self,
        endpoint: &'static Endpoint,
        variables: &[&dyn fmt::Display],
    ) -> Call<'_, T, P> {
        Call::new(self, endpoint, variables, decode::data)
    }

    pub(crate) fn page<T: DeserializeOwned, P>(
        &self,
        endpoint: &'static Endpoint,
        variables: &[&dyn fmt::Display],
    ) -> Call<'_, Page<T>, P> {
        Call::new(self, endpoint, variables, decode::page)
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

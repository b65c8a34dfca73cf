//! The scopes: where a call is made. Each is a `Copy` bundle of ids, and the way to the next one.

use proxmox_types::{NodeName, SnapshotName, StorageId, Upid, Vmid, VolumeId};

use crate::endpoint::Endpoint;
use crate::{Call, Client, decode};

/// What a call answers that was done when it is answered.
pub(super) type Nothing = ();

/// A node.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    pub(crate) client: &'a Client,
    pub(crate) node: &'a NodeName,
}

/// A container on a node. One that moved does not exist here any more: [`Client::locate`] finds it again.
#[derive(Clone, Copy, Debug)]
pub struct Lxc<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) vmid: Vmid,
}

/// A snapshot of a container.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a> {
    pub(crate) lxc: Lxc<'a>,
    pub(crate) name: &'a SnapshotName,
}

/// A storage, as a node reaches it.
#[derive(Clone, Copy, Debug)]
pub struct Storage<'a> {
    pub(crate) node: Node<'a>,
    pub(crate) storage: &'a StorageId,
}

/// A volume on a storage.
#[derive(Clone, Copy, Debug)]
pub struct Volume<'a> {
    pub(crate) storage: Storage<'a>,
    pub(crate) volume: &'a VolumeId,
}

/// A task, on the node that its UPID names.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    pub(crate) client: &'a Client,
    pub(crate) upid: &'a Upid,
}

/// The cluster, which may be one node.
#[derive(Clone, Copy, Debug)]
pub struct Cluster<'a> {
    pub(crate) client: &'a Client,
}

/// Privileges, roles and tokens.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    pub(crate) client: &'a Client,
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
    /// The name of the node.
    pub const fn name(self) -> &'a NodeName {
        self.node
    }

    /// A container on this node. Nothing is asked; it need not exist: [`Client::locate`] says where it is.
    pub const fn lxc(self, vmid: Vmid) -> Lxc<'a> {
        Lxc { node: self, vmid }
    }

    /// A storage, as this node reaches it.
    pub const fn storage(self, storage: &'a StorageId) -> Storage<'a> {
        Storage { node: self, storage }
    }

    pub(super) fn call<P>(self, endpoint: &'static Endpoint) -> Call<'a, Nothing, P> {
        self.client.call(endpoint).at(&[self.node])
    }
}

impl<'a> Lxc<'a> {
    /// The VMID.
    pub const fn vmid(self) -> Vmid {
        self.vmid
    }

    /// A snapshot of this container. Nothing is asked; it need not exist.
    pub const fn snapshot(self, name: &'a SnapshotName) -> Snapshot<'a> {
        Snapshot { lxc: self, name }
    }

    pub(super) fn call<P>(self, endpoint: &'static Endpoint) -> Call<'a, Nothing, P> {
        self.node.client.call(endpoint).at(&[self.node.node, &self.vmid])
    }
}

impl<'a> Snapshot<'a> {
    pub(super) fn call<P>(self, endpoint: &'static Endpoint) -> Call<'a, Nothing, P> {
        let node = self.lxc.node;
        node.client.call(endpoint).at(&[node.node, &self.lxc.vmid, self.name])
    }
}

impl<'a> Storage<'a> {
    /// A volume on this storage.
    pub const fn volume(self, volume: &'a VolumeId) -> Volume<'a> {
        Volume { storage: self, volume }
    }

    pub(super) fn call<P>(self, endpoint: &'static Endpoint) -> Call<'a, Nothing, P> {
        self.node.client.call(endpoint).at(&[self.node.node, self.storage])
    }
}

impl<'a> Volume<'a> {
    pub(super) fn call<P>(self, endpoint: &'static Endpoint) -> Call<'a, Nothing, P> {
        let node = self.storage.node;
        node.client.call(endpoint).at(&[node.node, self.storage.storage, self.volume])
    }
}

impl<'a> Task<'a> {
    /// The UPID.
    pub const fn upid(self) -> &'a Upid {
        self.upid
    }

    pub(super) fn call<P>(self, endpoint: &'static Endpoint) -> Call<'a, Nothing, P> {
        self.client.call(endpoint).at(&[&self.upid.node(), self.upid])
    }
}

impl<'a> Cluster<'a> {
    pub(super) fn call<P>(self, endpoint: &'static Endpoint) -> Call<'a, Nothing, P> {
        self.client.call(endpoint)
    }
}

impl<'a> Access<'a> {
    pub(super) fn call<P>(self, endpoint: &'static Endpoint) -> Call<'a, Nothing, P> {
        self.client.call(endpoint)
    }
}

//! The cluster: what it has, whether it can act, and which VMID is free.

use proxmox_types::params::ResourceFilter;
use proxmox_types::{ClusterStatusEntry, HaResource, Resource, Rows, TaskEntry, Vmid};

use crate::endpoint::table::cluster;
use crate::{Call, Client};

/// The cluster, which may be one node.
#[derive(Clone, Copy, Debug)]
pub struct Cluster<'a> {
    pub(crate) client: &'a Client,
}

impl<'a> Cluster<'a> {
    /// Asks for a VMID that is free now. Nothing is reserved: creating may still find it taken, which
    /// [`Cluster::with_next_id`] takes care of.
    ///
    /// `GET /cluster/nextid`; needs no privilege.
    /// Source: pve-manager `PVE/API2/Cluster.pm`.
    pub fn next_id(self) -> Call<'a, Vmid> {
        self.client.call(&cluster::NEXT_ID, &[])
    }

    /// Asks whether a VMID is free; one that is taken is an error that says so.
    ///
    /// `GET /cluster/nextid?vmid=...`; needs no privilege.
    /// Source: pve-manager `PVE/API2/Cluster.pm`.
    pub fn check_id(self, vmid: Vmid) -> Call<'a, Vmid> {
        self.client.call(&cluster::NEXT_ID, &[]).parameter("vmid", vmid)
    }

    /// Lists guests, storages, nodes and pools, up to 10 s old.
    ///
    /// `GET /cluster/resources`; guests without `VM.Audit`, storages without `Datastore.Audit` and pools without
    /// `Pool.Audit` are left out.
    /// Source: pve-manager `PVE/API2/Cluster.pm`.
    pub fn resources(self) -> Call<'a, Rows<Resource>, ResourceFilter> {
        self.client.call(&cluster::RESOURCES, &[])
    }

    /// Reads quorum and nodes.
    ///
    /// `GET /cluster/status`; needs `Sys.Audit` on `/`.
    /// Source: pve-manager `PVE/API2/Cluster.pm`.
    pub fn status(self) -> Call<'a, Rows<ClusterStatusEntry>> {
        self.client.call(&cluster::STATUS, &[])
    }

    /// Lists recent tasks of all nodes. A token without `Sys.Audit` on `/` sees nothing, not even its own.
    ///
    /// `GET /cluster/tasks`.
    /// Source: pve-manager `PVE/API2/Cluster.pm`.
    pub fn tasks(self) -> Call<'a, Rows<TaskEntry>> {
        self.client.call(&cluster::TASKS, &[])
    }

    /// Lists the guests that HA manages.
    ///
    /// `GET /cluster/ha/resources`; needs `Sys.Audit` on `/`.
    /// Source: pve-ha-manager `PVE/API2/HA/Resources.pm`.
    pub fn ha_resources(self) -> Call<'a, Rows<HaResource>> {
        self.client.call(&cluster::HA_RESOURCES, &[])
    }
}

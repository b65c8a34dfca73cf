//! A node: its state, its containers, its storages, its disks.

use proxmox_types::params::{
    CreateParams, DiskFilter, RestoreParams, StorageFilter, TaskFilter, VzdumpParams,
};
use proxmox_types::{
    BackupVolume, Certificate, Disk, DiskHealth, LxcStatus, NetworkInterface, NodeName, NodeStatus, NodeTime,
    ReplicationJob, Rows, Service, StorageId, StorageStatus, TaskEntry, Upid, Version, Vmid, VzdumpDefaults,
};

use crate::endpoint::table::{backup, cluster, lxc, node, storage, task};
use crate::{Call, Client, Page, Started};

/// A node.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    pub(crate) client: &'a Client,
    pub(crate) node: &'a NodeName,
}

impl<'a> Node<'a> {
    /// The name of the node.
    pub const fn name(self) -> &'a NodeName {
        self.node
    }

    /// Reads load, memory and root file system.
    ///
    /// `GET /nodes/{node}/status`; needs `Sys.Audit` on `/nodes/{node}`. An unknown node is a 500 that names it.
    /// Source: pve-manager `PVE/API2/Nodes.pm`.
    pub fn status(self) -> Call<'a, NodeStatus> {
        self.client.call(&node::STATUS, &[self.node])
    }

    /// Reads the clock.
    ///
    /// `GET /nodes/{node}/time`; needs `Sys.Audit` on `/nodes/{node}`.
    /// Source: pve-manager `PVE/API2/Nodes.pm`.
    pub fn time(self) -> Call<'a, NodeTime> {
        self.client.call(&node::TIME, &[self.node])
    }

    /// Reads the version of PVE on this node.
    ///
    /// `GET /nodes/{node}/version`; needs no privilege.
    /// Source: pve-manager `PVE/API2/Nodes.pm`.
    pub fn version(self) -> Call<'a, Version> {
        self.client.call(&node::NODE_VERSION, &[self.node])
    }

    /// Lists interfaces and bridges, without what SDN makes.
    ///
    /// `GET /nodes/{node}/network`; bridges without `SDN.Use` or `SDN.Audit` on `/sdn/zones/localnetwork/{bridge}` are
    /// left out.
    /// Source: pve-manager `PVE/API2/Network.pm`; recordings `get-node-network`, `get-node-network.limited`.
    pub fn network(self) -> Call<'a, Rows<NetworkInterface>> {
        self.client.call(&node::NETWORK, &[self.node])
    }

    /// Lists what a container can be connected to: Linux bridges, those of Open vSwitch, and the vnets of SDN.
    ///
    /// `GET /nodes/{node}/network?type=any_bridge`; bridges without `SDN.Use` or `SDN.Audit` on
    /// `/sdn/zones/localnetwork/{bridge}` are left out, vnets without one of them on `/sdn/zones/{zone}/{vnet}`.
    /// Source: pve-manager `PVE/API2/Network.pm`; no recording has the parameter.
    pub fn bridges(self) -> Call<'a, Rows<NetworkInterface>> {
        self.network().parameter("type", "any_bridge")
    }

    /// Lists the services of PVE.
    ///
    /// `GET /nodes/{node}/services`; needs `Sys.Audit` on `/nodes/{node}`.
    /// Source: pve-manager `PVE/API2/Services.pm`.
    pub fn services(self) -> Call<'a, Rows<Service>> {
        self.client.call(&node::SERVICES, &[self.node])
    }

    /// Lists the certificates.
    ///
    /// `GET /nodes/{node}/certificates/info`; needs no privilege.
    /// Source: pve-manager `PVE/API2/Certificates.pm`.
    pub fn certificates(self) -> Call<'a, Rows<Certificate>> {
        self.client.call(&node::CERTIFICATES, &[self.node])
    }

    /// Lists the disks, each with up to 10 s for its health unless the filter leaves health out.
    ///
    /// `GET /nodes/{node}/disks/list`; needs `Sys.Audit` on `/` or `/nodes/{node}`; the 403 names nothing.
    /// Source: pve-storage `PVE/API2/Disks.pm`.
    pub fn disks(self) -> Call<'a, Rows<Disk>, DiskFilter> {
        self.client.call(&node::DISKS, &[self.node])
    }

    /// Reads the health of one disk. PVE turns every failure into `UNKNOWN` and has no temperature.
    ///
    /// `GET /nodes/{node}/disks/smart`; needs `Sys.Audit` on `/`.
    /// Source: pve-storage `PVE/API2/Disks.pm`.
    pub fn smart(self, device: &str) -> Call<'a, DiskHealth> {
        self.client.call(&node::SMART, &[self.node]).parameter("disk", device)
    }

    /// Lists the containers. An empty list may mean that the token sees none: ask for its permissions.
    ///
    /// `GET /nodes/{node}/lxc`; containers without `VM.Audit` on `/vms/{vmid}` are left out.
    /// Source: pve-container `PVE/API2/LXC.pm`.
    pub fn containers(self) -> Call<'a, Rows<LxcStatus>> {
        self.client.call(&lxc::LIST, &[self.node])
    }

    /// Starts creating a container from a template.
    ///
    /// `POST /nodes/{node}/lxc`; needs `VM.Allocate` on `/vms/{vmid}` or the pool, `Datastore.AllocateSpace` on the
    /// storage, a `VM.Config.*` per option and `SDN.Use` per bridge. A taken VMID is refused on the call; a missing
    /// template or a full storage fails in the task. Send the pool if the grant is on the pool: without it the 403 names
    /// nothing.
    /// Source: pve-container `PVE/API2/LXC.pm`, `create_vm`.
    pub fn create(self, params: &CreateParams) -> Call<'a, Upid> {
        let call = self.client.call(&lxc::CREATE, &[self.node]).fields(params);
        call.secret("password", params.password.as_ref()).changing()
    }

    /// Starts restoring a container from a backup, by default to a VMID that is free.
    ///
    /// `POST /nodes/{node}/lxc` with `restore=1`; needs what creating needs, and to read the backup
    /// `Datastore.AllocateSpace` on its storage with `VM.Backup` on its container. Bridges of the backup are checked in
    /// the task.
    /// Source: pve-container `PVE/API2/LXC.pm`, `create_vm`, `PVE/LXC/Create.pm`.
    pub fn restore(self, params: &RestoreParams) -> Call<'a, Upid> {
        self.client.call(&lxc::RESTORE, &[self.node]).fields(params).parameter("restore", 1).changing()
    }

    /// Starts backing containers up. PVE does not say which volume it made: see
    /// [`Storage::backups_made_by`](crate::Storage::backups_made_by).
    ///
    /// `POST /nodes/{node}/vzdump`; needs `Datastore.AllocateSpace` on the storage, and in the task `VM.Backup` on every
    /// container. One missing privilege fails the whole job; with all guests it leaves them out silently, and a job of
    /// none at all ends well. [`Started::Nothing`] is that no chosen guest is on this node: no backup was made.
    /// Source: pve-manager `PVE/API2/VZDump.pm`.
    pub fn vzdump(self, params: &VzdumpParams) -> Call<'a, Started> {
        self.client.call(&backup::VZDUMP, &[self.node]).fields(params).changing()
    }

    /// Reads what a backup does unless it is told otherwise, for a storage or for the node.
    ///
    /// `GET /nodes/{node}/vzdump/defaults`; needs `Datastore.Audit` or `Datastore.AllocateSpace` on the storage.
    /// Source: pve-manager `PVE/API2/VZDump.pm`.
    pub fn vzdump_defaults(self, storage: Option<&StorageId>) -> Call<'a, VzdumpDefaults> {
        self.client.call(&backup::DEFAULTS, &[self.node]).optional("storage", storage)
    }

    /// Reads the configuration inside a backup, as the lines of a configuration file.
    ///
    /// `GET /nodes/{node}/vzdump/extractconfig`; needs `Datastore.AllocateSpace` on the storage and `VM.Backup` on the
    /// container.
    /// Source: pve-manager `PVE/API2/VZDump.pm`.
    pub fn extract_config(self, backup: &BackupVolume) -> Call<'a, alloc::string::String> {
        self.client.call(&backup::EXTRACT_CONFIG, &[self.node]).parameter("volume", backup)
    }

    /// Lists the storages with their space. PVE asks every one of them, so one that hangs makes this slow.
    ///
    /// `GET /nodes/{node}/storage`; storages without `Datastore.Audit` or `Datastore.AllocateSpace` are left out.
    /// Source: pve-storage `PVE/API2/Storage/Status.pm`.
    pub fn storages(self) -> Call<'a, Rows<StorageStatus>, StorageFilter> {
        self.client.call(&storage::LIST, &[self.node])
    }

    /// Lists tasks, by default those that have ended.
    ///
    /// `GET /nodes/{node}/tasks`; without `Sys.Audit` on `/nodes/{node}` only those of the same token.
    /// Source: pve-manager `PVE/API2/Tasks.pm`.
    pub fn tasks(self) -> Call<'a, Page<TaskEntry>, TaskFilter> {
        self.client.page(&task::LIST, &[self.node])
    }

    /// Lists the replication jobs of one container.
    ///
    /// `GET /nodes/{node}/replication?guest=...`; without `VM.Audit` on `/vms/{vmid}` the list is empty.
    /// Source: pve-manager `PVE/API2/Replication.pm`.
    pub fn replication(self, guest: Vmid) -> Call<'a, Rows<ReplicationJob>> {
        self.client.call(&cluster::REPLICATION, &[self.node]).parameter("guest", guest)
    }
}

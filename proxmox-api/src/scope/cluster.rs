//! The cluster: what it has, whether it can act, which VMID is free, and what it replicates.

use alloc::string::ToString;

use proxmox_types::params::{ResourceClass, ResourceFilter};
use proxmox_types::{
    ClusterStatusEntry, HaResource, NodeName, ReplicationJob, Resource, Rows, TaskEntry, Unread, Vmid,
};

use super::place::{Cluster, Node};
use crate::error::{DecodeSnafu, Error};
use crate::{Call, Client};

endpoints! {
    impl Cluster<'a> as self, 'a {
        /// Asks for a VMID that is free now. Nothing is reserved: creating may still find it taken, which
        /// [`Cluster::with_next_id`] takes care of.
        ///
        /// Source: pve-manager `PVE/API2/Cluster.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// let vmid = client.cluster().next_id().await?;
        /// assert!(client.cluster().check_id(vmid).await.is_ok());
        /// # Ok(()) });
        /// ```
        GET "/cluster/nextid" as NEXT_ID "cluster.next_id"
        fn next_id(self) -> Vmid
        needs (any token);

        /// Lists guests, storages, nodes and pools, up to 10 s old.
        ///
        /// Source: pve-manager `PVE/API2/Cluster.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// use types::params::{ResourceClass, ResourceFilter};
        /// let guests = ResourceFilter { class: Some(ResourceClass::Vm) };
        /// println!("{} guests", client.cluster().resources().with(guests).await?.len());
        /// # Ok(()) });
        /// ```
        GET "/cluster/resources" as RESOURCES "cluster.resources"
        fn resources(self) -> Rows<Resource>, with ResourceFilter
        needs (any token)
        check(
            "guests without it are left out; pools need Pool.Audit, storages Datastore.Audit",
            ("VM.Audit" on "/vms/{vmid}"),
            "pve-manager PVE/API2/Cluster.pm, resources"
        ).filters().seen("get-cluster-resources.path100");

        /// Reads quorum and nodes.
        ///
        /// Source: pve-manager `PVE/API2/Cluster.pm`.
        GET "/cluster/status" as STATUS "cluster.status"
        fn status(self) -> Rows<ClusterStatusEntry>
        needs ("Sys.Audit" on "/")
        .protected();

        /// Lists recent tasks of all nodes. A token without the privilege sees nothing, not even its own.
        ///
        /// Source: pve-manager `PVE/API2/Cluster.pm`.
        GET "/cluster/tasks" as TASKS "cluster.tasks"
        fn tasks(self) -> Rows<TaskEntry>
        needs (any token)
        check("all tasks are left out without it", ("Sys.Audit" on "/"), "pve-manager PVE/API2/Cluster.pm, tasks")
            .filters().seen("get-cluster-tasks.limited");

        /// Lists the guests that HA manages.
        ///
        /// Source: pve-ha-manager `PVE/API2/HA/Resources.pm`.
        GET "/cluster/ha/resources" as HA_RESOURCES "cluster.ha_resources"
        fn ha_resources(self) -> Rows<HaResource>
        needs ("Sys.Audit" on "/");
    }

    impl Node<'a> as self, 'a {
        /// Lists the replication jobs of one container.
        ///
        /// Source: pve-manager `PVE/API2/Replication.pm`.
        GET "/nodes/{node}/replication" as REPLICATION "node.replication"
        fn replication(self, guest: Vmid) -> Rows<ReplicationJob> { .parameter("guest", guest) }
        needs (any token)
        .protected()
        check(
            "jobs of guests without it are left out",
            ("VM.Audit" on "/vms/{vmid}"),
            "pve-manager PVE/API2/Replication.pm, status"
        ).filters();
    }
}

impl<'a> Cluster<'a> {
    /// Asks whether a VMID is free; one that is taken is an error that says so.
    ///
    /// `GET /cluster/nextid` with `vmid`; needs no privilege.
    /// Source: pve-manager `PVE/API2/Cluster.pm`.
    pub fn check_id(self, vmid: Vmid) -> Call<'a, Vmid> {
        self.next_id().parameter("vmid", vmid)
    }
}

impl Client {
    /// Finds the node that a guest is on now; nothing if no node has it, or if the token does not see it.
    ///
    /// For a container that its node does not know any more, because somebody or HA moved it.
    /// `GET /cluster/resources` with `type=vm`; needs `VM.Audit` on `/vms/{vmid}`. The nodes in it are those of the moment.
    /// Source: pve-manager `PVE/API2/Cluster.pm`, `resources`.
    ///
    /// ```
    /// # use proxmox_api::*; sim::example(async |client, node, ct| {
    /// if let Some(node) = client.locate(ct.vmid()).await? {
    ///     client.node(&node).lxc(ct.vmid()).start().run().await?;
    /// }
    /// # Ok(()) });
    /// ```
    pub async fn locate(&self, vmid: Vmid) -> Result<Option<NodeName>, Error> {
        let guests = self.cluster().resources().with(ResourceFilter { class: Some(ResourceClass::Vm) });
        let request = guests.request().line();
        let may_be_it = |row: &Unread| row.field("vmid").is_none_or(|number| number == vmid.to_string());
        let rows = guests.unless_unread(may_be_it).await?;
        let row = rows.iter().find(|row| row.vmid.is_none_or(|number| number == vmid));
        match row.map(|row| row.vmid.and_then(|_| row.node.clone())) {
            None => Ok(None),
            Some(Some(node)) => Ok(Some(node)),
            Some(None) => {
                DecodeSnafu { request, path: "data", reason: "a guest has no number or no node" }.fail()
            }
        }
    }
}

//! A node: version, status, network, disks, certificates, services.

use proxmox_types::params::DiskFilter;
use proxmox_types::{
    Certificate, Disk, DiskHealth, NetworkInterface, NodeEntry, NodeStatus, NodeTime, Rows, Service, Version,
};

use super::place::Node;
use crate::endpoint::Pace;
use crate::{Call, Client};

endpoints! {
    impl Client as self, '_ {
        /// Reads the version of the server. The cheapest call that proves the token.
        ///
        /// Source: pve-manager `PVE/API2.pm`.
        GET "/version" as VERSION "version"
        fn version(&self) -> Version
        needs (any token);

        /// Lists the nodes of the cluster. Load and space are left out without `Sys.Audit` on `/nodes/{node}`.
        ///
        /// Source: pve-manager `PVE/API2/Nodes.pm`.
        GET "/nodes" as LIST "node.list"
        fn nodes(&self) -> Rows<NodeEntry>
        needs (any token);
    }

    impl Node<'a> as self, 'a {
        /// Reads load, memory and root file system. An unknown node is a 500 that names it.
        ///
        /// Source: pve-manager `PVE/API2/Nodes.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// let status = node.status().await?;
        /// println!("load {:?}", status.loadavg);
        /// # Ok(()) });
        /// ```
        GET "/nodes/{node}/status" as STATUS "node.status"
        fn status(self) -> NodeStatus
        needs ("Sys.Audit" on "/nodes/{node}");

        /// Reads the clock.
        ///
        /// Source: pve-manager `PVE/API2/Nodes.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// println!("{}", node.time().await?.timezone);
        /// # Ok(()) });
        /// ```
        GET "/nodes/{node}/time" as TIME "node.time"
        fn time(self) -> NodeTime
        needs ("Sys.Audit" on "/nodes/{node}");

        /// Reads the version of PVE on this node.
        ///
        /// Source: pve-manager `PVE/API2/Nodes.pm`.
        GET "/nodes/{node}/version" as NODE_VERSION "node.version"
        fn version(self) -> Version
        needs (any token);

        /// Lists interfaces and bridges, without what SDN makes.
        ///
        /// Source: pve-manager `PVE/API2/Network.pm`; recordings `get-node-network`, `get-node-network.limited`.
        GET "/nodes/{node}/network" as NETWORK "node.network"
        fn network(self) -> Rows<NetworkInterface>
        needs (any token)
        check(
            "bridges without one of them are left out",
            ("SDN.Audit" or "SDN.Use" on "/sdn/zones/localnetwork/{iface}"),
            "pve-manager PVE/API2/Network.pm, index"
        ).filters().seen("get-node-network.limited");

        /// Lists the services of PVE.
        ///
        /// Source: pve-manager `PVE/API2/Services.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// for service in node.services().await?.iter().filter(|service| !service.is_running()) {
        ///     println!("{} does not run", service.name);
        /// }
        /// # Ok(()) });
        /// ```
        GET "/nodes/{node}/services" as SERVICES "node.services"
        fn services(self) -> Rows<Service>
        needs ("Sys.Audit" on "/nodes/{node}")
        .protected();

        /// Lists the certificates.
        ///
        /// Source: pve-manager `PVE/API2/Certificates.pm`.
        GET "/nodes/{node}/certificates/info" as CERTIFICATES "node.certificates"
        fn certificates(self) -> Rows<Certificate>
        needs (any token);

        /// Lists the disks, each with up to 10 s for its health unless the filter leaves health out. The 403 names
        /// nothing.
        ///
        /// Source: pve-storage `PVE/API2/Disks.pm`.
        GET "/nodes/{node}/disks/list" as DISKS "disk.list"
        fn disks(self) -> Rows<Disk>, with DiskFilter
        needs (either ("Sys.Audit" on "/") ("Sys.Audit" on "/nodes/{node}"))
        .paced(Pace::Storage)
        .protected();

        /// Reads the health of one disk. PVE turns every failure into `UNKNOWN` and has no temperature.
        ///
        /// Source: pve-storage `PVE/API2/Disks.pm`.
        GET "/nodes/{node}/disks/smart" as SMART "disk.smart"
        fn smart(self, disk: &str) -> DiskHealth { .parameter("disk", disk) }
        needs ("Sys.Audit" on "/")
        .paced(Pace::Storage)
        .protected();
    }
}

impl<'a> Node<'a> {
    /// Lists what a container can be connected to: Linux bridges, those of Open vSwitch, and the vnets of SDN.
    ///
    /// `GET /nodes/{node}/network` with `type=any_bridge`; bridges without `SDN.Use` or `SDN.Audit` on
    /// `/sdn/zones/localnetwork/{bridge}` are left out, vnets without one of them on `/sdn/zones/{zone}/{vnet}`.
    /// Source: pve-manager `PVE/API2/Network.pm`; no recording has the parameter.
    pub fn bridges(self) -> Call<'a, Rows<NetworkInterface>> {
        self.network().parameter("type", "any_bridge")
    }
}

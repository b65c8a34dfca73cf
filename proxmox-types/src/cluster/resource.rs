//! Everything that a cluster has.

use alloc::string::String;

use serde::Deserialize;

use crate::storage::ContentType;
use crate::text::open_text;
use crate::{CommaList, Lock, NodeName, PoolId, StorageId, Tags, Vmid, lenient::needed};

open_text!(
    /// Kind of a resource.
    ///
    /// Source: pve-manager `PVE/API2/Cluster.pm`; recording `get-cluster-resources`.
    pub enum ResourceType {
        /// A container.
        Lxc = "lxc",
        /// A network, such as a zone.
        Network = "network",
        /// A node.
        Node = "node",
        /// A pool of guests and storages.
        Pool = "pool",
        /// A virtual machine.
        Qemu = "qemu",
        /// A zone of the software-defined network.
        Sdn = "sdn",
        /// A storage on a node.
        Storage = "storage",
    }
);

/// A row of `GET /cluster/resources` and a member in `GET /pools`. What a key means depends on the kind.
///
/// What the token may not see is left out silently. Sizes and traffic are in bytes and some 10 s old. For about 10 s
/// after a node booted its guests have the status `unknown` and no numbers.
///
/// Source: pve-manager `PVE/API2/Cluster.pm` and `PVE/API2Tools.pm`; recordings `get-cluster-resources`,
/// `get-pools-poolid`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Resource {
    /// `lxc/101`, `node/pve1`, `storage/pve1/local`, `/pool/felhom`.
    pub id: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: ResourceType,
    /// `running`, `stopped` or `unknown` for a guest, `online` for a node, `available` for a storage. Absent on pools.
    pub status: Option<String>,
    /// Node that it is on. Absent on pools.
    #[serde(default, deserialize_with = "needed")]
    pub node: Option<NodeName>,
    /// The guest.
    #[serde(default, deserialize_with = "needed")]
    pub vmid: Option<Vmid>,
    /// Name of the guest.
    pub name: Option<String>,
    /// Pool of a guest, or the pool itself.
    pub pool: Option<PoolId>,
    /// Why the configuration of a guest is locked.
    #[serde(default, deserialize_with = "needed")]
    pub lock: Option<Lock>,
    /// Tags of a guest.
    #[serde(default)]
    pub tags: Tags,
    /// Whether a guest is a template.
    pub template: Option<bool>,
    /// State of a guest under high availability.
    pub hastate: Option<String>,
    /// Seconds since the start; may be slightly negative just after it.
    pub uptime: Option<i64>,
    /// Used CPU time as a fraction of the cores, 0 to 1; may be slightly negative.
    pub cpu: Option<f64>,
    /// Cores.
    pub maxcpu: Option<f64>,
    /// Used memory.
    pub mem: Option<u64>,
    /// Memory that a virtual machine takes on the node.
    pub memhost: Option<u64>,
    /// Memory.
    pub maxmem: Option<u64>,
    /// Used space.
    pub disk: Option<u64>,
    /// Size.
    pub maxdisk: Option<u64>,
    /// Read from disk by a guest since its start.
    pub diskread: Option<u64>,
    /// Written to disk by a guest since its start.
    pub diskwrite: Option<u64>,
    /// Received by a guest since its start.
    pub netin: Option<u64>,
    /// Sent by a guest since its start.
    pub netout: Option<u64>,
    /// The storage.
    pub storage: Option<StorageId>,
    /// Kind of a storage: `dir`, `zfspool`, ...
    pub plugintype: Option<String>,
    /// What a storage may hold.
    pub content: Option<CommaList<ContentType>>,
    /// Whether all nodes see the same volumes of a storage.
    pub shared: Option<bool>,
    /// The network.
    pub network: Option<String>,
    /// Kind of a network: `zone` or `fabric`.
    #[serde(rename = "network-type")]
    pub network_type: Option<String>,
    /// Version of a node's control groups.
    #[serde(rename = "cgroup-mode")]
    pub cgroup_mode: Option<u8>,
    /// Subscription level of a node; empty without one.
    pub level: Option<String>,
}

impl Resource {
    /// Whether it is a container of that node.
    pub fn is_container_of(&self, node: &NodeName) -> bool {
        self.kind == ResourceType::Lxc && self.node.as_ref() == Some(node)
    }
}

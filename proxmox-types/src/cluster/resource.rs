//! Everything that a cluster has.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::storage::ContentType;
use crate::text::open_text;
use crate::{CommaList, Lock, NodeName, PoolId, StorageId, Tags, Vmid, lenient};

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Resource {
    /// `lxc/101`, `node/pve1`, `storage/pve1/local`, `/pool/felhom`.
    pub id: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: ResourceType,
    /// `running`, `stopped` or `unknown` for a guest, `online` for a node, `available` for a storage. Absent on pools.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Node that it is on. Absent on pools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeName>,
    /// The guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vmid: Option<Vmid>,
    /// Name of the guest.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Pool of a guest, or the pool itself.
    #[serde(default, deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolId>,
    /// Why the configuration of a guest is locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<Lock>,
    /// Tags of a guest.
    #[serde(default)]
    pub tags: Tags,
    /// Whether a guest is a template.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub template: Option<bool>,
    /// State of a guest under high availability.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub hastate: Option<String>,
    /// Seconds since the start; may be slightly negative just after it.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub uptime: Option<i64>,
    /// Used CPU time as a fraction of the cores, 0 to 1; may be slightly negative.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Cores.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub maxcpu: Option<f64>,
    /// Used memory.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub mem: Option<u64>,
    /// Memory that a virtual machine takes on the node.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub memhost: Option<u64>,
    /// Memory.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub maxmem: Option<u64>,
    /// Used space.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub disk: Option<u64>,
    /// Size.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub maxdisk: Option<u64>,
    /// Read from disk by a guest since its start.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub diskread: Option<u64>,
    /// Written to disk by a guest since its start.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub diskwrite: Option<u64>,
    /// Received by a guest since its start.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub netin: Option<u64>,
    /// Sent by a guest since its start.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub netout: Option<u64>,
    /// The storage.
    #[serde(default, deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageId>,
    /// Kind of a storage: `dir`, `zfspool`, ...
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub plugintype: Option<String>,
    /// What a storage may hold.
    #[serde(default, deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub content: Option<CommaList<ContentType>>,
    /// Whether all nodes see the same volumes of a storage.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub shared: Option<bool>,
    /// The network.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Kind of a network: `zone` or `fabric`.
    #[serde(
        default,
        rename = "network-type",
        deserialize_with = "lenient::scalar",
        skip_serializing_if = "Option::is_none"
    )]
    pub network_type: Option<String>,
    /// Version of a node's control groups.
    #[serde(
        default,
        rename = "cgroup-mode",
        deserialize_with = "lenient::scalar",
        skip_serializing_if = "Option::is_none"
    )]
    pub cgroup_mode: Option<u8>,
    /// Subscription level of a node; empty without one.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
}

impl Resource {
    /// Whether it is a container of that node.
    pub fn is_container_of(&self, node: &NodeName) -> bool {
        self.kind == ResourceType::Lxc && self.node.as_ref() == Some(node)
    }
}

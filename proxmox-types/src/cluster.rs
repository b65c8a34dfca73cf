//! The shapes of a cluster: its members, its resources and pools, and the version that answers.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use crate::lenient::needed;
use crate::text::open_text;
use crate::{CommaList, ContentType, Digest, Lock, NodeName, PoolId, StorageId, Tags, Vmid};

/// A row of `GET /cluster/status`: the cluster itself, if there is one, and each node.
///
/// Source: pve-manager `PVE/API2/Cluster.pm`; recording `get-cluster-status`, of a single node. What only a cluster
/// has is from the schema.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ClusterStatusEntry {
    /// `cluster` or `node`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `cluster` or `node/NAME`.
    pub id: String,
    /// Name of the cluster or of the node.
    pub name: String,
    /// Whether the cluster has a majority; only on the cluster.
    pub quorate: Option<bool>,
    /// Number of nodes; only on the cluster.
    pub nodes: Option<u32>,
    /// Version of the cluster's configuration; only on the cluster.
    pub version: Option<u64>,
    /// Number of the node, 0 without a cluster.
    pub nodeid: Option<u32>,
    /// Whether the node is part of the cluster right now.
    pub online: Option<bool>,
    /// Whether the node is the one that answers.
    pub local: Option<bool>,
    /// Address of the node.
    pub ip: Option<String>,
    /// Subscription level of the node; empty without one.
    pub level: Option<String>,
}

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

/// A row of `GET /pools`.
///
/// Source: pve-manager `PVE/API2/Pool.pm`; recordings `get-pools.root`, `get-pools-poolid`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Pool {
    /// The pool.
    pub poolid: PoolId,
    /// Comment.
    pub comment: Option<String>,
    /// Its members that the token may see; only if the pool was asked for by name.
    #[serde(default, deserialize_with = "needed")]
    pub members: Option<Vec<Resource>>,
}

/// A row of `GET /cluster/ha/resources`: a guest that the manager starts, stops and moves by itself.
///
/// The schema declares only `sid`, and the recording `get-cluster-ha-resources` is empty.
///
/// Source: pve-ha-manager `PVE/API2/HA/Resources.pm`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct HaResource {
    /// The guest: `ct:101`.
    pub sid: String,
    /// `ct` or `vm`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// State that the manager wants: `started`, `stopped`, `disabled`, `ignored`.
    pub state: Option<String>,
    /// Group of nodes that it is bound to.
    pub group: Option<String>,
    /// How often its start is tried on a node.
    pub max_restart: Option<u32>,
    /// How often it is moved after its start failed.
    pub max_relocate: Option<u32>,
    /// Comment.
    pub comment: Option<String>,
    /// Digest of the file with all resources.
    pub digest: Option<Digest>,
}

/// A row of `GET /cluster/replication`.
///
/// Source: pve-manager `PVE/API2/ReplicationConfig.pm` and its schema; the recording `get-cluster-replication` is empty.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct ReplicationJob {
    /// The job: `101-0`.
    pub id: String,
    /// Kind: `local`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The guest.
    pub guest: Vmid,
    /// Number of the job among those of the guest.
    pub jobnum: u32,
    /// Node that the volumes go to.
    pub target: NodeName,
    /// Node that they come from.
    pub source: Option<NodeName>,
    /// When it runs, as a calendar event; PVE's default is every 15 minutes.
    pub schedule: Option<String>,
    /// Rate limit in MB/s.
    pub rate: Option<f64>,
    /// Whether it is switched off.
    #[serde(default)]
    pub disable: bool,
    /// Comment.
    pub comment: Option<String>,
    /// Set while the job is being removed: `local` keeps the copies, `full` removes them.
    pub remove_job: Option<String>,
}

/// Answer of `GET /version` and `GET /nodes/{node}/version`: the cheapest call that needs a valid token and no rights.
///
/// Source: pve-manager `PVE/API2.pm`; recording `get-version`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Version {
    /// Version of pve-manager: `9.2.11`.
    pub version: String,
    /// Release: `9.2`.
    pub release: String,
    /// Commit of pve-manager in hex.
    pub repoid: String,
    /// Console that the data centre prefers.
    pub console: Option<String>,
}

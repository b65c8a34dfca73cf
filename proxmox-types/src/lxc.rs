//! The shapes of a container, and what it can do: be snapshotted, cloned, copied, moved.

mod config;
mod options;
mod snapshot;
mod status;

pub use config::LxcConfig;
pub use options::{Arch, CommonOptions, ConsoleMode, LxcOptions};
pub(crate) use options::{read_indexed, write_indexed};
pub use snapshot::{PendingChange, SnapshotEntry, SnapshotState};
pub use status::{GuestStatus, HaManagement, IpAddress, Lock, LxcInterface, LxcStatus};

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use crate::NodeName;

/// Answer of `GET /nodes/{node}/lxc/{vmid}/feature`: whether all volumes can be snapshotted, cloned or copied.
///
/// Source: pve-container `PVE/API2/LXC.pm`; recordings `get-lxc-feature-*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Feature {
    /// Whether it can. A bind mount or a storage of type `dir` makes snapshots impossible.
    #[serde(rename = "hasFeature")]
    pub has_feature: bool,
}

/// Answer of `GET /nodes/{node}/lxc/{vmid}/migrate`.
///
/// A node that does not exist is taken as a target all the same.
///
/// Source: pve-container `PVE/API2/LXC.pm`, `migrate_vm_precondition`, which nests the reasons below the node's name
/// where the schema does not; recording `migrate-preconditions-full`, of a node that is alone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct MigratePreconditions {
    /// Whether the container runs; it must then be restarted to move.
    pub running: bool,
    /// Nodes to which it can move.
    #[serde(default)]
    pub allowed_nodes: Vec<NodeName>,
    /// Nodes to which it cannot move, and why.
    #[serde(default)]
    pub not_allowed_nodes: BTreeMap<String, NotAllowedNode>,
    /// Resources that high availability would move along, as `ct:101`.
    #[serde(default)]
    pub dependent_ha_resources: Vec<String>,
}

/// Why a container cannot move to a node.
///
/// Source: the schema of `GET /nodes/{node}/lxc/{vmid}/migrate`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct NotAllowedNode {
    /// Resources under high availability that are in the way.
    #[serde(default)]
    pub blocking_ha_resources: Vec<BlockingHaResource>,
}

/// A resource under high availability that keeps a container from a node.
///
/// Source: the schema of `GET /nodes/{node}/lxc/{vmid}/migrate`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct BlockingHaResource {
    /// The resource, as `ct:101`.
    pub sid: String,
    /// Which rule it is: `node-affinity` or `resource-affinity`.
    pub cause: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_nested_below_the_node() {
        let json = r#"{"running":0,"allowed-nodes":["pve2"],"not-allowed-nodes":{"pve3":{"blocking-ha-resources":
            [{"sid":"ct:101","cause":"resource-affinity"}]}},"dependent-ha-resources":["ct:102"]}"#;
        let read: MigratePreconditions = crate::lenient::from_text(json).unwrap();
        let cause =
            read.not_allowed_nodes.get("pve3").map(|node| node.blocking_ha_resources[0].cause.as_str());
        assert_eq!(
            (read.running, read.allowed_nodes[0].as_str(), cause, read.dependent_ha_resources[0].as_str()),
            (false, "pve2", Some("resource-affinity"), "ct:102")
        );
    }
}

//! The nodes of a cluster.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::text::open_text;
use crate::{Fingerprint, NodeName, lenient};

open_text!(
    /// Whether a node can be reached.
    ///
    /// Source: pve-manager `PVE/API2Tools.pm`, `extract_node_stats`; recording `get-nodes`.
    pub enum NodeState {
        /// It is part of the cluster.
        Online = "online",
        /// It is not.
        Offline = "offline",
        /// Its statistics have not arrived.
        Unknown = "unknown",
    }
);

/// A row of `GET /nodes`. Every node is listed; the numbers need `Sys.Audit` on it and are up to 10 s old.
///
/// Sizes are in bytes.
///
/// Source: pve-manager `PVE/API2/Nodes.pm`; recordings `get-nodes`, `get-nodes.none`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeEntry {
    /// The node.
    pub node: NodeName,
    /// Whether it can be reached.
    pub status: NodeState,
    /// Subscription level; empty without one.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Fingerprint of the certificate that it serves.
    #[serde(default, deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub ssl_fingerprint: Option<Fingerprint>,
    /// Seconds since it booted.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub uptime: Option<i64>,
    /// Used CPU time as a fraction of all cores, 0 to 1.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Cores.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub maxcpu: Option<u32>,
    /// Used memory.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub mem: Option<u64>,
    /// Memory.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub maxmem: Option<u64>,
    /// Used space of the root file system.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub disk: Option<u64>,
    /// Size of the root file system.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub maxdisk: Option<u64>,
}

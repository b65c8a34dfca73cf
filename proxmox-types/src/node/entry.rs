//! The nodes of a cluster.

use alloc::string::String;

use serde::Deserialize;

use crate::text::open_text;
use crate::{Fingerprint, NodeName};

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
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct NodeEntry {
    /// The node.
    pub node: NodeName,
    /// Whether it can be reached.
    pub status: NodeState,
    /// Subscription level; empty without one.
    pub level: Option<String>,
    /// Fingerprint of the certificate that it serves.
    pub ssl_fingerprint: Option<Fingerprint>,
    /// Seconds since it booted.
    pub uptime: Option<i64>,
    /// Used CPU time as a fraction of all cores, 0 to 1.
    pub cpu: Option<f64>,
    /// Cores.
    pub maxcpu: Option<u32>,
    /// Used memory.
    pub mem: Option<u64>,
    /// Memory.
    pub maxmem: Option<u64>,
    /// Used space of the root file system.
    pub disk: Option<u64>,
    /// Size of the root file system.
    pub maxdisk: Option<u64>,
}

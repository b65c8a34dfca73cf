//! The members of a cluster.

use alloc::string::String;

use serde::Deserialize;

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

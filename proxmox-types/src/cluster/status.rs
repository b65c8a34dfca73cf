//! The members of a cluster.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::lenient;

/// A row of `GET /cluster/status`: the cluster itself, if there is one, and each node.
///
/// Source: pve-manager `PVE/API2/Cluster.pm`; recording `get-cluster-status`, of a single node. What only a cluster
/// has is from the schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub quorate: Option<bool>,
    /// Number of nodes; only on the cluster.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub nodes: Option<u32>,
    /// Version of the cluster's configuration; only on the cluster.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Number of the node, 0 without a cluster.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub nodeid: Option<u32>,
    /// Whether the node is part of the cluster right now.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub online: Option<bool>,
    /// Whether the node is the one that answers.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub local: Option<bool>,
    /// Address of the node.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// Subscription level of the node; empty without one.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
}

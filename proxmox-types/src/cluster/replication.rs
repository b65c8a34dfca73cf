//! Replication of volumes to another node.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::{NodeName, Vmid, lenient, scalar};

/// A row of `GET /cluster/replication`.
///
/// Source: pve-manager `PVE/API2/ReplicationConfig.pm` and its schema; the recording `get-cluster-replication` is empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    #[serde(deserialize_with = "scalar::required")]
    pub jobnum: u32,
    /// Node that the volumes go to.
    pub target: NodeName,
    /// Node that they come from.
    #[serde(default, deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub source: Option<NodeName>,
    /// When it runs, as a calendar event; PVE's default is every 15 minutes.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Rate limit in MB/s.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Whether it is switched off.
    #[serde(default, deserialize_with = "scalar::required")]
    pub disable: bool,
    /// Comment.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Set while the job is being removed: `local` keeps the copies, `full` removes them.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub remove_job: Option<String>,
}

//! Replication of volumes to another node.

use alloc::string::String;

use serde::Deserialize;

use crate::{NodeName, Vmid};

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

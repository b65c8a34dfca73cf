//! Guests under high availability.

use alloc::string::String;

use serde::Deserialize;

use crate::Digest;

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

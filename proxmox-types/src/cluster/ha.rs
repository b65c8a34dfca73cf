//! Guests under high availability.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::{Digest, lenient};

/// A row of `GET /cluster/ha/resources`: a guest that the manager starts, stops and moves by itself.
///
/// The schema declares only `sid`, and the recording `get-cluster-ha-resources` is empty.
///
/// Source: pve-ha-manager `PVE/API2/HA/Resources.pm`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HaResource {
    /// The guest: `ct:101`.
    pub sid: String,
    /// `ct` or `vm`.
    #[serde(
        default,
        rename = "type",
        deserialize_with = "lenient::scalar",
        skip_serializing_if = "Option::is_none"
    )]
    pub kind: Option<String>,
    /// State that the manager wants: `started`, `stopped`, `disabled`, `ignored`.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Group of nodes that it is bound to.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// How often its start is tried on a node.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub max_restart: Option<u32>,
    /// How often it is moved after its start failed.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub max_relocate: Option<u32>,
    /// Comment.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Digest of the file with all resources.
    #[serde(default, deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

//! The clock of a node.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::{lenient, scalar};

/// Answer of `GET /nodes/{node}/time`.
///
/// Source: pve-manager `PVE/API2/Nodes.pm`; recording `get-node-time`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeTime {
    /// Seconds since 1970, UTC.
    #[serde(deserialize_with = "scalar::required")]
    pub time: u64,
    /// Seconds since 1970 with the offset of the time zone added.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub localtime: Option<u64>,
    /// Time zone: `Etc/UTC`.
    pub timezone: String,
}

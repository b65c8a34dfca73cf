//! The clock of a node.

use alloc::string::String;

use serde::Deserialize;

/// Answer of `GET /nodes/{node}/time`.
///
/// Source: pve-manager `PVE/API2/Nodes.pm`; recording `get-node-time`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct NodeTime {
    /// Seconds since 1970, UTC.
    pub time: u64,
    /// Seconds since 1970 with the offset of the time zone added.
    pub localtime: Option<u64>,
    /// Time zone: `Etc/UTC`.
    pub timezone: String,
}

//! Which Proxmox VE answers.

use alloc::string::String;

use serde::Deserialize;

/// Answer of `GET /version` and `GET /nodes/{node}/version`: the cheapest call that needs a valid token and no rights.
///
/// Source: pve-manager `PVE/API2.pm`; recording `get-version`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Version {
    /// Version of pve-manager: `9.2.11`.
    pub version: String,
    /// Release: `9.2`.
    pub release: String,
    /// Commit of pve-manager in hex.
    pub repoid: String,
    /// Console that the data centre prefers.
    pub console: Option<String>,
}

//! System services of a node.

use alloc::string::String;

use serde::Deserialize;

/// A row of `GET /nodes/{node}/services`.
///
/// Source: pve-manager `PVE/API2/Services.pm`; recording `get-node-services`, from a server without systemd.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Service {
    /// Name that PVE uses: `pveproxy`.
    pub service: String,
    /// Name of the unit.
    pub name: String,
    /// Description of the unit.
    pub desc: String,
    /// State in detail: `running`, `dead`, `exited`, ...
    pub state: String,
    /// State as systemd sums it up: `active`, `inactive`, `failed`, ...
    pub active_state: String,
    /// Whether it starts with the node: `enabled`, `disabled`, `masked`, `not-found`, ...
    pub unit_state: String,
}

impl Service {
    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.state == "running"
    }
}

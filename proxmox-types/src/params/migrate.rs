//! Moving a container to another node.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::NodeName;

/// Parameters of `POST /nodes/{node}/lxc/{vmid}/migrate`. A running container needs `restart`.
///
/// Source: pve-container `PVE/API2/LXC.pm`, `migrate_vm`; recordings `migrate-*`, all refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MigrateParams {
    /// The node.
    pub target: NodeName,
    /// Which storage goes where: `local-zfs:tank,local:local`, one id for all, or `1` for the same names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_storage: Option<String>,
    /// Whether it moves while it runs, which PVE does not implement for containers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub online: Option<bool>,
    /// Whether a running container is stopped here and started there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart: Option<bool>,
    /// Seconds to wait for it to stop; PVE's default is 180.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    /// Rate limit in KiB/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bwlimit: Option<u64>,
}

impl MigrateParams {
    /// A move with PVE's defaults.
    pub const fn new(target: NodeName) -> Self {
        Self { target, target_storage: None, online: None, restart: None, timeout: None, bwlimit: None }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_full_value_has_the_documented_keys() {
        let sent = json!({
            "target": "pve2", "target-storage": "1", "online": false, "restart": true, "timeout": 60, "bwlimit": 0,
        });
        let params: MigrateParams = serde_json::from_value(sent.clone()).unwrap();
        assert_eq!(serde_json::to_value(params).unwrap(), sent);
        assert_eq!(
            serde_json::to_value(MigrateParams::new("pve2".parse().unwrap())).unwrap(),
            json!({ "target": "pve2" })
        );
    }
}

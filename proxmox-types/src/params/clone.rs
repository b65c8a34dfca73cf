//! Copying a container.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::{Hostname, NodeName, PoolId, SnapshotName, StorageId, Vmid};

/// Parameters of `POST /nodes/{node}/lxc/{vmid}/clone`. The copy gets new MAC addresses.
///
/// Source: pve-container `PVE/API2/LXC.pm`, `clone_vm`; recordings `clone-ok-full`, `clone-running-from-snap`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloneParams {
    /// The copy.
    pub newid: Vmid,
    /// Host name of the copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<Hostname>,
    /// Description of the copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Pool that the copy joins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolId>,
    /// Snapshot that is copied. A running container can only be copied from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapname: Option<SnapshotName>,
    /// Storage of the copy; only with `full`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageId>,
    /// Whether all data is copied. PVE's default is yes, except for a template, whose copies share its data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full: Option<bool>,
    /// Node of the copy, if all volumes are on shared storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<NodeName>,
    /// Rate limit in KiB/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bwlimit: Option<u64>,
}

impl CloneParams {
    /// A copy with PVE's defaults.
    pub const fn new(newid: Vmid) -> Self {
        Self {
            newid,
            hostname: None,
            description: None,
            pool: None,
            snapname: None,
            storage: None,
            full: None,
            target: None,
            bwlimit: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_full_value_has_the_documented_keys() {
        let sent = json!({
            "newid": 131, "hostname": "copy", "description": "x", "pool": "felhom", "snapname": "s1",
            "storage": "local-zfs", "full": true, "target": "pve2", "bwlimit": 1024,
        });
        let params: CloneParams = serde_json::from_value(sent.clone()).unwrap();
        assert_eq!(serde_json::to_value(params).unwrap(), sent);
        assert_eq!(
            serde_json::to_value(CloneParams::new(131.try_into().unwrap())).unwrap(),
            json!({ "newid": 131 })
        );
    }
}

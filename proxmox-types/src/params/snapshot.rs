//! Taking, changing, deleting and going back to a snapshot.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// Parameters of `POST /nodes/{node}/lxc/{vmid}/snapshot` beside `snapname`.
///
/// Source: pve-container `PVE/API2/LXC/Snapshot.pm`; recordings `st-snapshot`, `snapshot-create-*`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotParams {
    /// Description. Comes back with a trailing newline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Parameters of `PUT /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config`.
///
/// Source: pve-container `PVE/API2/LXC/Snapshot.pm`; recording `snapshot-config-put`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotConfigParams {
    /// Description. Without it nothing changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Parameters of `DELETE /nodes/{node}/lxc/{vmid}/snapshot/{snapname}`.
///
/// Source: pve-container `PVE/API2/LXC/Snapshot.pm`; recording `delsnap-vzdump-after-unlock`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteSnapshotParams {
    /// Whether it goes from the configuration even if deleting the snapshots of the volumes fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force: Option<bool>,
}

/// Parameters of `POST /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback`. A running container is stopped hard.
///
/// Source: pve-container `PVE/API2/LXC/Snapshot.pm`; recording `rollback-start-snaponly`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RollbackParams {
    /// Whether to start it afterwards, in a task of its own that may fail after this one succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<bool>,
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;

    #[test]
    fn full_values_have_the_documented_keys() {
        let description = Some(String::from("x"));
        assert_eq!(
            to_value(SnapshotParams { description: description.clone() }).unwrap(),
            json!({ "description": "x" })
        );
        assert_eq!(to_value(SnapshotConfigParams { description }).unwrap(), json!({ "description": "x" }));
        assert_eq!(to_value(DeleteSnapshotParams { force: Some(true) }).unwrap(), json!({ "force": true }));
        assert_eq!(to_value(RollbackParams { start: Some(true) }).unwrap(), json!({ "start": true }));
    }
}

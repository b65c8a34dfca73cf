//! Changing, deleting and allocating volumes on a storage.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::Vmid;

/// Parameters of `PUT /nodes/{node}/storage/{storage}/content/{volume}`, for backups.
///
/// Source: pve-storage `PVE/API2/Storage/Content.pm`; recordings `content-put-backuponly`, `lp-protect`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeParams {
    /// New notes; the empty text removes them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// Whether it is protected from deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protected: Option<bool>,
}

/// Parameters of `DELETE /nodes/{node}/storage/{storage}/content/{volume}`.
///
/// Source: pve-storage `PVE/API2/Storage/Content.pm`; recording `content-volume-delete-delay`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteVolumeParams {
    /// Seconds to wait for the deletion, 1 to 30. If it ends in time the answer is null instead of a task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<u8>,
}

/// Parameters of `POST /nodes/{node}/storage/{storage}/content`, which answers with the id of the new volume.
///
/// Source: pve-storage `PVE/API2/Storage/Content.pm`; recording `allocate-r2-agent`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllocateParams {
    /// Guest that owns it.
    pub vmid: Vmid,
    /// Name of the volume: `vm-101-disk-5`.
    pub filename: String,
    /// Size in KiB, or with `M` or `G`.
    pub size: String,
    /// Format: `raw`, `qcow2`, `subvol` or `vmdk`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;

    #[test]
    fn full_values_have_the_documented_keys() {
        assert_eq!(
            to_value(VolumeParams { notes: Some("x".into()), protected: Some(true) }).unwrap(),
            json!({ "notes": "x", "protected": true })
        );
        assert_eq!(to_value(DeleteVolumeParams { delay: Some(5) }).unwrap(), json!({ "delay": 5 }));
        let allocate = AllocateParams {
            vmid: 101.try_into().unwrap(),
            filename: "vm-101-disk-5".into(),
            size: "8G".into(),
            format: Some("raw".into()),
        };
        assert_eq!(
            to_value(allocate).unwrap(),
            json!({ "vmid": 101, "filename": "vm-101-disk-5", "size": "8G", "format": "raw" })
        );
    }
}

//! Moving a volume of a container.

use serde::{Deserialize, Serialize};

use crate::{Digest, StorageId, Vmid, VolumeKey};

/// Parameters of `POST /nodes/{node}/lxc/{vmid}/move_volume`. The container must be stopped.
///
/// Source: pve-container `PVE/API2/LXC.pm`, `move_volume`; recording `move-volume`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MoveVolumeParams {
    /// The volume.
    pub volume: VolumeKey,
    /// Where it goes.
    #[serde(flatten)]
    pub to: MoveTarget,
    /// Which option of the other container holds it; PVE's default is the same as here. Only with a container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_volume: Option<VolumeKey>,
    /// Whether the old copy is deleted; else it stays as `unusedN`. Only with a storage; PVE's default is no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete: Option<bool>,
    /// Digest of the configuration that was read; if it is another by now, PVE changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Digest of the other container's configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_digest: Option<Digest>,
    /// Rate limit in KiB/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bwlimit: Option<u64>,
}

/// Where a volume goes: PVE takes exactly one of the two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MoveTarget {
    /// To another storage; sent as `storage`.
    #[serde(rename = "storage")]
    Storage(StorageId),
    /// To another container; sent as `target-vmid`.
    #[serde(rename = "target-vmid")]
    Container(Vmid),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn full_values_have_the_documented_keys() {
        let to_storage =
            json!({ "volume": "rootfs", "storage": "local-zfs", "delete": true, "bwlimit": 1024 });
        let to_container = json!({
            "volume": "unused0", "target-vmid": 102, "target-volume": "mp1", "digest": "aa", "target-digest": "bb",
        });
        for sent in [to_storage, to_container] {
            let params: MoveVolumeParams = serde_json::from_value(sent.clone()).unwrap();
            assert_eq!(serde_json::to_value(params).unwrap(), sent);
        }
    }

    #[test]
    fn two_targets_are_refused() {
        let sent = json!({ "volume": "rootfs", "storage": "local-zfs", "target-vmid": 102 });
        let error = serde_json::from_value::<MoveVolumeParams>(sent).unwrap_err();
        assert_eq!(alloc::format!("{error}"), "unknown field `target-vmid`");
    }
}

//! Growing a volume of a container.

use serde::{Deserialize, Serialize};

use crate::{Digest, DiskSize, VolumeKey};

/// Parameters of `PUT /nodes/{node}/lxc/{vmid}/resize`.
///
/// The task also succeeds if the volume grew and the file system on it did not.
///
/// Source: pve-container `PVE/API2/LXC.pm`, `resize_vm`; recordings `resize-ok`, `resize-shrink`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResizeParams {
    /// The volume; PVE refuses `unusedN`.
    pub disk: VolumeKey,
    /// Its new size, or how much it grows.
    pub size: DiskSize,
    /// Digest of the configuration that was read; if it is another by now, PVE changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_full_value_has_the_documented_keys() {
        let params = ResizeParams {
            disk: VolumeKey::MountPoint(0),
            size: "+1G".parse().unwrap(),
            digest: Some("aa".parse().unwrap()),
        };
        assert_eq!(
            serde_json::to_value(params).unwrap(),
            json!({ "disk": "mp0", "size": "+1G", "digest": "aa" })
        );
    }
}

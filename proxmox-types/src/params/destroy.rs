//! Destroying a container.

use serde::{Deserialize, Serialize};

/// Parameters of `DELETE /nodes/{node}/lxc/{vmid}`.
///
/// Whatever is set, PVE also removes the container from its pool and deletes the ACL entries on it.
///
/// Source: pve-container `PVE/API2/LXC.pm`, `destroy_vm`; recordings `lxc-delete-ok`, `lxc-delete-force-running`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DestroyParams {
    /// Whether a running container is stopped first; PVE's default is no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force: Option<bool>,
    /// Whether it is also removed from backup jobs, replication and high availability; PVE's default is no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purge: Option<bool>,
    /// Whether volumes that carry its number without being in its configuration go too, on every enabled storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destroy_unreferenced_disks: Option<bool>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_full_value_has_the_documented_keys() {
        let params =
            DestroyParams { force: Some(true), purge: Some(true), destroy_unreferenced_disks: Some(false) };
        assert_eq!(
            serde_json::to_value(params).unwrap(),
            json!({ "force": true, "purge": true, "destroy-unreferenced-disks": false })
        );
    }
}

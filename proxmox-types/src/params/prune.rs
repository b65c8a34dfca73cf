//! Removing old backups.

use serde::{Deserialize, Serialize};

use crate::Vmid;
use crate::property::Property;
use crate::property::prune::PruneBackups;

/// Parameters of `GET` and `DELETE /nodes/{node}/storage/{storage}/prunebackups`.
///
/// Source: pve-storage `PVE/API2/Storage/PruneBackups.pm`; recordings `prunebackups-dryrun`, `prunebackups-run`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PruneParams {
    /// Which backups to keep; without it the storage's own rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prune_backups: Option<Property<PruneBackups>>,
    /// Only backups of this kind of guest.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<GuestKind>,
    /// Only backups of this guest. Without it the removal needs `Datastore.Allocate` on the storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vmid: Option<Vmid>,
}

/// Kind of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GuestKind {
    /// A container.
    Lxc,
    /// A virtual machine.
    Qemu,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_full_value_has_the_documented_keys() {
        let params = PruneParams {
            prune_backups: Some(Property::new(PruneBackups::last(3))),
            kind: Some(GuestKind::Lxc),
            vmid: Some(101.try_into().unwrap()),
        };
        assert_eq!(
            serde_json::to_value(params).unwrap(),
            json!({ "prune-backups": "keep-last=3", "type": "lxc", "vmid": 101 })
        );
    }
}

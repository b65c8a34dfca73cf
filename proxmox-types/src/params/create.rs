//! Creating a container, from a template or from a backup.

use alloc::collections::BTreeMap;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::lenient::loosely;
use crate::lxc::{read_indexed, write_indexed};
use crate::property::{Features, MountPoint, Property, RootFs};
use crate::{BackupVolume, CommonOptions, LxcOptions, PoolId, Secret, StorageId, TemplateVolume, Vmid};

/// What creating and restoring a container have in common.
///
/// ```
/// # use proxmox_types::{StorageId, Vmid, params::NewContainer};
/// # let vmid: Vmid = "101".parse()?;
/// let new = NewContainer { storage: Some("local-zfs".parse()?), start: Some(true), ..vmid.into() };
/// # assert_eq!(new.pool, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NewContainer {
    /// Its number. Nothing reserves one; if it is taken, PVE says so.
    pub vmid: Vmid,
    /// Storage of the volumes; PVE's default is `local`, which often takes none.
    pub storage: Option<StorageId>,
    /// Pool that the container joins at the end. Privileges on the pool then count for all of this.
    pub pool: Option<PoolId>,
    /// Whether to start it. The start is a task of its own, which may fail after this one succeeded.
    pub start: Option<bool>,
    /// Rate limit in KiB/s.
    pub bwlimit: Option<u64>,
    /// Whether errors of unpacking the template or the backup are swallowed.
    pub ignore_unpack_errors: Option<bool>,
    /// Whether high availability manages it; needs `Sys.Console` on `/`.
    pub ha_managed: Option<bool>,
}

/// A container with PVE's defaults.
impl From<Vmid> for NewContainer {
    fn from(vmid: Vmid) -> Self {
        let (storage, pool, start, bwlimit, ignore_unpack_errors, ha_managed) = Default::default();
        Self { vmid, storage, pool, start, bwlimit, ignore_unpack_errors, ha_managed }
    }
}

/// Parameters of `POST /nodes/{node}/lxc` without `restore`.
///
/// `unprivileged` is on unless switched off, which needs `Sys.Modify` on `/`. Without `rootfs` the container gets 4 GiB
/// on `storage`. Left out is `unique`, which needs `restore`.
///
/// Source: pve-container `PVE/API2/LXC.pm`, `create_vm`; recordings `lxc-create-*`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CreateParams {
    /// The new container.
    #[serde(flatten, deserialize_with = "loosely")]
    pub new: NewContainer,
    /// The template.
    pub ostemplate: TemplateVolume,
    /// Password of root in the container, 5 characters or more. Never serialised: the client sends it by itself.
    #[serde(skip_serializing)]
    pub password: Option<Secret>,
    /// Public keys that may log in as root, one a line.
    pub ssh_public_keys: Option<String>,
    /// The options.
    #[serde(flatten, deserialize_with = "loosely")]
    pub options: LxcOptions,
}

impl CreateParams {
    /// A container with PVE's defaults.
    pub fn new(new: impl Into<NewContainer>, ostemplate: TemplateVolume) -> Self {
        let (password, ssh_public_keys, options) = Default::default();
        Self { new: new.into(), ostemplate, password, ssh_public_keys, options }
    }
}

/// Parameters of `POST /nodes/{node}/lxc` with `restore`, which the client adds.
///
/// What is not given comes from the backup, without a check of privileges: features, tags, devices, hook script. Left
/// out are `password` and `ssh-public-keys`, which PVE ignores here.
///
/// Source: pve-container `PVE/API2/LXC.pm`, `create_vm`, and `PVE/LXC/Create.pm`; recordings `golden-restore-*`,
/// `restore-*`, `lp-restore`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RestoreParams {
    /// The container that is made.
    #[serde(flatten, deserialize_with = "loosely")]
    pub new: NewContainer,
    /// The backup.
    #[serde(rename = "ostemplate")]
    pub archive: BackupVolume,
    /// Whether its interfaces get new MAC addresses, as a copy beside the original needs.
    pub unique: Option<bool>,
    /// Consent to lose a container that has this number. Without it, PVE refuses.
    #[serde(rename = "force")]
    pub overwrite: Option<Overwrite>,
    /// Options that differ from the backup's.
    #[serde(flatten, deserialize_with = "loosely")]
    pub overrides: CommonOptions,
    /// What must not come from the backup.
    #[serde(flatten, deserialize_with = "loosely")]
    pub replacements: RestoreReplacements,
}

impl RestoreParams {
    /// A container as it was backed up.
    pub fn new(new: impl Into<NewContainer>, archive: BackupVolume) -> Self {
        let (unique, overwrite, overrides, replacements) = Default::default();
        Self { new: new.into(), archive, unique, overwrite, overrides, replacements }
    }
}

/// Consent to lose a container to a restore; sent as `force`.
///
/// PVE destroys the volumes of the existing container before it unpacks the backup. If the backup is damaged, both are
/// lost, configuration included.
///
/// Source: pve-container `PVE/API2/LXC.pm`; recordings `restore-force-truncated`, `restore-force-truncated-after-config`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Overwrite(bool);

impl Overwrite {
    /// The existing container is destroyed before anything is restored.
    pub const fn destroying_the_existing_container_first() -> Self {
        Self(true)
    }
}

/// Options with which a restore does more than override, so that nobody sets them in passing.
///
/// Source: pve-container `PVE/API2/LXC.pm`, `create_vm`, and `PVE/LXC.pm`, `check_ct_modify_config_perm`; recordings
/// `golden-restore-features-param`, `golden-restore-features-nounpriv`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RestoreReplacements {
    /// Replaces the backup's features. A token may then only ask for `nesting`, and with `unprivileged` only; left out,
    /// the backup's are kept, `keyctl` included.
    pub features: Option<Property<Features>>,
    /// Replaces the layout of the volumes.
    #[serde(flatten)]
    pub volumes: Option<RestoreVolumes>,
    /// Makes it unprivileged or privileged whatever the backup was; privileged needs `Sys.Modify` on `/`.
    pub unprivileged: Option<bool>,
}

/// The volumes of a restored container in the place of the backup's. PVE takes mount points only together with a root file
/// system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RestoreVolumes {
    /// The root file system.
    pub rootfs: Property<RootFs>,
    /// Mount points, by index: every mount point of the backup that is not here is dropped.
    #[serde(flatten, serialize_with = "write_indexed", deserialize_with = "read_indexed")]
    pub mp: BTreeMap<u16, Property<MountPoint>>,
}

#[cfg(test)]
mod tests {
    use super::super::sent;
    use super::*;

    #[test]
    fn the_password_is_neither_serialised_nor_shown() {
        let template = "local:vztmpl/alpine.tar.gz";
        let mut params = CreateParams::new("101".parse::<Vmid>().unwrap(), template.parse().unwrap());
        params.password = Some(Secret::new("hunter2"));
        assert_eq!(sent(&params), serde_json::json!({ "vmid": 101, "ostemplate": template }));
        assert!(!alloc::format!("{params:?}").contains("hunter2"));
    }
}

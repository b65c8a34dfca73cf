//! Creating a container, from a template or from a backup.

use alloc::collections::BTreeMap;
use alloc::string::String;

use serde::{Deserialize, Deserializer, Serialize};

use crate::lenient::loosely;
use crate::lxc::{read_indexed, write_indexed};
use crate::property::Features;
use crate::property::Net;
use crate::property::Property;
use crate::property::Startup;
use crate::property::{MountPoint, RootFs};
use crate::{BackupVolume, Hostname, LxcOptions, PoolId, Secret, StorageId, Tags, TemplateVolume, Vmid};

/// Parameters of `POST /nodes/{node}/lxc` without `restore`.
///
/// `unprivileged` is on unless switched off, which needs `Sys.Modify` on `/`. Without `rootfs` the container gets 4 GiB
/// on `storage`. Left out is `unique`, which needs `restore`.
///
/// Source: pve-container `PVE/API2/LXC.pm`, `create_vm`; recordings `lxc-create-*`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CreateParams {
    /// The new container. Nothing reserves a number; if it is taken, PVE says so.
    pub vmid: Vmid,
    /// The template.
    pub ostemplate: TemplateVolume,
    /// Storage of new volumes; PVE's default is `local`, which often takes none.
    pub storage: Option<StorageId>,
    /// Pool that the container joins at the end. Privileges on the pool then count for all of this.
    pub pool: Option<PoolId>,
    /// Password of root in the container, 5 characters or more. Never serialised: the client sends it by itself.
    #[serde(skip_serializing)]
    pub password: Option<Secret>,
    /// Public keys that may log in as root, one a line.
    pub ssh_public_keys: Option<String>,
    /// Whether to start it. The start is a task of its own, which may fail after this one succeeded.
    pub start: Option<bool>,
    /// Rate limit in KiB/s.
    pub bwlimit: Option<u64>,
    /// Whether errors of unpacking the template are swallowed.
    pub ignore_unpack_errors: Option<bool>,
    /// Whether high availability manages it; needs `Sys.Console` on `/`.
    pub ha_managed: Option<bool>,
    /// The options.
    #[serde(flatten, deserialize_with = "loosely")]
    pub options: LxcOptions,
}

impl CreateParams {
    /// A container with PVE's defaults.
    pub fn new(vmid: Vmid, ostemplate: TemplateVolume) -> Self {
        Self {
            vmid,
            ostemplate,
            storage: None,
            pool: None,
            password: None,
            ssh_public_keys: None,
            start: None,
            bwlimit: None,
            ignore_unpack_errors: None,
            ha_managed: None,
            options: LxcOptions::default(),
        }
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
    pub vmid: Vmid,
    /// The backup.
    #[serde(rename = "ostemplate")]
    pub archive: BackupVolume,
    /// Storage of the volumes; PVE's default is `local`, which often takes none.
    pub storage: Option<StorageId>,
    /// Pool that the container joins at the end. Privileges on the pool then count for all of this.
    pub pool: Option<PoolId>,
    /// Whether its interfaces get new MAC addresses, as a copy beside the original needs.
    pub unique: Option<bool>,
    /// Whether to start it. The start is a task of its own, which may fail after this one succeeded.
    pub start: Option<bool>,
    /// Rate limit in KiB/s.
    pub bwlimit: Option<u64>,
    /// Whether errors of unpacking the backup are swallowed.
    pub ignore_unpack_errors: Option<bool>,
    /// Whether high availability manages it; needs `Sys.Console` on `/`.
    pub ha_managed: Option<bool>,
    /// Consent to lose a container that has this number. Without it, PVE refuses.
    #[serde(rename = "force")]
    pub overwrite: Option<Overwrite>,
    /// Options that differ from the backup's.
    #[serde(flatten, deserialize_with = "loosely")]
    pub overrides: RestoreOverrides,
    /// What must not come from the backup.
    #[serde(flatten, deserialize_with = "loosely")]
    pub replacements: RestoreReplacements,
}

impl RestoreParams {
    /// A container as it was backed up.
    pub fn new(vmid: Vmid, archive: BackupVolume) -> Self {
        Self {
            vmid,
            archive,
            storage: None,
            pool: None,
            unique: None,
            start: None,
            bwlimit: None,
            ignore_unpack_errors: None,
            ha_managed: None,
            overwrite: None,
            overrides: RestoreOverrides::default(),
            replacements: RestoreReplacements::default(),
        }
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

/// Options that a restore sets on top of what the backup holds. Each needs the privilege that changing it needs.
///
/// Source: pve-container `PVE/LXC/Create.pm`, `restore_configuration`; recordings `golden-restore-cores-memory`,
/// `restore-override`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RestoreOverrides {
    /// Cores.
    pub cores: Option<u32>,
    /// Limit of CPU time in cores.
    pub cpulimit: Option<f64>,
    /// Share of CPU time against other guests.
    pub cpuunits: Option<u32>,
    /// Description.
    pub description: Option<String>,
    /// Host name.
    pub hostname: Option<Hostname>,
    /// Memory limit in MiB.
    pub memory: Option<u64>,
    /// DNS servers, joined by blanks.
    pub nameserver: Option<String>,
    /// Network interfaces, by index. One that is given replaces the backup's, MAC address included.
    #[serde(flatten, serialize_with = "write_indexed", deserialize_with = "read_indexed")]
    pub net: BTreeMap<u16, Property<Net>>,
    /// Whether it starts with the node.
    pub onboot: Option<bool>,
    /// Whether destroying it and changing its volumes is refused.
    pub protection: Option<bool>,
    /// Search domains of the DNS.
    pub searchdomain: Option<String>,
    /// Order and delays of its start and stop with the node.
    pub startup: Option<Property<Startup>>,
    /// Swap limit in MiB.
    pub swap: Option<u64>,
    /// Tags.
    pub tags: Option<Tags>,
    /// Time zone, or `host`.
    pub timezone: Option<String>,
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
    #[serde(flatten, deserialize_with = "volumes")]
    pub volumes: Option<RestoreVolumes>,
    /// Makes it unprivileged or privileged whatever the backup was; privileged needs `Sys.Modify` on `/`.
    pub unprivileged: Option<bool>,
}

/// The volumes of a restored container in the place of the backup's. PVE takes mount points only together with a root file
/// system.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RestoreVolumes {
    /// The root file system.
    pub rootfs: Property<RootFs>,
    /// Mount points, by index: every mount point of the backup that is not here is dropped.
    #[serde(flatten, serialize_with = "write_indexed")]
    pub mp: BTreeMap<u16, Property<MountPoint>>,
}

fn volumes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RestoreVolumes>, D::Error> {
    #[derive(Deserialize)]
    struct Given {
        rootfs: Option<Property<RootFs>>,
        #[serde(flatten, deserialize_with = "read_indexed")]
        mp: BTreeMap<u16, Property<MountPoint>>,
    }
    let Given { rootfs, mp } = loosely(deserializer)?;
    match rootfs {
        None if !mp.is_empty() => Err(serde::de::Error::custom("mount points go together with `rootfs`")),
        rootfs => Ok(rootfs.map(|rootfs| RestoreVolumes { rootfs, mp })),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sent;
    use super::*;

    #[test]
    fn the_password_is_neither_serialised_nor_shown() {
        let template = "local:vztmpl/alpine.tar.gz";
        let mut params = CreateParams::new(101.try_into().unwrap(), template.parse().unwrap());
        params.password = Some(Secret::new("hunter2"));
        assert_eq!(sent(&params), serde_json::json!({ "vmid": 101, "ostemplate": template }));
        assert!(!alloc::format!("{params:?}").contains("hunter2"));
    }
}

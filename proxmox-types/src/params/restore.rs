//! Restoring a container from a backup.

use alloc::collections::BTreeMap;
use alloc::string::String;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::lenient::loosely;
use crate::lxc::indexed;
use crate::property::Property;
use crate::property::features::Features;
use crate::property::mount::{MountPoint, RootFs};
use crate::property::net::Net;
use crate::property::startup::Startup;
use crate::{BackupVolume, Hostname, PoolId, StorageId, Tags, Vmid};

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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageId>,
    /// Pool that the container joins at the end. Privileges on the pool then count for all of this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolId>,
    /// Whether its interfaces get new MAC addresses, as a copy beside the original needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique: Option<bool>,
    /// Whether to start it. The start is a task of its own, which may fail after this one succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<bool>,
    /// Rate limit in KiB/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bwlimit: Option<u64>,
    /// Whether errors of unpacking the backup are swallowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_unpack_errors: Option<bool>,
    /// Whether high availability manages it; needs `Sys.Console` on `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ha_managed: Option<bool>,
    /// Consent to lose a container that has this number. Without it, PVE refuses.
    #[serde(rename = "force", skip_serializing_if = "Option::is_none")]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overwrite(());

impl Overwrite {
    /// The existing container is destroyed before anything is restored.
    pub const fn destroying_the_existing_container_first() -> Self {
        Self(())
    }
}

impl Serialize for Overwrite {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

impl<'de> Deserialize<'de> for Overwrite {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if bool::deserialize(deserializer)? {
            Ok(Self::destroying_the_existing_container_first())
        } else {
            Err(D::Error::custom("`force` is either set or left out"))
        }
    }
}

/// Options that a restore sets on top of what the backup holds. Each needs the privilege that changing it needs.
///
/// Source: pve-container `PVE/LXC/Create.pm`, `restore_configuration`; recordings `golden-restore-cores-memory`,
/// `restore-override`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RestoreOverrides {
    /// Cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cores: Option<u32>,
    /// Limit of CPU time in cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpulimit: Option<f64>,
    /// Share of CPU time against other guests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpuunits: Option<u32>,
    /// Description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<Hostname>,
    /// Memory limit in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// DNS servers, joined by blanks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nameserver: Option<String>,
    /// Network interfaces, by index. One that is given replaces the backup's, MAC address included.
    #[serde(flatten, serialize_with = "indexed::write", deserialize_with = "indexed::read")]
    pub net: BTreeMap<u16, Property<Net>>,
    /// Whether it starts with the node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onboot: Option<bool>,
    /// Whether destroying it and changing its volumes is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protection: Option<bool>,
    /// Search domains of the DNS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub searchdomain: Option<String>,
    /// Order and delays of its start and stop with the node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub startup: Option<Property<Startup>>,
    /// Swap limit in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap: Option<u64>,
    /// Tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Tags>,
    /// Time zone, or `host`.
    #[serde(skip_serializing_if = "Option::is_none")]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<Property<Features>>,
    /// Replaces the layout of the volumes: every mount point of the backup that is not in `mp` is dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rootfs: Option<Property<RootFs>>,
    /// Mount points, by index; PVE takes them only together with `rootfs`.
    #[serde(flatten, serialize_with = "indexed::write", deserialize_with = "indexed::read")]
    pub mp: BTreeMap<u16, Property<MountPoint>>,
    /// Makes it unprivileged or privileged whatever the backup was; privileged needs `Sys.Modify` on `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unprivileged: Option<bool>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_full_value_has_the_documented_keys() {
        let sent = json!({
            "vmid": 301, "ostemplate": "local:backup/vzdump-lxc-101-x.tar.zst", "storage": "local-zfs",
            "pool": "felhom", "unique": true, "start": false, "bwlimit": 0, "ignore-unpack-errors": true,
            "ha-managed": false, "force": true,
            "cores": 2, "cpulimit": 1.5, "cpuunits": 50, "description": "x", "hostname": "cust1", "memory": 512,
            "nameserver": "192.0.2.1", "net0": "bridge=vmbr0,name=eth0", "onboot": true, "protection": false,
            "searchdomain": "example.org", "startup": "1", "swap": 0, "tags": "a;b", "timezone": "host",
            "features": "nesting=1", "rootfs": "local-zfs:8", "mp0": "local-zfs:1,mp=/data", "unprivileged": true,
        });
        let params: RestoreParams = serde_json::from_value(sent.clone()).unwrap();
        assert_eq!(params.overwrite, Some(Overwrite::destroying_the_existing_container_first()));
        assert_eq!(serde_json::to_value(params).unwrap(), sent);
    }

    #[test]
    fn a_plain_restore_replaces_nothing() {
        let archive = "local:backup/vzdump-lxc-101-x.tar.zst";
        let params = RestoreParams::new(301.try_into().unwrap(), archive.parse().unwrap());
        assert_eq!(serde_json::to_value(params).unwrap(), json!({ "vmid": 301, "ostemplate": archive }));
    }

    #[test]
    fn a_denied_consent_is_refused() {
        let error = serde_json::from_value::<Overwrite>(json!(false)).unwrap_err();
        assert_eq!(alloc::format!("{error}"), "`force` is either set or left out");
    }
}

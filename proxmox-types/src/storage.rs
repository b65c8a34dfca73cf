//! The shapes of storages and of what is on them.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::lenient::{needed, or_default};
use crate::property::Property;
use crate::property::PruneBackups;
use crate::text::open_text;
use crate::{CommaList, Digest, NodeName, StorageId, Vmid, VolumeId};

/// A row of `GET /storage` and the answer of `GET /storage/{storage}`: one section of `/etc/pve/storage.cfg`.
///
/// Source: pve-storage `PVE/API2/Storage/Config.pm`; recordings `get-storage`, `get-storage-get.root`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct StorageDefinition {
    /// The storage.
    pub storage: StorageId,
    /// Kind: `dir`, `zfspool`, `btrfs`, `pbs`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// What it may hold.
    pub content: Option<CommaList<ContentType>>,
    /// Nodes that use it; absent means all.
    #[serde(default, deserialize_with = "needed")]
    pub nodes: Option<CommaList<NodeName>>,
    /// Whether it is switched off.
    #[serde(default)]
    pub disable: bool,
    /// Whether all nodes see the same volumes.
    pub shared: Option<bool>,
    /// Directory of a file-based storage.
    pub path: Option<String>,
    /// Whether the directory must be a mount point: a yes or no, or the path that must be one.
    ///
    /// Without it, a disk that is not plugged in makes PVE write to the root file system.
    pub is_mountpoint: Option<String>,
    /// Server of a network storage.
    pub server: Option<String>,
    /// Exported path of an NFS server.
    pub export: Option<String>,
    /// Datastore of a backup server.
    pub datastore: Option<String>,
    /// Data set of a ZFS pool.
    pub pool: Option<String>,
    /// Volume group of LVM.
    pub vgname: Option<String>,
    /// Thin pool of LVM.
    pub thinpool: Option<String>,
    /// Which backups to keep.
    #[serde(rename = "prune-backups")]
    pub prune_backups: Option<Property<PruneBackups>>,
    /// Digest of the whole file.
    pub digest: Option<Digest>,
    /// Keys that this version does not know, as they came.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// A row of `GET /nodes/{node}/storage` and the answer of `GET /nodes/{node}/storage/{storage}/status`.
///
/// Asking activates every enabled storage; one that hangs blocks the call. Sizes are in bytes and 0 while inactive.
///
/// Source: pve-storage `PVE/API2/Storage/Status.pm`; recordings `get-node-storage-format`, `get-storage-status-btrfs`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct StorageStatus {
    /// The storage; only in the list.
    #[serde(default, deserialize_with = "needed")]
    pub storage: Option<StorageId>,
    /// Kind: `dir`, `zfspool`, `btrfs`, `pbs`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// What it may hold.
    #[serde(default, deserialize_with = "or_default")]
    pub content: CommaList<ContentType>,
    /// Whether it is switched on.
    #[serde(default)]
    pub enabled: bool,
    /// Whether it can be used right now.
    #[serde(default)]
    pub active: bool,
    /// Whether all nodes see the same volumes.
    #[serde(default)]
    pub shared: bool,
    /// Size.
    pub total: Option<u64>,
    /// Used space.
    pub used: Option<u64>,
    /// Free space.
    pub avail: Option<u64>,
    /// Used space as a fraction, 0 to 1; only in the list and absent while inactive.
    pub used_fraction: Option<f64>,
    /// Formats of its volumes; only if asked for and if the storage is enabled.
    pub formats: Option<StorageFormats>,
    /// The older form of `formats`: an object of those that it can hold, and the one that it takes.
    pub format: Option<(BTreeMap<String, u8>, String)>,
    /// Whether a new volume is chosen from those that exist, as on iSCSI.
    pub select_existing: Option<bool>,
}

/// Formats of the volumes on a storage: `raw`, `qcow2`, `subvol`, `vmdk`.
///
/// Source: pve-storage `PVE/API2/Storage/Status.pm`; recording `get-node-storage-format`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct StorageFormats {
    /// All that it can hold.
    pub supported: Vec<String>,
    /// The one that it takes if none is asked for.
    pub default: String,
}

open_text!(
    /// What a volume is, and what a storage may hold.
    ///
    /// Source: pve-storage `PVE/Storage/Plugin.pm`; recordings `content-local-all`, `get-storage`.
    pub enum ContentType {
        /// A backup.
        Backup = "backup",
        /// A disk of a virtual machine; also a volume of a container that no longer exists.
        Images = "images",
        /// Something to import.
        Import = "import",
        /// An ISO image.
        Iso = "iso",
        /// Nothing.
        None = "none",
        /// A volume of a container.
        Rootdir = "rootdir",
        /// A snippet, such as a hook script.
        Snippets = "snippets",
        /// A template of a container.
        Vztmpl = "vztmpl",
    }
);

/// A row of `GET /nodes/{node}/storage/{storage}/content`. Rows that the token may not read are left out silently.
///
/// Sizes are in bytes.
///
/// Source: pve-storage `PVE/API2/Storage/Content.pm`; recording `content-local-all`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Content {
    /// The volume.
    pub volid: VolumeId,
    /// What it is.
    pub content: Option<ContentType>,
    /// Format: `raw`, `subvol`, `tar.zst`, `iso`, ...
    pub format: String,
    /// What a backup is of: `lxc` or `qemu`.
    pub subtype: Option<String>,
    /// The guest that owns it. Absent also if the number in its name is no VMID.
    #[serde(default, deserialize_with = "owner")]
    pub vmid: Option<Vmid>,
    /// Size; 0 for a btrfs subvolume.
    pub size: Option<u64>,
    /// Size where the exact one is unknown.
    pub approximate_size: Option<u64>,
    /// Space that it takes.
    pub used: Option<u64>,
    /// When it was made, in seconds since 1970; of a backup, read from its name in the node's time zone.
    pub ctime: Option<u64>,
    /// First line of the notes; all of them are in [`VolumeAttributes`].
    pub notes: Option<String>,
    /// Whether a backup is protected from deletion.
    #[serde(default)]
    pub protected: bool,
    /// The volume that it is a clone of. Arrives as null where there is none.
    pub parent: Option<String>,
    /// Fingerprint of the key, or 1, if a backup is encrypted; only on a backup server.
    pub encrypted: Option<String>,
    /// Whether a backup was verified; only on a backup server.
    pub verification: Option<Verification>,
}

/// Whether a backup was verified.
///
/// Source: the schema of `GET /nodes/{node}/storage/{storage}/content`. Never recorded.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Verification {
    /// `ok` or `failed`.
    pub state: String,
    /// The task on the backup server, whose UPIDs are not those of PVE.
    pub upid: String,
}

/// Answer of `GET /nodes/{node}/storage/{storage}/content/{volume}`.
///
/// Source: pve-storage `PVE/API2/Storage/Content.pm`; recording `content-volume-get`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct VolumeAttributes {
    /// Path on the node.
    pub path: String,
    /// Format: `raw`, `subvol`, `tar.zst`, ...
    pub format: String,
    /// Size in bytes, rounded up to blocks; the list has the exact one.
    pub size: Option<u64>,
    /// Space that it takes in bytes.
    pub used: Option<u64>,
    /// The notes.
    pub notes: Option<String>,
    /// Whether a backup is protected from deletion.
    #[serde(default)]
    pub protected: bool,
}

open_text!(
    /// What pruning would do to a backup.
    ///
    /// Source: pve-storage `PVE/API2/Storage/PruneBackups.pm`.
    pub enum PruneMark {
        /// It stays.
        Keep = "keep",
        /// It goes.
        Remove = "remove",
        /// It stays because it is protected.
        Protected = "protected",
        /// It stays because its name is not the one that PVE gave it.
        Renamed = "renamed",
    }
);

/// A row of `GET /nodes/{node}/storage/{storage}/prunebackups`, which only asks.
///
/// Source: pve-storage `PVE/API2/Storage/PruneBackups.pm` and its schema; the recording `prunebackups-dryrun` is empty.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PruneEntry {
    /// The backup.
    pub volid: VolumeId,
    /// When it was made, in seconds since 1970.
    pub ctime: Option<u64>,
    /// What would happen to it.
    pub mark: PruneMark,
    /// What it is of: `lxc`, `qemu` or `unknown`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The guest that owns it.
    #[serde(default, deserialize_with = "owner")]
    pub vmid: Option<Vmid>,
}

/// Reads the number in a volume's name. One that no guest can have must not hide the other rows.
fn owner<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vmid>, D::Error> {
    let number = Option::<u32>::deserialize(deserializer)?;
    Ok(number.and_then(|number| number.try_into().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_of_no_guest_does_not_hide_the_others() {
        let json = r#"[{"volid":"lvm:vm-7-disk-0","format":"raw","vmid":7},{"volid":"lvm:vm-107-disk-0",
            "format":"raw","vmid":"107"}]"#;
        let rows: Vec<Content> = crate::lenient::from_text(json).unwrap();
        assert_eq!([rows[0].vmid, rows[1].vmid], [None, Some(107.try_into().unwrap())]);
    }
}

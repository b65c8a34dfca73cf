//! How a storage is configured.

use alloc::collections::BTreeMap;
use alloc::string::String;

use serde::Deserialize;
use serde_json::Value;

use super::ContentType;
use crate::property::Property;
use crate::property::prune::PruneBackups;
use crate::{CommaList, Digest, NodeName, StorageId, lenient::needed};

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

//! How a storage is configured.

use alloc::collections::BTreeMap;
use alloc::string::String;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ContentType;
use crate::property::Property;
use crate::property::prune::PruneBackups;
use crate::{CommaList, Digest, NodeName, StorageId, lenient, scalar};

/// A row of `GET /storage` and the answer of `GET /storage/{storage}`: one section of `/etc/pve/storage.cfg`.
///
/// Source: pve-storage `PVE/API2/Storage/Config.pm`; recordings `get-storage`, `get-storage-get.root`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StorageDefinition {
    /// The storage.
    pub storage: StorageId,
    /// Kind: `dir`, `zfspool`, `btrfs`, `pbs`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// What it may hold.
    #[serde(default, deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub content: Option<CommaList<ContentType>>,
    /// Nodes that use it; absent means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<CommaList<NodeName>>,
    /// Whether it is switched off.
    #[serde(default, deserialize_with = "scalar::required")]
    pub disable: bool,
    /// Whether all nodes see the same volumes.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub shared: Option<bool>,
    /// Directory of a file-based storage.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Whether the directory must be a mount point: a yes or no, or the path that must be one.
    ///
    /// Without it, a disk that is not plugged in makes PVE write to the root file system.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub is_mountpoint: Option<String>,
    /// Server of a network storage.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Exported path of an NFS server.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub export: Option<String>,
    /// Datastore of a backup server.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub datastore: Option<String>,
    /// Data set of a ZFS pool.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// Volume group of LVM.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub vgname: Option<String>,
    /// Thin pool of LVM.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub thinpool: Option<String>,
    /// Which backups to keep.
    #[serde(
        default,
        rename = "prune-backups",
        deserialize_with = "lenient::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub prune_backups: Option<Property<PruneBackups>>,
    /// Digest of the whole file.
    #[serde(default, deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Keys that this version does not know, as they came.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

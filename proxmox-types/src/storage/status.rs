//! What a node says about a storage.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use super::ContentType;
use crate::{CommaList, StorageId, lenient::needed, lenient::or_default};

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

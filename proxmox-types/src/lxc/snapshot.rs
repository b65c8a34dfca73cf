//! Snapshots of a container, and changes that wait for its next start.

use alloc::string::String;

use serde::Deserialize;

use crate::lenient::needed;
use crate::text::open_text;
use crate::{Digest, SnapshotName};

open_text!(
    /// What is unfinished about a snapshot.
    ///
    /// Source: pve-guest-common `PVE/AbstractConfig.pm`. No recording has it.
    pub enum SnapshotState {
        /// It is being taken, or was being taken when the worker was killed.
        Prepare = "prepare",
        /// It is being deleted, or was being deleted when the worker was killed.
        Delete = "delete",
    }
);

/// A row of `GET /nodes/{node}/lxc/{vmid}/snapshot`, in no order.
///
/// One row is no snapshot: `current` is the running state. Its `parent` is the snapshot that it descends from.
///
/// Source: pve-container `PVE/API2/LXC/Snapshot.pm`; recording `get-snapshot-list-100`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SnapshotEntry {
    /// Name of the snapshot, or `current`.
    pub name: String,
    /// Description with a trailing newline, empty if none was given.
    pub description: Option<String>,
    /// When it was taken, in seconds since 1970; 0 if unknown. Absent on `current`.
    pub snaptime: Option<u64>,
    /// The snapshot before it.
    pub parent: Option<SnapshotName>,
    /// Present if it is unfinished.
    #[serde(default, deserialize_with = "needed")]
    pub snapstate: Option<SnapshotState>,
    /// Digest of the configuration; only on `current`.
    pub digest: Option<Digest>,
    /// Whether the container runs; only on `current`.
    pub running: Option<bool>,
}

impl SnapshotEntry {
    /// Whether the row is the running state and no snapshot.
    pub fn is_current(&self) -> bool {
        self.name == "current"
    }

    /// Name of the snapshot, to act on it; nothing for the running state.
    pub fn snapshot(&self) -> Option<SnapshotName> {
        self.name.parse().ok()
    }
}

/// A row of `GET /nodes/{node}/lxc/{vmid}/pending`: one key of the configuration.
///
/// Values are the texts of the configuration, whatever type they have there.
///
/// Source: pve-guest-common `PVE/GuestHelpers.pm`, `config_with_pending_array`; recordings `get-lxc-pending-100`,
/// `pending-list-pending`. No recording has `delete`; it is from the schema.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PendingChange {
    /// The key: an option of the configuration, or `digest` or `parent`.
    pub key: String,
    /// The value in effect.
    #[serde(default, deserialize_with = "needed")]
    pub value: Option<String>,
    /// The value after the next start.
    #[serde(default, deserialize_with = "needed")]
    pub pending: Option<String>,
    /// 1 or 2 if the key goes away at the next start.
    #[serde(default, deserialize_with = "needed")]
    pub delete: Option<u8>,
}

impl PendingChange {
    /// Whether the key changes or goes away at the next start.
    pub fn is_pending(&self) -> bool {
        self.pending.is_some() || self.delete.is_some_and(|delete| delete > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_state_is_no_snapshot() {
        let read = ["current", "s1"].map(|name| {
            let row: SnapshotEntry = serde_json::from_value(serde_json::json!({ "name": name })).unwrap();
            (row.is_current(), row.snapshot().is_some())
        });
        assert_eq!(read, [(true, false), (false, true)]);
    }
}

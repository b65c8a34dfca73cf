//! Changes that a running container has not taken over yet.

use alloc::string::String;

use crate::lenient::needed;
use serde::Deserialize;

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

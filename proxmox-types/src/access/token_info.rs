//! What the server knows about a token.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::{lenient, scalar};

/// Answer of `GET /access/users/{userid}/token/{tokenid}`, which a token may not ask about itself.
///
/// Source: pve-access-control `PVE/API2/User.pm`; recordings `token-get.root`, `lp-token-self`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TokenInfo {
    /// When it expires, in seconds since 1970; 0 means never, and the owner's expiry counts as well.
    #[serde(deserialize_with = "scalar::required")]
    pub expire: u64,
    /// Whether it has privileges of its own, at most those of its owner; else it has all of them.
    #[serde(deserialize_with = "scalar::required")]
    pub privsep: bool,
    /// Comment.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

//! What the server knows about a token.

use alloc::string::String;

use serde::Deserialize;

/// Answer of `GET /access/users/{userid}/token/{tokenid}`, which a token may not ask about itself.
///
/// Source: pve-access-control `PVE/API2/User.pm`; recordings `token-get.root`, `lp-token-self`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TokenInfo {
    /// When it expires, in seconds since 1970; 0 means never, and the owner's expiry counts as well.
    pub expire: u64,
    /// Whether it has privileges of its own, at most those of its owner; else it has all of them.
    pub privsep: bool,
    /// Comment.
    pub comment: Option<String>,
}

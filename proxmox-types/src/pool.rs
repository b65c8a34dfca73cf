//! Pools of guests and storages.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{PoolId, Resource, lenient};

/// A row of `GET /pools`.
///
/// Source: pve-manager `PVE/API2/Pool.pm`; recordings `get-pools.root`, `get-pools-poolid`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pool {
    /// The pool.
    pub poolid: PoolId,
    /// Comment.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Its members that the token may see; only if the pool was asked for by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<Resource>>,
}

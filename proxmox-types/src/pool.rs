//! Pools of guests and storages.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use crate::{PoolId, Resource, lenient::needed};

/// A row of `GET /pools`.
///
/// Source: pve-manager `PVE/API2/Pool.pm`; recordings `get-pools.root`, `get-pools-poolid`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Pool {
    /// The pool.
    pub poolid: PoolId,
    /// Comment.
    pub comment: Option<String>,
    /// Its members that the token may see; only if the pool was asked for by name.
    #[serde(default, deserialize_with = "needed")]
    pub members: Option<Vec<Resource>>,
}

//! Roles: named sets of privileges.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::{CommaList, scalar};

/// A row of `GET /access/roles`.
///
/// Source: pve-access-control `PVE/API2/Role.pm`; recording `get-access-roles`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Role {
    /// Name.
    pub roleid: String,
    /// Its privileges; none for `NoAccess`.
    #[serde(default)]
    pub privs: CommaList<String>,
    /// Whether it is built in.
    #[serde(default, deserialize_with = "scalar::required")]
    pub special: bool,
}

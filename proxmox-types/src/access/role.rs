//! Roles: named sets of privileges.

use alloc::string::String;

use serde::Deserialize;

use crate::CommaList;

/// A row of `GET /access/roles`.
///
/// Source: pve-access-control `PVE/API2/Role.pm`; recording `get-access-roles`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Role {
    /// Name.
    pub roleid: String,
    /// Its privileges; none for `NoAccess`.
    #[serde(default)]
    pub privs: CommaList<String>,
    /// Whether it is built in.
    #[serde(default)]
    pub special: bool,
}

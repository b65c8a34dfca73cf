//! Privileges, roles and tokens.

use proxmox_types::params::PermissionFilter;
use proxmox_types::{Permissions, Role, Rows, TokenId, TokenInfo};

use crate::endpoint::table::access;
use crate::{Call, Client};

/// Privileges, roles and tokens.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    pub(crate) client: &'a Client,
}

impl<'a> Access<'a> {
    /// Reads what the token may do, or somebody else. Without a path only the paths of the access control list are
    /// there, so ask for the path that matters.
    ///
    /// `GET /access/permissions`; for anybody else needs `Sys.Audit` on `/access`.
    /// Source: pve-access-control `PVE/API2/AccessControl.pm`.
    pub fn permissions(self) -> Call<'a, Permissions, PermissionFilter> {
        self.client.call(&access::PERMISSIONS, &[])
    }

    /// Lists the roles with their privileges.
    ///
    /// `GET /access/roles`; needs no privilege.
    /// Source: pve-access-control `PVE/API2/Role.pm`.
    pub fn roles(self) -> Call<'a, Rows<Role>> {
        self.client.call(&access::ROLES, &[])
    }

    /// Reads expiry and separation of a token. A token cannot read its own: it is never its user.
    ///
    /// `GET /access/users/{userid}/token/{tokenid}`; needs `User.Modify` on the user's group; the 403 names nothing.
    /// Source: pve-access-control `PVE/API2/User.pm`.
    pub fn token(self, token: &TokenId) -> Call<'a, TokenInfo> {
        self.client.call(&access::TOKEN, &[&token.owner(), &token.name()])
    }
}

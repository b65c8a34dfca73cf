//! Privileges, roles, tokens and pools.

use proxmox_types::params::PermissionFilter;
use proxmox_types::{Permissions, Pool, PoolId, Role, Rows, TokenId, TokenInfo};

use super::place::Access;
use crate::{Call, Client};

endpoints! {
    impl Access<'a> as self, 'a {
        /// Reads what the token may do, or somebody else. Without a path only the paths of the access control list are
        /// there, so ask for the path that matters.
        ///
        /// Source: pve-access-control `PVE/API2/AccessControl.pm`.
        ///
        /// ```
        /// # use proxmox_api::*; sim::example(async |client, node, ct| {
        /// let held = client.access().permissions().await?;
        /// for path in held.paths() {
        ///     println!("{path}");
        /// }
        /// # Ok(()) });
        /// ```
        GET "/access/permissions" as PERMISSIONS "access.permissions"
        fn permissions(self) -> Permissions, with PermissionFilter
        needs (any token)
        check(
            "for anyone but the token itself",
            ("Sys.Audit" on "/access"),
            "pve-access-control PVE/API2/AccessControl.pm, permissions"
        ).seen("get-permissions-other-token.none");

        /// Lists the roles with their privileges.
        ///
        /// Source: pve-access-control `PVE/API2/Role.pm`.
        GET "/access/roles" as ROLES "access.roles"
        fn roles(self) -> Rows<Role>
        needs (any token);

        /// Reads expiry and separation of a token. A token cannot read its own: it is never its user. The 403 names
        /// nothing.
        ///
        /// Source: pve-access-control `PVE/API2/User.pm`.
        GET "/access/users/{userid}/token/{tokenid}" as TOKEN "access.token"
        fn token(self, token: &TokenId) -> TokenInfo { .at(&[&token.owner(), &token.name()]) }
        needs (either (the user) ("User.Modify" on the group of the user));
    }

    impl Client as self, '_ {
        /// Lists the pools.
        ///
        /// Source: pve-manager `PVE/API2/Pool.pm`.
        GET "/pools" as POOLS "pool.list"
        fn pools(&self) -> Rows<Pool>
        needs (any token)
        check(
            "without `poolid` pools without it are left out; with it nothing is needed",
            ("Pool.Audit" on "/pool/{poolid}"),
            "pve-manager PVE/API2/Pool.pm, index"
        ).filters().seen("get-pools.limited");
    }
}

impl Client {
    /// Reads one pool with its members, as a list of one. A pool that does not exist is refused.
    ///
    /// `GET /pools` with `poolid`, which every token may read.
    /// Source: pve-manager `PVE/API2/Pool.pm`; recordings `pools-poolid-without-audit`, `pools-poolid-missing`.
    pub fn pool(&self, pool: &PoolId) -> Call<'_, Rows<Pool>> {
        self.pools().parameter("poolid", pool)
    }
}

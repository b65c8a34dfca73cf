//! Privileges, roles, tokens and pools.

use super::super::kind::{POOL, USER_OR_TOKEN};
use super::{ANY_TEXT, Endpoint, Kind, Privileges, Returns, check, format_of, get, optional};

/// Privileges of the token itself, or of somebody else.
pub static PERMISSIONS: Endpoint =
    get("access.permissions", "/access/permissions", Privileges::Anyone, Returns::Object)
        .with(&[&[optional("path", ANY_TEXT), optional("userid", Kind::Pattern(USER_OR_TOKEN))]])
        .checks(&[check(
            "for anyone but the token itself",
            Privileges::All("/access", &["Sys.Audit"]),
            "pve-access-control PVE/API2/AccessControl.pm, permissions",
        )
        .seen("get-permissions-other-token.none")]);

/// Roles and their privileges.
pub static ROLES: Endpoint = get("access.roles", "/access/roles", Privileges::Anyone, Returns::List);

/// Expiry and separation of a token.
pub static TOKEN: Endpoint = get(
    "access.token",
    "/access/users/{userid}/token/{tokenid}",
    Privileges::Either(&[Privileges::OwnUser, Privileges::UserGroup(&["User.Modify"])]),
    Returns::Object,
);

/// Pools, and with `poolid` the members of one.
pub static POOLS: Endpoint = get("pool.list", "/pools", Privileges::Anyone, Returns::List)
    .with(&[&[optional("poolid", format_of(POOL))]])
    .checks(&[check(
        "without `poolid` pools without it are left out; with it nothing is needed",
        Privileges::All("/pool/{poolid}", &["Pool.Audit"]),
        "pve-manager PVE/API2/Pool.pm, index",
    )
    .filters()
    .seen("get-pools.limited")]);

pub(super) static ENDPOINTS: &[&Endpoint] = &[&PERMISSIONS, &ROLES, &TOKEN, &POOLS];

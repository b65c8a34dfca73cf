//! The shapes of access control.

use alloc::collections::BTreeMap;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::CommaList;

/// Answer of `GET /access/permissions`: the privileges on each path.
///
/// A privilege is granted if its key is there; the value only says whether paths below inherit it. Without a `path` the
/// server lists the paths that an ACL or a pool names and a few top ones, so ask for the path that matters.
///
/// Source: pve-access-control `PVE/API2/AccessControl.pm`; recordings `get-access-permissions`, `lp-permissions-300`,
/// where every value is 0 and every privilege holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permissions(BTreeMap<String, BTreeMap<String, Propagates>>);

/// Whether paths below inherit a privilege.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Propagates(bool);

impl Permissions {
    /// Whether the privilege is granted on exactly this path.
    ///
    /// ```
    /// # use proxmox_types::Permissions;
    /// let held: Permissions = serde_json::from_str(r#"{ "/vms/101": { "VM.Audit": true } }"#)?;
    /// assert!(held.holds("/vms/101", "VM.Audit") && !held.holds("/vms", "VM.Audit"));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn holds(&self, path: &str, privilege: &str) -> bool {
        self.0.get(path).is_some_and(|privileges| privileges.contains_key(privilege))
    }

    /// Whether the privilege is granted on exactly this path, and paths below inherit it.
    pub fn is_inherited(&self, path: &str, privilege: &str) -> bool {
        self.0
            .get(path)
            .and_then(|privileges| privileges.get(privilege))
            .is_some_and(|propagates| propagates.0)
    }

    /// The paths that the answer lists.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The privileges that are granted on exactly this path.
    pub fn privileges(&self, path: &str) -> impl Iterator<Item = &str> {
        self.0.get(path).into_iter().flat_map(BTreeMap::keys).map(String::as_str)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_privilege_that_does_not_propagate_is_granted() {
        let permissions: Permissions =
            crate::lenient::from_text(r#"{"/vms/300":{"VM.Audit":0,"VM.Backup":"1"}}"#).unwrap();
        let held = ["VM.Audit", "VM.Backup", "VM.Snapshot"]
            .map(|privilege| permissions.holds("/vms/300", privilege));
        assert_eq!(held, [true, true, false]);
        assert!(!permissions.holds("/vms", "VM.Audit"));
        let inherited =
            ["VM.Audit", "VM.Backup"].map(|privilege| permissions.is_inherited("/vms/300", privilege));
        assert_eq!(inherited, [false, true]);
        assert!(permissions.paths().eq(["/vms/300"]));
        assert!(permissions.privileges("/vms/300").eq(["VM.Audit", "VM.Backup"]));
    }
}

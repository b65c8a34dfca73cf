//! The roles of the least-privilege recipe, and the `pveum` lines that grant what is missing.
//!
//! A separated token has only what both it and its user have, so every line is needed twice.
//! Source: the recipe was proven on a running 9.2.11 server, recordings `lp-*`.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use proxmox_types::TokenId;

use crate::Denied;

/// A role of the recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: &'static str,
    /// Where it is granted.
    pub on: &'static str,
    /// Its privileges.
    pub privileges: &'static [&'static str],
}

/// The four roles that the agent needs.
pub const ROLES: [Role; 4] = [
    Role {
        name: "FelhomAgent",
        on: "the pool",
        privileges: &[
            "VM.Audit",
            "VM.Allocate",
            "VM.Backup",
            "VM.PowerMgmt",
            "VM.Snapshot",
            "VM.Snapshot.Rollback",
            "VM.Config.Options",
            "VM.Config.CPU",
            "VM.Config.Memory",
            "VM.Config.Network",
            "VM.Config.Disk",
        ],
    },
    Role {
        name: "FelhomStore",
        on: "each storage",
        privileges: &["Datastore.Audit", "Datastore.AllocateSpace"],
    },
    Role { name: "FelhomNode", on: "the node", privileges: &["Sys.Audit"] },
    Role { name: "FelhomNet", on: "each bridge", privileges: &["SDN.Use"] },
];

/// A role for privileges that the recipe does not have.
const EXTRA: &str = "FelhomExtra";

/// The role of the recipe that has a privilege.
pub fn role_of(privilege: &str) -> Option<&'static Role> {
    ROLES.iter().find(|role| role.privileges.contains(&privilege))
}

/// The line that gives a role to a token and to its user.
pub fn acl_line(path: &str, role: &str, token: &TokenId) -> String {
    format!(
        "pveum acl modify {path} --users {} --roles {role} && pveum acl modify {path} --tokens '{token}' --roles {role}",
        token.owner()
    )
}

/// The line that makes a role.
pub fn role_line(name: &str, privileges: &[&str]) -> String {
    format!("pveum role add {name} --privs {}", privileges.join(","))
}

impl Denied {
    /// The `pveum` line, to be run as root on the node, that grants what is missing.
    ///
    /// Nothing if PVE does not say what is missing, or if no grant helps because only root@pam may do it. A role of the
    /// recipe is used where one has the privilege; else the line makes a role of its own.
    pub fn pveum(&self, token: &TokenId) -> Option<String> {
        let path = self.path.as_deref().filter(|path| path.starts_with('/'))?;
        let wanted = if self.any { self.privileges.get(..1)? } else { self.privileges.as_slice() };
        let roles: Option<BTreeSet<&str>> =
            wanted.iter().map(|privilege| role_of(privilege).map(|role| role.name)).collect();
        let lines: Vec<String> = match roles {
            Some(roles) if !roles.is_empty() => {
                roles.into_iter().map(|role| acl_line(path, role, token)).collect()
            }
            None => {
                let privileges: Vec<&str> = wanted.iter().map(String::as_str).collect();
                alloc::vec![role_line(EXTRA, &privileges), acl_line(path, EXTRA, token)]
            }
            Some(_) => return None,
        };
        Some(lines.join(" && "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(path: Option<&str>, privileges: &[&str], any: bool) -> Option<String> {
        let denied = Denied {
            path: path.map(Into::into),
            privileges: privileges.iter().map(|name| (*name).into()).collect(),
            any,
            ..Denied::default()
        };
        denied.pveum(&"felhom@pve!agent".parse().unwrap())
    }

    #[test]
    fn a_missing_privilege_names_the_role_for_user_and_token() {
        let wanted = "pveum acl modify /vms/103 --users felhom@pve --roles FelhomAgent && \
                      pveum acl modify /vms/103 --tokens 'felhom@pve!agent' --roles FelhomAgent";
        assert_eq!(line(Some("/vms/103"), &["VM.Backup"], false).as_deref(), Some(wanted));
        assert_eq!(
            line(Some("/vms/103"), &["VM.Snapshot", "VM.Snapshot.Rollback"], true).as_deref(),
            Some(wanted)
        );
    }

    #[test]
    fn a_privilege_outside_the_recipe_gets_a_role_of_its_own() {
        let made = line(Some("/"), &["Sys.Modify"], false).unwrap();
        assert!(
            made.starts_with("pveum role add FelhomExtra --privs Sys.Modify && pveum acl modify / --users")
        );
    }

    #[test]
    fn there_is_no_line_for_what_pve_does_not_name() {
        assert_eq!([line(None, &["VM.Audit"], false), line(Some("/vms/1"), &[], false)], [None, None]);
    }
}

//! The roles of the least-privilege recipe, and the `pveum` lines that grant what is missing.
//!
//! A separated token has only what both it and its user have, so every line is needed twice.
//! Source: the recipe was proven on a running 9.2.11 server, recordings `lp-*`.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use proxmox_types::TokenId;

use crate::Denied;

/// A role of the recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentRole {
    /// Its name.
    pub name: &'static str,
    /// Where it is granted.
    pub on: &'static str,
    /// Its privileges.
    pub privileges: &'static [&'static str],
}

/// For containers.
pub const AGENT: AgentRole = AgentRole {
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
};

/// For their volumes and backups.
pub const STORE: AgentRole = AgentRole {
    name: "FelhomStore",
    on: "each storage",
    privileges: &["Datastore.Audit", "Datastore.AllocateSpace"],
};

/// For the state of the node and its tasks.
pub const NODE: AgentRole = AgentRole { name: "FelhomNode", on: "the node", privileges: &["Sys.Audit"] };

/// For their network.
pub const NET: AgentRole = AgentRole { name: "FelhomNet", on: "each bridge", privileges: &["SDN.Use"] };

/// The four roles that the agent needs.
pub const ROLES: [AgentRole; 4] = [AGENT, STORE, NODE, NET];

/// A role for privileges that the recipe does not have.
const EXTRA: &str = "FelhomExtra";

/// The role of the recipe that has a privilege.
pub fn role_of(privilege: &str) -> Option<&'static AgentRole> {
    ROLES.iter().find(|role| role.privileges.contains(&privilege))
}

/// The line that gives a role to a token and to its user.
pub fn acl_line(path: &str, role: &str, token: &TokenId) -> String {
    format!(
        "pveum acl modify {path} --users {} --roles {role} && pveum acl modify {path} --tokens '{token}' --roles {role}",
        token.owner()
    )
}

/// The line that makes a role with these privileges, or adds them to it where it is there.
pub fn role_line(name: &str, privileges: &[&str]) -> String {
    let privileges = privileges.join(",");
    format!(
        "(pveum role add {name} --privs {privileges} || pveum role modify {name} --append 1 --privs {privileges})"
    )
}

/// The line that gives all of a role to a token and its user, whatever is there of it already.
pub fn grant_line(path: &str, role: AgentRole, token: &TokenId) -> String {
    format!("{} && {}", role_line(role.name, role.privileges), acl_line(path, role.name, token))
}

impl Denied {
    /// The `pveum` line, to be run as root on the node, that grants what is missing.
    ///
    /// Nothing if PVE does not say what is missing, or if no grant helps because only root@pam may do it. A role of the
    /// recipe is used where one has the privilege; else the line makes a role of its own.
    pub fn pveum(&self, token: &TokenId) -> Option<String> {
        self.pveum_on(self.path.as_deref()?, token)
    }

    /// The same, granted on another path: a pool that a container belongs to.
    pub fn pveum_on(&self, path: &str, token: &TokenId) -> Option<String> {
        let wanted = if self.any { self.privileges.get(..1)? } else { self.privileges.as_slice() };
        // The server's words go into a line for root's shell, so nothing but names is taken from them.
        let is_path = path.starts_with('/') && is_made_of(path, b"/-_.");
        if !is_path || wanted.is_empty() || !wanted.iter().all(|name| is_made_of(name, b".")) {
            return None;
        }
        let mut roles: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for privilege in wanted {
            let role = role_of(privilege).map_or(EXTRA, |role| role.name);
            roles.entry(role).or_default().push(privilege);
        }
        let lines = roles
            .into_iter()
            .flat_map(|(role, privileges)| [role_line(role, &privileges), acl_line(path, role, token)]);
        Some(lines.collect::<Vec<_>>().join(" && "))
    }
}

/// Whether a text has nothing but letters, digits and these.
fn is_made_of(text: &str, more: &[u8]) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
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
        let wanted = "(pveum role add FelhomAgent --privs VM.Backup || \
                      pveum role modify FelhomAgent --append 1 --privs VM.Backup) && \
                      pveum acl modify /vms/103 --users felhom@pve --roles FelhomAgent && \
                      pveum acl modify /vms/103 --tokens 'felhom@pve!agent' --roles FelhomAgent";
        assert_eq!(line(Some("/vms/103"), &["VM.Backup"], false).as_deref(), Some(wanted));
        let first = line(Some("/vms/103"), &["VM.Backup", "VM.Snapshot"], true);
        assert_eq!(first.as_deref(), Some(wanted));
    }

    #[test]
    fn a_privilege_outside_the_recipe_gets_a_role_of_its_own() {
        let made = line(Some("/"), &["Sys.Modify"], false).unwrap();
        assert!(
            made.starts_with("(pveum role add FelhomExtra --privs Sys.Modify || ")
                && made.contains(") && pveum acl modify / --users")
        );
    }

    #[test]
    fn what_could_be_more_than_a_name_makes_no_line() {
        for (path, name) in [("/x;reboot", "VM.Audit"), ("/vms/$(id)", "VM.Audit"), ("/vms/1", "VM.Audit;id")]
        {
            assert_eq!(line(Some(path), &[name], false), None, "{path} {name}");
        }
    }

    #[test]
    fn there_is_no_line_for_what_pve_does_not_name() {
        assert_eq!([line(None, &["VM.Audit"], false), line(Some("/vms/1"), &[], false)], [None, None]);
    }
}

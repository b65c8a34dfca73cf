//! What a handler gets: the request, and what its sender may do.
//!
//! Source of the checks: pve-access-control `PVE/RPCEnvironment.pm`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::Value;

use super::access::{Held, Principal};
use super::answer::{Refusal, Reply, said};
use super::schema;
use super::world::{Log, World};

/// What answers a route of the schema: the operation's name, `METHOD /path`, and the function.
pub(super) type Route = (&'static str, &'static str, Handler);

/// Answers one operation.
pub(super) type Handler = fn(&mut World, &Ask<'_>) -> Handled;

pub(super) type Handled = Result<Reply, Refusal>;

/// A request that found its endpoint.
pub(super) struct Ask<'a> {
    pub(super) principal: &'a Principal,
    pub(super) variables: schema::Parameters,
    pub(super) parameters: schema::Parameters,
}

impl Ask<'_> {
    /// A variable of the path.
    pub(super) fn variable(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }

    /// The container that the path means; the schema has checked the number.
    pub(super) fn vmid(&self) -> u32 {
        self.variable("vmid").parse().unwrap_or_default()
    }

    /// A parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// A parameter, or an empty text.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name) == Some("1")
    }

    pub(super) fn number<T: core::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }

    /// The items of a list.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        self.text(name).split([',', ';', ' ']).filter(|item| !item.is_empty()).collect()
    }
}

impl World {
    /// Starts a worker that has nothing to check when it begins, and answers with its UPID.
    #[expect(clippy::unnecessary_wraps, reason = "it ends a handler")]
    pub(super) fn work(
        &mut self,
        ask: &Ask<'_>,
        kind: &'static str,
        id: impl core::fmt::Display,
        finish: impl FnOnce(&mut Self, &mut Log) -> Result<(), Refusal> + Send + 'static,
    ) -> Handled {
        Ok(self.spawn(kind, id, ask.principal, |_, _| Ok(()), finish).into())
    }

    /// Whether a principal may see a container.
    pub(super) fn sees(&self, principal: &Principal, vmid: u32) -> bool {
        self.has(principal, &format!("/vms/{vmid}"), "VM.Audit")
    }

    /// What a principal holds on a path; a container gets what its pool gives, without propagating it.
    pub(super) fn held(&self, principal: &Principal, path: &str) -> Held {
        let mut held = self.acl.held(principal, path);
        let vmid = path.strip_prefix("/vms/").and_then(|vmid| vmid.parse().ok());
        if let Some(pool) = vmid.and_then(|vmid: u32| self.guest(vmid)?.1.pool.as_ref()) {
            for name in self.acl.held(principal, &format!("/pool/{pool}")).into_keys() {
                held.entry(name).or_insert(false);
            }
        }
        held
    }

    /// Whether a principal holds a privilege on a path, or one of several, written with `|`.
    pub(super) fn has(&self, principal: &Principal, path: &str, privileges: &str) -> bool {
        let held = self.held(principal, path);
        privileges.split('|').any(|name| held.contains_key(name))
    }

    /// Refuses with what is missing, as PVE prints it.
    pub(super) fn require(&self, principal: &Principal, path: &str, privileges: &str) -> Result<(), Refusal> {
        if self.has(principal, path, privileges) {
            return Ok(());
        }
        Err(Refusal::permission(Some(&said!("{path}, {privileges}"))))
    }

    /// The same on a storage.
    pub(super) fn require_on(&self, ask: &Ask<'_>, storage: &str, privileges: &str) -> Result<(), Refusal> {
        self.require(ask.principal, &format!("/storage/{storage}"), privileges)
    }

    /// Checks the privileges that the schema declares of a route. `value` gives the variables of the path and the
    /// parameters.
    ///
    /// Source: `PVE/RPCEnvironment.pm`, `exec_api2_perm_check`.
    pub(super) fn check_declared<'v>(
        &self,
        principal: &Principal,
        check: &Value,
        value: &dyn Fn(&str) -> Option<&'v str>,
    ) -> Result<(), Refusal> {
        let part = |part: &Value| self.check_declared(principal, part, value);
        let check = check.as_array().map_or(&[][..], Vec::as_slice);
        let words: Vec<&str> = check.iter().filter_map(Value::as_str).collect();
        let allowed = match (words.as_slice(), check) {
            (["and", ..], [_, parts @ ..]) => return parts.iter().try_for_each(part),
            (["or", ..], [_, parts @ ..]) => parts.iter().any(|one| part(one).is_ok()),
            (["perm", _, "require_param", parameter], _) if value(parameter).is_none() => false,
            (["perm", path, options @ ..], [_, _, privileges, ..]) => {
                let path = filled(path, value);
                let names = privileges.as_array().into_iter().flatten().filter_map(Value::as_str);
                if options.first() == Some(&"any") {
                    return self.require(principal, &path, &names.collect::<Vec<_>>().join("|"));
                }
                return names.into_iter().try_for_each(|name| self.require(principal, &path, name));
            }
            _ => principal.parts().0 == "root@pam",
        };
        if allowed { Ok(()) } else { Err(Refusal::permission(None)) }
    }
}

/// A path of privileges with its variables filled in.
fn filled<'v>(path: &str, value: &dyn Fn(&str) -> Option<&'v str>) -> String {
    let segments = path.split('/').map(|segment| match segment.strip_prefix('{') {
        Some(name) => value(name.trim_end_matches('}')).unwrap_or_default(),
        None => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

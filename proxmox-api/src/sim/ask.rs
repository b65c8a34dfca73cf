//! What a handler gets: the request, and what its sender may do.
//!
//! Source of the checks: pve-access-control `PVE/RPCEnvironment.pm`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::Value;

use super::answer::{Held, Principal, Refusal, Reply};
use super::schema;
use super::sentence;
use super::world::World;

/// What answers a route of the schema: the operation's name, `METHOD /path`, and the function.
pub(super) type Row = (&'static str, &'static str, Handler);

/// Answers one operation.
pub(super) type Handler = fn(&mut World, &Ask<'_>) -> Result<Reply, Refusal>;

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

    pub(super) fn vmid(&self) -> Result<u32, Refusal> {
        let bad = || Refusal::parameter("vmid", sentence::BAD_VMID);
        let number: u32 = self.variable("vmid").parse().map_err(|_| bad())?;
        if (100..=999_999_999).contains(&number) { Ok(number) } else { Err(bad()) }
    }

    /// A parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name) == Some("1")
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    /// The items of a list.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        self.get(name)
            .map(|text| text.split([',', ';', ' ']).filter(|item| !item.is_empty()).collect())
            .unwrap_or_default()
    }

    /// All parameters.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl World {
    /// Whether a principal may see a container.
    pub(super) fn sees(&self, principal: &Principal, vmid: u32) -> bool {
        self.has(principal, &format!("/vms/{vmid}"), &["VM.Audit"], false)
    }

    /// What a principal holds on a path; a container gets what its pool gives, without propagating it.
    pub(super) fn held(&self, principal: &Principal, path: &str) -> Held {
        let mut held = self.acl.held(principal, path);
        let vmid = path.strip_prefix("/vms/").and_then(|vmid| vmid.parse().ok());
        let pool = vmid.and_then(|vmid: u32| self.containers.get(&vmid)).and_then(|ct| ct.pool.as_ref());
        if let Some(pool) = pool {
            let given = self.acl.held(principal, &format!("/pool/{pool}"));
            for name in given.into_keys() {
                held.entry(name).or_insert(false);
            }
        }
        held
    }

    /// Whether a principal holds all, or any, of the privileges on a path.
    pub(super) fn has(&self, principal: &Principal, path: &str, privileges: &[&str], any: bool) -> bool {
        let held = self.held(principal, path);
        let has = |name: &&str| held.contains_key(*name);
        if any { privileges.iter().any(has) } else { privileges.iter().all(has) }
    }

    /// Refuses with what is missing, as PVE prints it.
    pub(super) fn require(
        &self,
        principal: &Principal,
        path: &str,
        privileges: &[&str],
        any: bool,
    ) -> Result<(), Refusal> {
        if self.has(principal, path, privileges, any) {
            return Ok(());
        }
        let missing = if any {
            privileges.join("|")
        } else {
            let held = self.held(principal, path);
            privileges.iter().find(|name| !held.contains_key(**name)).copied().unwrap_or_default().into()
        };
        Err(Refusal::permission(Some(&sentence::PRIVILEGE.of(&[&path, &missing]))))
    }

    /// Checks the privileges that the schema declares of a route. `value` gives the variables of the path and the
    /// parameters.
    pub(super) fn check_declared<'v>(
        &self,
        principal: &Principal,
        entry: &Value,
        value: &dyn Fn(&str) -> Option<&'v str>,
    ) -> Result<(), Refusal> {
        match entry.pointer("/permissions/check").and_then(Value::as_array) {
            Some(check) => self.check_expression(principal, check, value),
            None => Ok(()),
        }
    }

    /// Source: `PVE/RPCEnvironment.pm`, `exec_api2_perm_check`.
    fn check_expression<'v>(
        &self,
        principal: &Principal,
        check: &[Value],
        value: &dyn Fn(&str) -> Option<&'v str>,
    ) -> Result<(), Refusal> {
        let part = |part: &Value| {
            self.check_expression(principal, part.as_array().map_or(&[], Vec::as_slice), value)
        };
        let is_one = |parts: &[Value]| parts.iter().any(|one| part(one).is_ok());
        let words: Vec<&str> = check.iter().filter_map(Value::as_str).collect();
        let allowed = match (words.as_slice(), check) {
            (["and", ..], [_, parts @ ..]) => return parts.iter().try_for_each(part),
            (["or", ..], [_, parts @ ..]) => is_one(parts),
            (["perm", _, "require_param", parameter], _) if value(parameter).is_none() => false,
            (["perm", path, options @ ..], [_, _, privileges, ..]) => {
                let privileges: Vec<&str> =
                    privileges.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                let path = filled(path, value);
                return self.require(principal, &path, &privileges, options.first() == Some(&"any"));
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

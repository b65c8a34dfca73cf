//! Who may do what: users, tokens, roles and access control lists.
//!
//! Source: pve-access-control `PVE/AccessControl.pm` and `PVE/RPCEnvironment.pm`.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::Value;

use super::answer::Refusal;
use super::sentence;
use super::world::World;

/// Who sent a request: `user@realm` or `user@realm!token`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal(String);

impl Principal {
    /// A token, `user@realm!name`.
    pub fn token(id: &str) -> Self {
        Self(id.to_string())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The user that owns the token, and the token's own name.
    pub(super) fn parts(&self) -> (&str, Option<&str>) {
        self.0.split_once('!').map_or((&self.0, None), |(user, token)| (user, Some(token)))
    }
}

/// A token of the node.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its secret.
    pub secret: String,
    /// Whether it has only what both it and its user have.
    pub privsep: bool,
    /// When it expires, in seconds since 1970; 0 is never.
    pub expire: u64,
}

/// One line of the access control list.
#[derive(Clone, Debug)]
pub struct AclEntry {
    /// Where: `/pool/felhom`.
    pub path: String,
    /// Who: a user or a token.
    pub who: String,
    /// Which role.
    pub role: String,
}

/// Users, tokens, roles and the access control list.
#[derive(Clone, Debug, Default)]
pub struct Acl {
    /// Tokens by id.
    pub tokens: BTreeMap<String, Token>,
    /// Roles and their privileges.
    pub roles: BTreeMap<String, Vec<String>>,
    /// Who has which role where. Every line propagates.
    pub entries: Vec<AclEntry>,
}

/// Privileges with whether they propagate.
pub(super) type Held = BTreeMap<String, bool>;

impl Acl {
    /// Gives a role to users and tokens on a path.
    pub fn grant(&mut self, path: &str, who: &[&str], role: &str) {
        let entry = |who: &&str| AclEntry { path: path.into(), who: (*who).into(), role: role.into() };
        self.entries.extend(who.iter().map(entry));
    }

    /// Takes a role away from everybody on a path.
    pub fn revoke(&mut self, path: &str, role: &str) {
        self.entries.retain(|entry| entry.path != path || entry.role != role);
    }

    pub(super) fn authenticate(&self, header: Option<&str>) -> Option<Principal> {
        let value = header?.strip_prefix("PVEAPIToken")?.strip_prefix(['=', ' '])?;
        let (id, secret) = value.rsplit_once('=')?;
        let token = self.tokens.get(id).filter(|token| token.expire == 0)?;
        (token.secret == secret).then(|| Principal::token(id))
    }

    /// What a principal holds on a path.
    fn held(&self, principal: &Principal, path: &str) -> Held {
        let (user, token) = principal.parts();
        let of_user = if user == "root@pam" { self.everything() } else { self.listed(user, path) };
        match self.tokens.get(principal.as_str()) {
            Some(separated) if separated.privsep => {
                let of_token = self.listed(principal.as_str(), path);
                of_token.into_iter().filter(|(name, _)| of_user.contains_key(name)).collect()
            }
            Some(_) => of_user,
            None if token.is_none() => of_user,
            None => Held::new(),
        }
    }

    fn everything(&self) -> Held {
        self.roles.get("Administrator").into_iter().flatten().map(|name| (name.clone(), true)).collect()
    }

    /// What the list gives on a path: the entries of the longest prefix that has any.
    fn listed(&self, who: &str, path: &str) -> Held {
        let mut held = Held::new();
        for prefix in prefixes(path) {
            let roles: BTreeSet<&str> = self
                .entries
                .iter()
                .filter(|entry| entry.who == who && entry.path == prefix)
                .map(|entry| entry.role.as_str())
                .collect();
            if !roles.is_empty() {
                let names = roles.into_iter().filter_map(|role| self.roles.get(role)).flatten();
                held = names.map(|name| (name.clone(), true)).collect();
            }
        }
        held
    }
}

/// `/`, `/vms`, `/vms/100`.
fn prefixes(path: &str) -> Vec<&str> {
    let ends = path.char_indices().skip(1).filter(|(_, c)| *c == '/').map(|(index, _)| index);
    let heads = ends.filter_map(|end| path.get(..end));
    core::iter::once("/").chain(heads).chain((path != "/").then_some(path)).collect()
}

impl World {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_all_its_prefixes() {
        assert_eq!(prefixes("/sdn/zones/x"), ["/", "/sdn", "/sdn/zones", "/sdn/zones/x"]);
        assert_eq!(prefixes("/"), ["/"]);
    }
}

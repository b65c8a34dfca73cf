//! Users, tokens, roles, and what they may do where.
//!
//! Source: pve-access-control `PVE/AccessControl.pm`.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::iter::successors;

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
pub struct TokenState {
    /// Its secret.
    pub secret: String,
    /// Whether it has only what both it and its user have.
    pub privsep: bool,
}

/// One line of the access control list.
#[derive(Clone, Debug)]
pub struct AclLine {
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
    pub tokens: BTreeMap<String, TokenState>,
    /// Roles and their privileges.
    pub roles: BTreeMap<String, Vec<String>>,
    /// Who has which role where. Every line propagates.
    pub entries: Vec<AclLine>,
}

/// Privileges with whether they propagate.
pub(super) type Held = BTreeMap<String, bool>;

impl Acl {
    /// Gives a role to users and tokens on a path.
    pub fn grant(&mut self, path: &str, who: &[&str], role: &str) {
        let entry = |who: &&str| AclLine { path: path.into(), who: (*who).into(), role: role.into() };
        self.entries.extend(who.iter().map(entry));
    }

    /// Takes a role away from everybody on a path.
    pub fn revoke(&mut self, path: &str, role: &str) {
        self.entries.retain(|entry| entry.path != path || entry.role != role);
    }

    pub(super) fn authenticate(&self, header: Option<&str>) -> Option<Principal> {
        let value = header?.strip_prefix("PVEAPIToken")?.strip_prefix(['=', ' '])?;
        let (id, secret) = value.rsplit_once('=')?;
        (self.tokens.get(id)?.secret == secret).then(|| Principal::token(id))
    }

    /// What a principal holds on a path.
    pub(super) fn held(&self, principal: &Principal, path: &str) -> Held {
        let (user, token) = principal.parts();
        let mut held =
            if user == "root@pam" { self.given(&["Administrator"]) } else { self.listed(user, path) };
        match self.tokens.get(principal.as_str()) {
            None if token.is_some() => held.clear(),
            Some(separated) if separated.privsep => {
                let of_token = self.listed(principal.as_str(), path);
                held.retain(|name, _| of_token.contains_key(name));
            }
            _ => {}
        }
        held
    }

    fn given(&self, roles: &[&str]) -> Held {
        let names = roles.iter().filter_map(|role| self.roles.get(*role)).flatten();
        names.map(|name| (name.clone(), true)).collect()
    }

    /// What the list gives on a path: the lines of the path itself, else of the nearest one above that has any.
    fn listed(&self, who: &str, path: &str) -> Held {
        let roles_on = |path: &str| -> Vec<&str> {
            let entries = self.entries.iter().filter(|entry| entry.who == who && entry.path == path);
            entries.map(|entry| entry.role.as_str()).collect()
        };
        let roles = successors(Some(path), |path| above(path)).map(roles_on).find(|roles| !roles.is_empty());
        self.given(&roles.unwrap_or_default())
    }
}

/// The path above: of `/vms/100` it is `/vms`, of that `/`.
fn above(path: &str) -> Option<&str> {
    match path.rsplit_once('/')? {
        ("", "") => None,
        ("", _) => Some("/"),
        (above, _) => Some(above),
    }
}

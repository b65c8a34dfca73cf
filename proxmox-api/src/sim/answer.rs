//! Who asks, what is answered in the form of pveproxy, and the faults on the way.
//!
//! Source of users, tokens and roles: pve-access-control `PVE/AccessControl.pm`.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use serde_json::{Value, json};

use super::sentence::{self, Said, Sentence};
use crate::endpoint::Endpoint;
use crate::{Method, Response};

/// An HTTP answer of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Reason phrase: the first line of an error.
    pub reason: String,
    /// The body; empty for a 401 and for 59x.
    pub body: String,
    /// Whether pvedaemon answered, so that the answer carries two `Connection` headers, `close` and `Keep-Alive`.
    pub is_proxied: bool,
}

impl Answer {
    /// An answer without a body, as pveproxy gives for a 401 and for 59x.
    pub fn bare(status: u16, reason: &str) -> Self {
        Self { status, reason: reason.into(), body: String::new(), is_proxied: false }
    }

    /// The same with a sentence of the node.
    pub(super) fn said(status: u16, sentence: Sentence) -> Self {
        Self::bare(status, Said::from(sentence).as_str())
    }

    /// A refusal of one parameter, in these words.
    pub fn refused_parameter(name: &str, text: &str) -> Self {
        let errors = BTreeMap::from([(name.to_string(), text.to_string())]);
        Refusal { errors, ..Refusal::parameters() }.into_answer(true)
    }

    pub(super) fn into_response(self, date: u64) -> Response {
        Response { status: self.status, reason: self.reason, date: Some(date), body: self.body.into() }
    }
}

/// What a handler returns: `data`, and the number of all rows if it is a page.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) data: Value,
    pub(super) total: Option<usize>,
}

impl From<Value> for Reply {
    fn from(data: Value) -> Self {
        Self { data, total: None }
    }
}

impl Reply {
    pub(super) fn into_answer(self, is_proxied: bool) -> Answer {
        let mut body = json!({ "data": self.data });
        if let (Some(total), Some(fields)) = (self.total.filter(|total| *total > 0), body.as_object_mut()) {
            fields.insert("total".into(), total.into());
        }
        Answer { status: 200, reason: "OK".into(), body: body.to_string(), is_proxied }
    }
}

/// A refusal: status, message, and the texts per parameter.
#[derive(Debug)]
pub(super) struct Refusal {
    status: u16,
    message: Said,
    errors: BTreeMap<String, String>,
}

impl Refusal {
    /// Perl's `die`: 500 with a sentence.
    pub(super) fn die(message: impl Into<Said>) -> Self {
        Self { status: 500, message: message.into(), errors: BTreeMap::new() }
    }

    /// `raise_perm_exc`: 403, with what was checked in parentheses.
    pub(super) fn permission(detail: Option<&Said>) -> Self {
        let message =
            detail.map_or_else(|| sentence::DENIED.into(), |detail| sentence::DENIED_FOR.of(&[detail]));
        Self { status: 403, ..Self::die(message) }
    }

    /// `raise_param_exc`: 400, with a text per parameter.
    pub(super) fn parameter(name: &str, text: impl Into<Said>) -> Self {
        Self::parameters().with(name, text)
    }

    /// The same, before the texts.
    pub(super) fn parameters() -> Self {
        Self { status: 400, ..Self::die(sentence::BAD_PARAMETERS) }
    }

    /// The same with one more text.
    pub(super) fn with(mut self, name: &str, text: impl Into<Said>) -> Self {
        self.errors.insert(name.to_string(), text.into().as_str().into());
        self
    }

    /// 501 for a route that does not exist.
    pub(super) fn not_implemented(method: &str, path: &str) -> Self {
        Self { status: 501, ..Self::die(sentence::NOT_IMPLEMENTED.of(&[&method, &path])) }
    }

    pub(super) fn message(&self) -> &Said {
        &self.message
    }

    pub(super) fn is_permission(&self) -> bool {
        self.status == 403
    }

    pub(super) fn names_nothing(&self) -> bool {
        self.errors.is_empty()
    }

    /// Whether it says that of a parameter.
    pub(super) fn says(&self, sentence: Sentence) -> bool {
        self.errors.values().any(|text| text == Said::from(sentence).as_str())
    }

    pub(super) fn into_answer(self, is_proxied: bool) -> Answer {
        let mut body = json!({ "data": null, "message": format!("{}\n", self.message) });
        if let (false, Some(fields)) = (self.errors.is_empty(), body.as_object_mut()) {
            fields.insert("errors".into(), json!(self.errors));
        }
        Answer { status: self.status, reason: self.message.to_string(), body: body.to_string(), is_proxied }
    }
}

/// Sets a field of a JSON object.
pub(super) fn set(object: &mut Value, field: &str, value: impl Into<Value>) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(field.into(), value.into());
    }
}

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
    pub(super) fn held(&self, principal: &Principal, path: &str) -> Held {
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

/// A fault that strikes calls of an endpoint.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The endpoint whose calls it strikes.
    pub endpoint: &'static Endpoint,
    /// What happens to them.
    pub effect: Effect,
    /// How often it strikes.
    pub times: usize,
}

impl Fault {
    /// A fault that strikes once.
    pub const fn once(endpoint: &'static Endpoint, effect: Effect) -> Self {
        Self { endpoint, effect, times: 1 }
    }
}

/// What happens to a request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Effect {
    /// The connection is refused: nothing is sent.
    Refused,
    /// The connection breaks after the request was sent and before the node read it: nothing happens.
    LostRequest,
    /// The node acts on the request, and its answer is lost.
    LostAnswer,
    /// The node acts on the request, and pveproxy answers with a status of its own (595 to 599).
    Gateway(u16),
    /// The node acts on the request, and this is the answer.
    Answered(Answer),
    /// This is the answer, and the node does nothing.
    Instead(Answer),
    /// The node acts on the request, and only half of the body arrives.
    Cut,
    /// The node acts on the request, and this arrives as the body of its answer.
    Body(&'static str),
    /// The request takes this long; beyond its time limit the answer is lost.
    Slow(Duration),
    /// The connection breaks, and the node acts on the request so much later.
    Late(Duration),
}

/// A request that the node acts on later.
#[derive(Debug)]
pub(super) struct Deferred {
    pub(super) due: Duration,
    pub(super) call: Arrived,
}

/// A request as it arrives at the node.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    pub(super) number: usize,
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) body: String,
    pub(super) principal: Principal,
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

//! What the node answers, in the form of pveproxy, and the faults on the way.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::{self, Display};
use core::time::Duration;

use serde_json::{Map, Value, json};

use super::access::Principal;
use crate::endpoint::Endpoint;
use crate::{Method, Response};

/// A sentence of the node. `said!` alone makes one, and a test looks each of them up in the recordings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said(pub(super) String);

/// A sentence that a recording holds. One that none holds has the place in PVE's sources in the comment above it.
macro_rules! said {
    ($($text:tt)*) => {
        crate::sim::answer::Said(alloc::format!($($text)*))
    };
}
pub(super) use said;

impl Said {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An HTTP answer of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// HTTP status.
    pub status: u16,
    /// Reason phrase: the first line of an error.
    pub reason: String,
    /// The body; empty for a 401 and for 59x.
    pub body: String,
    /// Whether pvedaemon answered, so that the answer carries two `Connection` headers, `close` and `Keep-Alive`.
    pub is_proxied: bool,
}

impl HttpAnswer {
    /// An answer without a body, as pveproxy gives for a 401 and for 59x.
    pub fn bare(status: u16, reason: &str) -> Self {
        Self { status, reason: reason.into(), body: String::new(), is_proxied: false }
    }

    /// A refusal of one parameter, in these words.
    pub fn refused_parameter(name: &str, text: &str) -> Self {
        Refusal::parameters([(name.to_string(), text.to_string())].into()).into_answer(true)
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

impl<T: Into<Value>> From<T> for Reply {
    fn from(data: T) -> Self {
        Self { data: data.into(), total: None }
    }
}

impl Reply {
    pub(super) fn into_answer(self, is_proxied: bool) -> HttpAnswer {
        let mut body = json!({ "data": self.data });
        if let Some(total) = self.total.filter(|total| *total > 0) {
            body["total"] = total.into();
        }
        HttpAnswer { status: 200, reason: "OK".into(), body: body.to_string(), is_proxied }
    }
}

/// The fields of a JSON object.
pub(super) fn fields(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// A refusal: status, message, and the texts per parameter.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) message: Said,
    pub(super) errors: BTreeMap<String, String>,
}

/// Perl's `die`: 500 with a sentence.
impl From<Said> for Refusal {
    fn from(message: Said) -> Self {
        Self { status: 500, message, errors: BTreeMap::new() }
    }
}

/// Refuses where this holds.
pub(super) fn die_if(holds: bool, message: Said) -> Result<(), Refusal> {
    if holds { Err(message.into()) } else { Ok(()) }
}

impl Refusal {
    /// `raise_perm_exc`: 403, with what was checked in parentheses.
    pub(super) fn permission(detail: Option<&Said>) -> Self {
        let message = match detail {
            Some(detail) => said!("Permission check failed ({detail})"),
            None => said!("Permission check failed"),
        };
        Self { status: 403, ..message.into() }
    }

    /// `raise_param_exc`: 400, with a text per parameter.
    pub(super) fn parameter(name: &str, text: &Said) -> Self {
        Self::parameters([(name.to_string(), text.to_string())].into())
    }

    /// The same with all the texts.
    pub(super) fn parameters(errors: BTreeMap<String, String>) -> Self {
        Self { status: 400, errors, ..said!("Parameter verification failed.").into() }
    }

    pub(super) fn into_answer(self, is_proxied: bool) -> HttpAnswer {
        let mut body = json!({ "data": null, "message": format!("{}\n", self.message) });
        if !self.errors.is_empty() {
            body["errors"] = json!(self.errors);
        }
        HttpAnswer { status: self.status, reason: self.message.0, body: body.to_string(), is_proxied }
    }
}

/// A fault that strikes calls of an endpoint.
#[derive(Clone, Debug)]
pub struct Injection {
    /// The endpoint whose calls it strikes.
    pub endpoint: &'static Endpoint,
    /// What happens to them.
    pub effect: Effect,
    /// How often it strikes.
    pub times: usize,
}

impl Injection {
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
    Answered(HttpAnswer),
    /// This is the answer, and the node does nothing.
    Instead(HttpAnswer),
    /// The node acts on the request, and only half of the body arrives.
    Cut,
    /// The node acts on the request, and this arrives as the body of its answer.
    Body(&'static str),
    /// The request takes this long; beyond its time limit the answer is lost.
    Slow(Duration),
    /// The connection breaks, and the node acts on the request so much later.
    Late(Duration),
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

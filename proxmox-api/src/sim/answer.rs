//! Answers as pveproxy forms them.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};

use serde_json::{Value, json};

use crate::Response;

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

    /// A refusal of one parameter.
    pub fn refused_parameter(name: &str, text: &str) -> Self {
        Refusal::parameter(name, text).into_answer(true)
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
    pub(super) status: u16,
    pub(super) message: String,
    pub(super) errors: BTreeMap<String, String>,
}

impl Refusal {
    /// Perl's `die`: 500 with a sentence.
    pub(super) fn die(message: impl Into<String>) -> Self {
        Self { status: 500, message: message.into(), errors: BTreeMap::new() }
    }

    /// `raise_perm_exc`: 403, with what was checked in parentheses.
    pub(super) fn permission(detail: Option<&str>) -> Self {
        let message = "Permission check failed";
        let message = detail.map_or_else(|| message.into(), |detail| format!("{message} ({detail})"));
        Self { status: 403, message, errors: BTreeMap::new() }
    }

    /// `raise_param_exc`: 400, with a text per parameter.
    pub(super) fn parameter(name: &str, text: &str) -> Self {
        Self {
            status: 400,
            message: "Parameter verification failed.".into(),
            errors: BTreeMap::from([(name.to_string(), text.to_string())]),
        }
    }

    /// 501 for a route that does not exist.
    pub(super) fn not_implemented(method: &str, path: &str) -> Self {
        Self {
            status: 501,
            message: format!("Method '{method} {path}' not implemented"),
            errors: BTreeMap::new(),
        }
    }

    pub(super) fn into_answer(self, is_proxied: bool) -> Answer {
        let mut body = json!({ "data": null, "message": format!("{}\n", self.message) });
        if let (false, Some(fields)) = (self.errors.is_empty(), body.as_object_mut()) {
            fields.insert("errors".into(), json!(self.errors));
        }
        Answer { status: self.status, reason: self.message, body: body.to_string(), is_proxied }
    }
}

/// Sets a field of a JSON object.
pub(super) fn set(object: &mut Value, field: &str, value: impl Into<Value>) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(field.into(), value.into());
    }
}

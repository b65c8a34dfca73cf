//! Answers as pveproxy forms them.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};

use serde_json::{Value, json};

use super::sentence::{self, Said, Sentence};
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

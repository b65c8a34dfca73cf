//! Finds the server's words in an answer that is not 200.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;

use serde::Deserialize;

use super::classify::{classify, proves_refusal};
use super::{Cause, Error};
use crate::endpoint::Endpoint;
use crate::{Request, Response};

/// Longest message that is kept, in bytes.
const KEPT: usize = 4096;

/// What PVE puts into the body of an error.
#[derive(Default, Deserialize)]
struct Problem {
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    errors: Option<BTreeMap<String, String>>,
}

/// The error for an answer that is not 200.
///
/// The text is the JSON `message` with all its lines, else a body of text, else the reason phrase: a 401 and a 595 have
/// nothing else.
pub(crate) fn rejection(endpoint: &Endpoint, request: &Request, response: &Response) -> Error {
    let line = request.line().into_boxed_str();
    if response.status == 401 {
        return Error::Unauthorized { request: line, reason: response.reason.as_str().into() };
    }
    let body = response.body.as_bytes();
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    let text = core::str::from_utf8(body).ok().filter(|text| !text.trim_start().starts_with(['{', '<']));
    let message = problem.message.as_deref().or(text).map(str::trim).filter(|message| !message.is_empty());
    let message = cut(message.unwrap_or(&response.reason));
    let mut cause = Box::new(classify(response.status, &message, problem.errors.unwrap_or_default()));
    if let Cause::Permission(denied) = cause.as_mut()
        && denied.is_unnamed()
    {
        denied.needs = Some(endpoint.needs(request)).filter(|needs| !needs.is_empty());
    }
    let may_have_happened = !proves_refusal(response.status, &message, endpoint.refuses_first);
    Error::Rejected { request: line, status: response.status, cause, message, may_have_happened }
}

fn cut(text: &str) -> Box<str> {
    let end = (0..=KEPT.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or_default();
    text.get(..end).unwrap_or_default().into()
}

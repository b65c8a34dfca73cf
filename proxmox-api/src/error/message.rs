//! Finds the server's words in an answer that is not 200.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use percent_encoding::percent_decode_str;
use proxmox_types::clean;
use serde::Deserialize;

use super::classify::{classify, proves_refusal, was_written};
use super::text::{Fields, LONGEST_TEXT, Text};
use super::{Cause, Error};
use crate::endpoint::Endpoint;
use crate::{Parameter, Request, Response};

/// What PVE puts into the body of an error.
#[derive(Default, Deserialize)]
struct Problem {
    #[serde(default)]
    message: Option<Text>,
    #[serde(default)]
    errors: Option<Fields>,
}

/// What an answer means that PVE never gives, by its first and last status.
const STRANGE: [(u16, u16, &str); 4] = [
    (101, 101, "the server wants to switch to another protocol, so it is not pveproxy"),
    (100, 199, "the server gave no final answer"),
    (201, 299, "the server gave another answer than 200, so it is not pveproxy"),
    (300, 399, "the server sends us elsewhere, which is never followed"),
];

/// The error for an answer that is not 200.
///
/// The text is the JSON `message` with all its lines, else a body of text, else the reason phrase: a 401 and a 595 have
/// nothing else.
pub(crate) fn rejection(endpoint: &Endpoint, request: &Request, response: &Response) -> Error {
    let (line, status) = (request.line().into_boxed_str(), response.status);
    if status == 401 {
        return Error::Unauthorized { request: line, reason: clean(&response.reason, LONGEST_TEXT).into() };
    }
    let problem: Problem = serde_json::from_slice(response.body.as_bytes()).unwrap_or_default();
    let said = problem.message.map(|Text(text)| text).filter(|text| !text.is_empty());
    let message =
        said.or_else(|| body_text(response)).unwrap_or_else(|| clean(&response.reason, LONGEST_TEXT));
    let fields = problem.errors.unwrap_or_default().0;
    let is_written = fields.values().any(|text| was_written(text));
    let named: Vec<String> = fields.keys().cloned().collect();
    let mut cause = Box::new(classify(status, &message, fields));
    complete(cause.as_mut(), endpoint, request, &named);
    if let (Some(meaning), Cause::Status { message }) = (strange(status), cause.as_mut()) {
        *message = alloc::format!("{meaning} ({status} {message})");
    }
    let may_have_happened = is_written || !proves_refusal(status, &message, endpoint.refuses_first);
    Error::Rejected { request: line, status, cause, message: message.into(), may_have_happened }
}

/// A body that is neither JSON nor a page.
fn body_text(response: &Response) -> Option<String> {
    let body = response.body.as_bytes();
    let text = core::str::from_utf8(body).ok()?.trim();
    (!text.is_empty() && !text.starts_with(['{', '<'])).then(|| clean(text, LONGEST_TEXT))
}

fn strange(status: u16) -> Option<&'static str> {
    let row = STRANGE.iter().find(|(first, last, _)| (*first..=*last).contains(&status));
    row.map(|(.., meaning)| *meaning)
}

/// Adds what PVE does not say and the request knows: the needed privileges, and the name of what does not exist.
fn complete(cause: &mut Cause, endpoint: &Endpoint, request: &Request, named: &[String]) {
    match cause {
        Cause::Permission(denied) if denied.is_unnamed() => {
            denied.needs = Some(endpoint.needs(request)).filter(|needs| !needs.is_empty());
        }
        Cause::NotFound { name, .. } if name.is_empty() => {
            *name = named.iter().find_map(|field| value(endpoint, request, field)).unwrap_or_default();
        }
        _ => {}
    }
}

/// What the request has for a variable of its path, or for a parameter.
fn value(endpoint: &Endpoint, request: &Request, name: &str) -> Option<String> {
    let in_path = endpoint.variable(&request.path, name);
    let in_path = in_path.map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned());
    let sent = || request.parameters.iter().find(|parameter| parameter.name == name);
    in_path.or_else(|| sent().map(Parameter::expose).map(ToString::to_string))
}

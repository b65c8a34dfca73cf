//! Every recorded request, built again by the client; every recorded answer, decoded or classified by the same call.

use std::collections::{BTreeMap, BTreeSet};

use proxmox_api::endpoint::Endpoint;
use proxmox_api::scope;
use proxmox_api::sim::{Built, Given};
use proxmox_api::{Error, Request};
use proxmox_types::Upid;
use serde_json::{Map, Value};

use crate::built::{build, client};
use crate::recording::{Recording, all, exceptions, percent_decoded};

/// The rows that a request may be one of: creating and restoring share a line.
fn rows(recording: &Recording) -> Vec<&'static Endpoint> {
    let (Some(method), Some(_)) = (recording.method(), &recording.path) else { return Vec::new() };
    let segments = recording.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    scope::all().filter(|endpoint| endpoint.matches(method, &segments)).collect()
}

/// The row that a recorded request is of. Only a restore sends `restore`.
pub(crate) fn row(recording: &Recording) -> Option<&'static Endpoint> {
    let restores = parameters(recording).get("restore").is_some_and(|value| *value == 1 || *value == "1");
    rows(recording).into_iter().find(|endpoint| endpoint.operation != "lxc.create" || !restores)
}

/// The parameters as they travel, as text; a name that was sent twice has a list.
fn parameters(recording: &Recording) -> Map<String, Value> {
    let text = |value: &Value| match value {
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        other => other.clone(),
    };
    let mut parameters = Map::new();
    match &recording.parameters {
        Value::Object(fields) => {
            parameters.extend(fields.iter().map(|(name, value)| (name.clone(), text(value))));
        }
        Value::Array(pairs) => pairs.iter().for_each(|pair| {
            let list =
                parameters.entry(pair[0].as_str().unwrap()).or_insert_with(|| Value::Array(Vec::new()));
            list.as_array_mut().unwrap().push(text(&pair[1]));
        }),
        _ => {}
    }
    parameters
}

pub(crate) fn given(recording: &Recording, endpoint: &Endpoint) -> Given {
    let template = endpoint.path.split('/').filter(|part| !part.is_empty());
    let variable =
        |(name, value): (&str, String)| Some((name.strip_prefix('{')?.strip_suffix('}')?.to_owned(), value));
    let place = template.zip(recording.segments()).filter_map(variable).collect();
    let mut parameters = parameters(recording);
    if endpoint.operation == "lxc.restore" {
        // The call sends it by itself.
        parameters.remove("restore");
    }
    // A list of one travels as a text.
    if let Some(text @ Value::String(_)) = parameters.get_mut("exclude-path") {
        *text = Value::Array(vec![text.take()]);
    }
    Given::new(place, parameters)
}

/// What a request says: decoded segments and decoded parameters. A value that PVE reads as a set of pieces is one.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    method: String,
    segments: Vec<String>,
    parameters: BTreeMap<String, BTreeSet<String>>,
}

fn pieces(text: &str) -> BTreeSet<String> {
    // A property string that begins with its default key may leave it out.
    let piece = |piece: &str| piece.trim_start_matches("volume=").trim_start_matches("order=").to_owned();
    text.split(',').map(piece).collect()
}

fn recorded(recording: &Recording) -> Said {
    let values = |value: &Value| match value {
        Value::Array(items) => items.iter().flat_map(|item| pieces(item.as_str().unwrap())).collect(),
        other => pieces(other.as_str().unwrap()),
    };
    Said {
        method: recording.method.clone(),
        segments: recording.segments(),
        parameters: parameters(recording).iter().map(|(name, value)| (name.clone(), values(value))).collect(),
    }
}

/// Read from the encoded form, as a server would.
fn sent(request: &Request) -> Said {
    let mut parameters: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let encoded = request.encoded_parameters();
    for (name, value) in encoded.split('&').filter_map(|pair| pair.split_once('=')) {
        parameters.entry(percent_decoded(name)).or_default().extend(pieces(&percent_decoded(value)));
    }
    Said {
        method: request.method.as_str().to_owned(),
        segments: request.path.split('/').filter(|part| !part.is_empty()).map(percent_decoded).collect(),
        parameters,
    }
}

/// The recorded request made again, answered as it was.
fn made(recording: &Recording) -> Option<Built> {
    let endpoint = row(recording)?;
    let client = client(recording.response.clone());
    Some(build(&client, endpoint, given(recording, endpoint)))
}

#[test]
fn every_recorded_request_is_built_again_or_excluded_for_a_reason() {
    let excluded = exceptions(include_str!("unbuilt_requests.txt"));
    let (mut unbuilt, mut built) = (BTreeMap::new(), 0);
    for recording in all() {
        let reason = match made(&recording) {
            None => continue,
            Some(Ok(made)) if sent(&made.request) == recorded(&recording) => {
                built += 1;
                continue;
            }
            Some(Ok(made)) => format!("another: {}", made.request),
            Some(Err(reason)) => reason,
        };
        assert_eq!(unbuilt.insert(recording.name.clone(), reason), None);
    }
    assert!(unbuilt.keys().eq(excluded.keys()), "{unbuilt:#?}");
    assert!(built > 700, "only {built} requests were built");
}

#[test]
fn every_recorded_answer_is_what_its_call_returns_or_an_error_with_a_meaning() {
    let mut faults = Vec::new();
    for recording in all() {
        let (Some(Ok(made)), Some(status)) = (made(&recording), recording.status()) else { continue };
        if sent(&made.request) != recorded(&recording) {
            continue;
        }
        match (status, made.answer) {
            (200, Ok(_)) | (300.., Err(Error::Rejected { .. })) | (401, Err(Error::Unauthorized { .. })) => {}
            (_, answer) => faults.push(format!("{}: {status}, {answer:?}", recording.name)),
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_recorded_worker_is_the_one_that_its_row_says() {
    let mut workers = 0;
    for recording in all().iter().filter(|recording| recording.status() == Some(200)) {
        let Some(endpoint) = row(recording) else { continue };
        let body = recording.response.clone().unwrap().body;
        let Ok(body) = serde_json::from_slice::<Value>(body.as_bytes()) else { continue };
        let Some(upid) = body["data"].as_str().filter(|text| text.starts_with("UPID:")) else { continue };
        let upid: Upid = upid.parse().unwrap();
        let worker =
            endpoint.trace.worker().unwrap_or_else(|| panic!("{} starts nothing", endpoint.operation));
        assert!(worker.kinds.contains(&upid.worker_type()), "{}", recording.name);
        let given = given(recording, endpoint);
        let value = |name: &str| {
            let parameter = given.parameters.get(name).and_then(Value::as_str);
            given.place.get(name).map(String::as_str).or(parameter)
        };
        assert!(worker.id.fits(upid.id(), &value), "{}: {}", recording.name, upid.id());
        workers += 1;
    }
    assert!(workers > 100, "only {workers} workers");
}

#[test]
fn every_recorded_request_is_of_a_row_or_has_a_reason_not_to_be() {
    let reasons = exceptions(include_str!("foreign_requests.txt"));
    let foreign: BTreeSet<String> = all()
        .iter()
        .filter(|recording| rows(recording).is_empty())
        .map(|recording| recording.name.clone())
        .collect();
    assert!(foreign.iter().eq(reasons.keys()), "{foreign:#?}");
}

#[test]
fn every_row_was_recorded_or_has_a_reason_not_to_be() {
    let reasons = exceptions(include_str!("unrecorded_operations.txt"));
    let recorded: BTreeSet<&str> = all().iter().flat_map(rows).map(|endpoint| endpoint.operation).collect();
    let missing = scope::all().map(|endpoint| endpoint.operation).filter(|name| !recorded.contains(name));
    let missing: BTreeSet<&str> = missing.collect();
    assert!(missing.iter().copied().eq(reasons.keys().map(String::as_str)), "{missing:#?}");
}

#[test]
fn every_recording_that_a_row_names_exists() {
    let names: BTreeSet<String> = all().into_iter().map(|recording| recording.name).collect();
    let cited = scope::all().flat_map(Endpoint::code_checks).filter_map(|check| check.recording);
    let missing: Vec<&str> = cited.filter(|name| !names.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn operations_have_names_of_their_own() {
    let names: Vec<&str> = scope::all().map(|endpoint| endpoint.operation).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}

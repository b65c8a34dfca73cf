//! The endpoint table against the recorded request lines.

use std::collections::BTreeSet;

use proxmox_api::endpoint::Endpoint;
use proxmox_api::scope;

use crate::recording::{Recording, all, exceptions};

/// The rows that a request may be one of: creating and restoring share a line.
fn rows(recording: &Recording) -> Vec<&'static Endpoint> {
    let (Some(method), Some(_)) = (recording.method(), &recording.path) else { return Vec::new() };
    let segments = recording.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    scope::all().filter(|endpoint| endpoint.matches(method, &segments)).collect()
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

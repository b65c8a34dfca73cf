//! Every recorded success is read by a shape or listed as left out.

use std::collections::BTreeSet;

use crate::{endpoints, recording, table};

/// Recordings and path templates that no shape reads, with the reason.
const LEFT_OUT: &str = "unmodelled_endpoints.txt";

#[test]
fn every_recorded_success_is_decoded() {
    let left_out = table::read(LEFT_OUT);
    let mut decoded = 0;
    for recording in recording::successes().filter(|recording| !left_out.contains_key(&recording.name)) {
        if let Some((_, _, read)) = endpoints::of(&recording) {
            let reading = read(&recording.body);
            let reading = reading.unwrap_or_else(|error| panic!("{}: {error}", recording.name));
            assert_eq!(reading.unread, [""; 0], "{}", recording.name);
            decoded += 1;
        }
    }
    assert!(decoded > 570, "only {decoded} recordings were decoded");
}

#[test]
fn what_no_shape_reads_is_listed_with_its_reason() {
    let listed: BTreeSet<String> = table::read(LEFT_OUT).into_keys().collect();
    let mut found = BTreeSet::new();
    for recording in recording::successes() {
        let row = endpoints::of(&recording);
        let unread = row.is_none_or(|(_, _, read)| read(&recording.body).is_err());
        let template = listed.iter().find(|what| what.starts_with('/') && recording.is_of("GET", what));
        match template {
            Some(template) if row.is_none() => found.insert(template.clone()),
            _ if unread => found.insert(recording.name),
            _ => true,
        };
    }
    assert_eq!(found, listed);
}

#[test]
fn every_endpoint_of_the_table_was_recorded() {
    let recordings: Vec<_> = recording::successes().collect();
    let unused: Vec<_> = endpoints::ENDPOINTS
        .iter()
        .filter(|(method, template, _)| !recordings.iter().any(|recording| recording.is_of(method, template)))
        .map(|(method, template, _)| format!("{method} {template}"))
        .collect();
    assert_eq!(unused, [""; 0]);
}

//! Every recorded answer that is not 200, and the error that it becomes.

use std::collections::{BTreeMap, BTreeSet};

use proxmox_api::{Cause, Error};

use crate::canned::{client, now};
use crate::recording::{Recording, all, exceptions};

fn refused() -> impl Iterator<Item = (Recording, Error)> {
    let refused =
        all().into_iter().filter(|recording| recording.status().is_some_and(|status| status != 200));
    refused.map(|recording| {
        let client = client(recording.response.clone());
        let error = now(client.version().into_future()).unwrap_err();
        (recording, error)
    })
}

fn line(error: &Error) -> String {
    match error {
        Error::Unauthorized { reason, .. } => format!("Unauthorized {{ reason: {reason:?} }}"),
        Error::Rejected { cause, .. } => format!("{cause:?}"),
        other => panic!("an answer became {other:?}"),
    }
}

#[test]
fn every_recorded_refusal_is_classified_as_the_table_says() {
    let lines: Vec<String> =
        refused().map(|(recording, error)| format!("{}: {}", recording.name, line(&error))).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn the_catch_all_is_used_only_where_a_reason_is_given() {
    let reasons = exceptions(include_str!("unclassified.txt"));
    let caught: BTreeSet<String> = refused()
        .filter(|(_, error)| matches!(error.cause(), Some(Cause::Status { .. })))
        .map(|(recording, _)| recording.name)
        .collect();
    assert!(caught.iter().eq(reasons.keys()), "{caught:#?}");
}

#[test]
fn a_server_that_closes_without_an_answer_is_no_answer() {
    let silent: Vec<String> = all()
        .into_iter()
        .filter(|recording| recording.response.is_none())
        .map(|recording| recording.name)
        .collect();
    assert_eq!(silent, ["http-big-header", "http-many-headers"]);
}

#[test]
fn the_text_of_an_error_keeps_the_servers_words() {
    let mut shown = BTreeMap::new();
    for (recording, error) in refused() {
        if let Error::Rejected { message, .. } = &error {
            shown.insert(recording.name, message.clone());
        }
    }
    assert_eq!(&*shown["lxc-start-already-running"], "CT 100 already running");
    assert_eq!(&*shown["http-body-oversized-513k"], "for data too large");
    assert_eq!(&*shown["pvedaemon-down-post"], "Connection refused");
}

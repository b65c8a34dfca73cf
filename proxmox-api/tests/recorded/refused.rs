//! What a server refused, and how its tasks ended: every recorded word of it, and what the client and the simulated node
//! make of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proxmox_api::sim::now;
use proxmox_api::{Cause, Client, Ended, Error, Patience};
use proxmox_types::{TaskStatus, Upid};
use serde::Deserialize;
use serde_json::Value;

use crate::built::client;
use crate::recording::{Recording, all, exceptions, one};

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

#[derive(Deserialize)]
struct Envelope {
    data: TaskStatus,
}

fn upid(recording: &Recording) -> Upid {
    let body = recording.response.clone().unwrap().body;
    serde_json::from_slice::<Envelope>(body.as_bytes()).unwrap().data.upid
}

fn waited(recording: &Recording) -> Result<Ended, Error> {
    let status = recording.response.clone().unwrap();
    let log = one(&recording.name.replace(".task-status", ".task-log")).and_then(|log| log.response);
    // The log is read twice: for its length, and for its end.
    let client: Client = client([Some(status), log.clone(), log].into_iter().flatten());
    now(client.task(&upid(recording)).wait(Patience::default()))
}

fn ends() -> impl Iterator<Item = Recording> {
    all().into_iter().filter(|recording| recording.name.ends_with(".task-status"))
}

#[test]
fn every_recorded_end_is_judged_as_the_table_says() {
    let lines = ends().map(|recording| {
        let name = recording.name.trim_end_matches(".task-status");
        match waited(&recording) {
            Ok(ended) if ended.had_nothing_to_do => format!("{name}: ok, nothing to do"),
            Ok(ended) if ended.warnings == 0 => format!("{name}: ok"),
            Ok(ended) => format!("{name}: ok with {} warnings {:?}", ended.warnings, ended.warning_lines),
            Err(Error::TaskFailed { cause, log_tail, .. }) => {
                format!("{name}: failed, {cause:?}, {} lines of log", log_tail.len())
            }
            Err(error) => format!("{name}: {error}"),
        }
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_failure_carries_the_last_lines_of_the_log() {
    let recording = one("lxc-create-fail-no-template.task-status").unwrap();
    let Err(Error::TaskFailed { log_tail, exit, .. }) = waited(&recording) else { panic!("it failed") };
    assert_eq!(log_tail.last().unwrap(), &format!("TASK ERROR: {exit}"));
}

/// A sentence of the simulated node, and the lines of code before it.
#[derive(Debug)]
struct Sentence {
    text: String,
    before: String,
}

/// The files of the simulated node.
fn files(folder: &Path) -> Vec<PathBuf> {
    let below = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    below.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn sentences() -> Vec<Sentence> {
    let mut found = Vec::new();
    for file in files(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sim"))) {
        let code = fs::read_to_string(file).unwrap();
        for (at, _) in code.match_indices("said!(\"").chain(code.match_indices("said!(\n")) {
            let (before, after) = code.split_at(at);
            let before = before.lines().rev().take(3).collect();
            let text = after.split('"').nth(1).unwrap().replace("\\n", "\n");
            let lines: Vec<&str> = text.split("\\\n").map(str::trim_start).collect();
            found.push(Sentence { text: lines.concat(), before });
        }
    }
    found
}

/// Everything that stands in an answer.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
        _ => {}
    }
}

/// Everything that was said in a recording.
fn recorded() -> BTreeSet<String> {
    let mut found = Vec::new();
    for response in all().into_iter().filter_map(|recording| recording.response) {
        texts(&serde_json::from_slice(response.body.as_bytes()).unwrap_or_default(), &mut found);
        found.push(response.reason);
    }
    found.into_iter().collect()
}

/// Whether a text has the parts of the sentence between its braces, in their order.
fn says(text: &str, sentence: &str) -> bool {
    let mut rest = Some(text);
    for part in sentence.split('{') {
        let part = part.split_once('}').map_or(part, |(_, part)| part);
        rest = rest.and_then(|rest| rest.split_once(part)).map(|(_, rest)| rest);
    }
    rest.is_some()
}

#[test]
fn every_sentence_was_said_in_a_recording_or_names_its_source() {
    let (sentences, recorded) = (sentences(), recorded());
    assert!(sentences.len() > 90, "{}", sentences.len());
    let is_wrong = |Sentence { text, before }: &&Sentence| {
        let names_its_source = before.contains("// Not recorded: ") && before.contains(".pm, ");
        recorded.iter().any(|said| says(said, text)) == names_its_source
    };
    let wrong: Vec<&Sentence> = sentences.iter().filter(is_wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

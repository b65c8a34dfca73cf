//! What the simulated node says was said by a server, or stands in PVE's sources.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Every sentence of the table with where it was seen.
fn sentences() -> Vec<(String, String)> {
    let text = include_str!("../../src/sim/sentence.rs")
        .split("#[cfg(test)]")
        .next()
        .unwrap()
        .replace("\\\n     ", "");
    let texts = text.split(": Sentence =").skip(1).map(|rest| {
        let parts: Vec<&str> = rest.split('"').collect();
        (parts[1].replace("\\n", "\n"), parts[3].into())
    });
    texts.collect()
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

/// Everything that was said in a recording, and by the worker that it started.
fn recorded(name: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proxmox-types/fixtures");
    let mut found = Vec::new();
    for end in ["", ".task-status", ".task-log"] {
        let Ok(text) = fs::read_to_string(folder.join(format!("{name}{end}.json"))) else { continue };
        let file: Value = serde_json::from_str(&text).unwrap();
        found.extend(file["reason"].as_str().map(Into::into));
        let body = serde_json::from_str(file["body"].as_str().unwrap_or_default()).unwrap_or_default();
        texts(&body, &mut found);
    }
    found
}

/// Whether the parts of the sentence stand in the text, in their order.
fn holds(text: &str, sentence: &str) -> bool {
    let mut rest = Some(text);
    for part in sentence.split("{}") {
        rest = rest.and_then(|rest| rest.split_once(part)).map(|(_, rest)| rest);
    }
    rest.is_some()
}

#[test]
fn every_sentence_was_said_in_its_recording_or_stands_in_its_source() {
    let sentences = sentences();
    assert!(sentences.len() > 90, "{}", sentences.len());
    let is_right = |(sentence, seen): &&(String, String)| {
        seen.contains(".pm ") || recorded(seen).iter().any(|text| holds(text, sentence))
    };
    let invented: Vec<_> = sentences.iter().filter(|row| !is_right(row)).collect();
    assert!(invented.is_empty(), "{invented:#?}");
}

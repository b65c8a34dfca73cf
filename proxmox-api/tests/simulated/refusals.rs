//! What the simulated node refuses, and in which words.

use proxmox_api::sim::{Principal, Sim};
use serde_json::{Value, json};

/// What is answered to `[none] METHOD TARGET [BODY]`, with a template at 500: status and message, or the errors of a 400.
fn answered(sent: &str) -> (String, Value) {
    let sim = Sim::new();
    let template = sim.world().containers[&101].clone().with("template", 1);
    sim.world().containers.insert(500, template);
    let (token, sent) =
        sent.strip_prefix("none ").map_or(("root@pam!full", sent), |sent| ("felhom@pve!none", sent));
    let words: Vec<&str> = sent.split(' ').collect();
    let target = format!("/api2/json{}", words[1]);
    let body = words.get(2).copied().unwrap_or_default();
    let answer = sim.serve(words[0], &target, body, Some(&Principal::token(token)));
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    let words = match answer.status {
        400 => body["errors"].to_string(),
        status => format!("{status} {}", answer.reason),
    };
    (words, body)
}

#[test]
fn calls_are_refused_in_the_words_of_the_recordings() {
    let lines: Vec<&str> =
        include_str!("refusals.txt").lines().filter(|line| !line.starts_with('#')).collect();
    let rows: Vec<&[&str]> = lines.chunks(2).collect();
    let wrong = rows.iter().filter(|row| answered(row[0]).0 != row[1].trim_start());
    assert_eq!(wrong.map(|row| (row, answered(row[0]))).collect::<Vec<_>>(), []);
    assert_eq!(rows.len(), 24);
}

#[test]
fn a_pool_is_shown_to_every_token_that_names_it() {
    let (words, body) = answered("none GET /pools?poolid=felhom");
    assert_eq!((words.as_str(), body["data"][0]["members"].as_array().map(Vec::len)), ("200 OK", Some(5)));
    assert_eq!(answered("none GET /pools").1["data"], json!([]));
}

//! What a server says, as errors show it: bounded, clean, and with the name of what it is about.

use core::time::Duration;

use proxmox_api::scope::{self, lxc, node, storage, task};
use proxmox_api::sim::{Effect, HttpAnswer, Injection, Sim, now};
use proxmox_api::{Cause, Error, Thing};
use serde_json::{Value, json};

use crate::lost::{given, lxc as on_lxc, scene};
use crate::waiting::{snapshot, wait};

const MIB: usize = 1 << 20;

/// Reads the version from a server that says this.
fn version(status: u16, reason: &str, body: String) -> Error {
    let sim = Sim::new();
    let answer = HttpAnswer { body, ..HttpAnswer::bare(status, reason) };
    sim.inject(Injection::once(&node::VERSION, Effect::Instead(answer)));
    now(sim.client().version().into_future()).unwrap_err()
}

fn data(value: &Value) -> String {
    json!({ "data": value }).to_string()
}

/// An error in all the ways in which it can be printed is short, and drives no terminal.
fn is_clean(error: &Error) {
    let words = format!("{error}");
    assert!(words.len() <= 4096 + 400, "{} bytes", words.len());
    let debugged = format!("{error:?}").len();
    assert!(debugged <= 32 << 10, "{debugged} bytes");
    assert!(!words.contains(proxmox_types::is_invisible), "{words}");
}

#[test]
fn an_answer_that_cannot_be_read_is_quoted_shortly() {
    let release = |value: Value| data(&json!({"version": value, "release": "9.2", "repoid": "d8"}));
    for body in [
        release(json!(["x".repeat(60 * MIB)])),
        release(json!({ "x".repeat(2 * MIB): 1 })),
        release(json!(["\"\\".repeat(MIB)])),
        release(json!([["\u{202e}".repeat(900)]])),
        data(&json!("9".repeat(5000))),
        data(&json!("\u{9b}2J\u{200b}\u{feff}\u{61c}".repeat(99))),
        data(&json!({ "\u{1b}[2J".repeat(500): {"version": 1} })),
        "<html>".repeat(MIB),
        format!("{{\"data\":{}1", "[".repeat(100_000)),
        format!("{{\"data\":{}", "9".repeat(3 * MIB)),
    ] {
        let error = version(200, "OK", body);
        let Error::Decode { path, reason, .. } = &error else { panic!("{error}") };
        assert!(path.len() <= 200 && reason.len() <= 450, "{path} {reason}");
        is_clean(&error);
    }
}

#[test]
fn a_refusal_is_bounded_and_clean_wherever_it_is_said() {
    let many: Value = (0..50_000).map(|at| (format!("parameter-{at}"), json!("x".repeat(90)))).collect();
    let nasty = "no \u{1b}]0;x\u{7} \u{202e}\u{2066}\u{200f} \u{9b}31m";
    for (reason, body) in [
        ("x".repeat(60_000), String::new()),
        (nasty.repeat(900), String::new()),
        ("no".into(), nasty.repeat(MIB)),
        ("no".into(), json!({ "message": "x".repeat(20 * MIB) }).to_string()),
        ("no".into(), json!({ "message": nasty, "errors": many }).to_string()),
        ("no".into(), json!({ "errors": { nasty.repeat(500): nasty.repeat(500) } }).to_string()),
        (
            "no".into(),
            json!({ "errors": { "storage": "No such storage.", "\u{202e}": "\u{0}" } }).to_string(),
        ),
        ("no".into(), json!({ "message": ["x".repeat(MIB)], "errors": 7 }).to_string()),
    ] {
        for status in [302, 400, 401, 403, 500, 501, 503, 595] {
            let error = version(status, &reason, body.clone());
            is_clean(&error);
            if let Error::Rejected { message, .. } = &error {
                assert!(message.len() <= 4096, "{status}");
            }
        }
    }
    let Some(Cause::Parameters { fields }) =
        version(400, "no", json!({ "errors": many }).to_string()).cause().cloned()
    else {
        panic!("parameters")
    };
    assert!(fields["..."].ends_with(" more are left out"), "{}", fields["..."]);
}

#[test]
fn a_failed_task_is_told_shortly_and_cleanly() {
    let exit = "\u{202e}no\u{1b}[2J ".repeat(MIB / 32);
    let line = |text: &str| json!({ "n": 1, "t": text });
    let logs = [
        json!([line(&"x".repeat(MIB / 2)), line("\u{9b}31mTASK ERROR: \u{202e}")]),
        (0..500).map(|_| line(&"y\u{200b}".repeat(700))).collect(),
    ];
    for log in logs {
        let sim = Sim::new();
        let client = sim.client();
        let upid = snapshot(&sim, &client, 101, Duration::ZERO);
        let status = now(client.task(&upid).status().into_future()).unwrap();
        let status = json!({
            "upid": upid, "node": status.node, "type": status.kind, "id": status.id, "user": status.user,
            "status": "stopped", "exitstatus": exit.clone(),
        });
        let answer = |body: String| Effect::Instead(HttpAnswer { body, ..HttpAnswer::bare(200, "OK") });
        sim.inject(Injection::once(&task::STATUS, answer(data(&status))));
        let body = json!({ "data": log, "total": 500 }).to_string();
        sim.inject(Injection { endpoint: &task::LOG, effect: answer(body), times: 2 });
        let error = wait(&client, &upid).unwrap_err();
        is_clean(&error);
        let Error::TaskFailed { exit, log_tail, .. } = &error else { panic!("{error}") };
        let size: usize = log_tail.iter().map(String::len).sum();
        assert!(exit.len() <= 4096 && size <= 4096 && !log_tail.is_empty(), "{size}");
        assert!(!log_tail.concat().contains(proxmox_types::is_invisible));
    }
}

#[test]
fn what_does_not_exist_is_named_by_the_request_where_pve_does_not() {
    for (endpoint, what, field, text) in [
        (&task::STATUS, Thing::Task, "upid", "no such task"),
        (&task::STOP, Thing::Task, "upid", "no such task"),
        (&task::LOG, Thing::Task, "upid", "no such task"),
        (&storage::STATUS, Thing::Storage, "storage", "No such storage."),
    ] {
        let (sim, client) = scene();
        let mut given = given(&client, endpoint);
        let name = given.place[field].clone();
        sim.inject(Injection::once(endpoint, Effect::Instead(HttpAnswer::refused_parameter(field, text))));
        let made = now(scope::make(&client, endpoint.operation, &mut given)).unwrap();
        let error = made.answer.unwrap_err();
        assert!(error.to_string().ends_with(&format!("{what} `{name}` does not exist")), "{error}");
        assert_eq!(error.cause(), Some(&Cause::NotFound { what, name }));
    }
    // One that PVE names keeps its name.
    let sim = Sim::new();
    let text = "Configuration file 'nodes/pve1/lxc/999.conf' does not exist";
    sim.inject(Injection::once(&lxc::CONFIG, Effect::Instead(HttpAnswer::bare(500, text))));
    let error = on_lxc(&sim.client(), 101, |lxc| now(lxc.config().into_future()).unwrap_err());
    assert_eq!(error.cause(), Some(&Cause::NotFound { what: Thing::Container, name: "999".into() }));
}

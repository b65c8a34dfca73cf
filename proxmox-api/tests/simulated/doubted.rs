//! Answers that are no success, and lists with rows that could not be read: which of them prove that nothing was done, and
//! what becomes of the call with the others.

use proxmox_api::endpoint::Endpoint;
use proxmox_api::scope;
use proxmox_api::sim::{Effect, HttpAnswer, Injection, now};
use proxmox_api::{ConfigChange, Method};
use serde_json::json;

use crate::lost::{Fate, changes, fate, has_trace, lxc, meet, p, scene};

/// Refusals that come before anything is done.
const REFUSALS: [(u16, &str); 6] = [
    (400, "Parameter verification failed."),
    (403, "Permission check failed (/vms/101, VM.Snapshot)"),
    (429, "Too Many Requests"),
    (500, "CT is locked (backup)"),
    (500, "Configuration file 'nodes/pve1/lxc/101.conf' does not exist"),
    (500, "CT 400 already exists on node 'pve1'"),
];

#[test]
fn a_refusal_that_comes_first_settles_what_does_not_write_before() {
    for (status, reason) in REFUSALS {
        for endpoint in changes() {
            let (_, outcome) = meet(endpoint, Effect::Instead(HttpAnswer::bare(status, reason)));
            // What a `PUT` says proves nothing; that its worker is not found does.
            let is_proof =
                status < 500 || endpoint.method != Method::Put || endpoint.trace.worker().is_some();
            let is_settled = fate(&outcome) == Fate::NotDone;
            assert_eq!(is_settled, is_proof, "{} {status} {reason}: {outcome:?}", endpoint.operation);
        }
    }
}

/// Answers that say nothing of whether the call was executed.
const DOUBTFUL: [(u16, &str); 16] = [
    (101, "Switching Protocols"),
    (202, "Accepted"),
    (204, "No Content"),
    (302, "Found"),
    (500, "got timeout"),
    (500, "Internal Server Error"),
    (500, "can't lock file '/run/lock/lxc/pve-config-300.lock' - got timeout"),
    (500, "ipcc_send_rec[1] failed: Connection refused"),
    (500, "bridge 'vmbr77' does not exist"),
    (501, "Not Implemented"),
    (502, "Bad Gateway"),
    (503, "Service Unavailable"),
    (595, "Connection refused"),
    (598, "Aborted"),
    (599, "Too many redirections"),
    (999, "Whatever"),
];

#[test]
fn a_call_that_was_executed_is_found_whatever_it_was_answered() {
    for (status, reason) in DOUBTFUL {
        for endpoint in changes() {
            let answer = HttpAnswer::bare(status, reason);
            let (sent, outcome) = meet(endpoint, Effect::Answered(answer));
            let expected = if has_trace(endpoint) { Fate::Done } else { Fate::Unknown };
            assert_eq!(fate(&outcome), expected, "{} {status} {reason}", endpoint.operation);
            assert_eq!(sent, 1, "{}", endpoint.operation);
        }
    }
}

#[test]
fn a_change_that_a_put_made_and_then_complained_about_is_live() {
    let (sim, client) = scene();
    let answer = HttpAnswer::bare(500, "bridge 'vmbr77' does not exist");
    sim.inject(Injection::once(&scope::lxc::SET_CONFIG, Effect::Answered(answer.clone())));
    let params = p(json!({"cores": 2}));
    let applied = lxc(&client, 101, |lxc| now(lxc.apply(&params)));
    assert!(matches!(applied, Ok(ConfigChange::Live)), "{applied:?}");
    for text in
        ["unable to hotplug mp0: failed to change apparmor profile", "unable to apply pending change mp0: no"]
    {
        let late = HttpAnswer::refused_parameter("mp0", text);
        sim.inject(Injection::once(&scope::lxc::SET_CONFIG, Effect::Answered(late)));
        let applied = lxc(&client, 101, |lxc| now(lxc.apply(&params)));
        assert!(matches!(applied, Ok(ConfigChange::Live)), "{applied:?}");
    }
    sim.inject(Injection::once(&scope::lxc::SET_CONFIG, Effect::Instead(answer)));
    let params = p(json!({"cores": 3}));
    let error = lxc(&client, 101, |lxc| now(lxc.apply(&params))).unwrap_err();
    assert!(error.may_have_happened(), "{error}");
}

/// What became of a call that never arrived, while a list looks like that.
fn fate_with(endpoint: &'static Endpoint, list: &'static str) -> Fate {
    let (sim, client) = scene();
    sim.inject(Injection::once(&scope::snapshot::CREATE, Effect::LostRequest));
    sim.inject(Injection { endpoint, effect: Effect::Body(list), times: usize::MAX });
    let name = p(json!("s2"));
    fate(&lxc(&client, 300, |lxc| now(lxc.snapshot(&name).create().settle())))
}

const TASKS: &[(&str, Fate)] = &[
    (r#"{"data":[],"total":0}"#, Fate::NotDone),
    (r#"{"data":[null],"total":1}"#, Fate::Unknown),
    (r#"{"data":[7],"total":1}"#, Fate::Unknown),
    (r#"{"data":["UPID"],"total":1}"#, Fate::Unknown),
    (r#"{"data":[[]],"total":1}"#, Fate::Unknown),
    (r#"{"data":[{}],"total":1}"#, Fate::Unknown),
    (r#"{"data":[{"upid":"UPID:pve1:","starttime":4000000000}],"total":1}"#, Fate::Unknown),
    (r#"{"data":[{"upid":null,"starttime":"4000000000"}],"total":1}"#, Fate::Unknown),
    (r#"{"data":[{"upid":null,"starttime":"yesterday"}],"total":1}"#, Fate::Unknown),
    // It began long before the call.
    (r#"{"data":[{"upid":null,"starttime":1}],"total":1}"#, Fate::NotDone),
    (r#"{"data":[{"upid":"UPID:pve1:","starttime":"1000"}],"total":1}"#, Fate::NotDone),
];

const SNAPSHOTS: &[(&str, Fate)] = &[
    (r#"{"data":[]}"#, Fate::NotDone),
    (r#"{"data":[null]}"#, Fate::Unknown),
    (r#"{"data":[7]}"#, Fate::Unknown),
    (r#"{"data":["s2"]}"#, Fate::Unknown),
    (r#"{"data":[[]]}"#, Fate::Unknown),
    (r#"{"data":[{}]}"#, Fate::Unknown),
    (r#"{"data":[{"name":{"is":"s2"}}]}"#, Fate::Unknown),
    (r#"{"data":[{"name":"s1","description":""},{"name":["s2"]}]}"#, Fate::Unknown),
];

#[test]
fn a_call_is_not_undone_while_a_row_may_be_its_trace() {
    for (endpoint, cases) in [(&scope::task::LIST, TASKS), (&scope::snapshot::LIST, SNAPSHOTS)] {
        for (list, expected) in cases {
            assert_eq!(fate_with(endpoint, list), *expected, "{} {list}", endpoint.operation);
        }
    }
}

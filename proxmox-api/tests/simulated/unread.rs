//! Lists with rows that could not be read, where it is looked for what became of a call.

use proxmox_api::Outcome;
use proxmox_api::endpoint::{Endpoint, table};
use proxmox_api::sim::{Effect, Fault};
use serde_json::json;

use crate::lost::{lxc, p, scene};
use crate::now::now;

/// What is said of a call that never arrived, while a list looks like that.
fn told(endpoint: &'static Endpoint, list: &'static str) -> &'static str {
    let (sim, client) = scene();
    sim.inject(Fault::once(&table::snapshot::CREATE, Effect::LostRequest));
    sim.inject(Fault { endpoint, effect: Effect::Body(list), times: usize::MAX });
    let name = p(json!("s2"));
    match lxc(&client, 300, |lxc| now(lxc.snapshot(&name).create(&p(json!({}))).settle())) {
        Outcome::Done(_) => "done",
        Outcome::NotDone(_) => "not done",
        Outcome::Unknown(_) => "unknown",
    }
}

const TASKS: &[(&str, &str)] = &[
    (r#"{"data":[],"total":0}"#, "not done"),
    (r#"{"data":[null],"total":1}"#, "unknown"),
    (r#"{"data":[7],"total":1}"#, "unknown"),
    (r#"{"data":["UPID"],"total":1}"#, "unknown"),
    (r#"{"data":[[]],"total":1}"#, "unknown"),
    (r#"{"data":[{}],"total":1}"#, "unknown"),
    (r#"{"data":[{"upid":"UPID:pve1:","starttime":4000000000}],"total":1}"#, "unknown"),
    (r#"{"data":[{"upid":null,"starttime":"4000000000"}],"total":1}"#, "unknown"),
    (r#"{"data":[{"upid":null,"starttime":"yesterday"}],"total":1}"#, "unknown"),
    // It began long before the call.
    (r#"{"data":[{"upid":null,"starttime":1}],"total":1}"#, "not done"),
    (r#"{"data":[{"upid":"UPID:pve1:","starttime":"1000"}],"total":1}"#, "not done"),
];

const SNAPSHOTS: &[(&str, &str)] = &[
    (r#"{"data":[]}"#, "not done"),
    (r#"{"data":[null]}"#, "unknown"),
    (r#"{"data":[7]}"#, "unknown"),
    (r#"{"data":["s2"]}"#, "unknown"),
    (r#"{"data":[[]]}"#, "unknown"),
    (r#"{"data":[{}]}"#, "unknown"),
    (r#"{"data":[{"name":{"is":"s2"}}]}"#, "unknown"),
    (r#"{"data":[{"name":"s1","description":""},{"name":["s2"]}]}"#, "unknown"),
];

#[test]
fn a_call_is_not_undone_while_a_row_may_be_its_trace() {
    for (endpoint, cases) in [(&table::task::LIST, TASKS), (&table::snapshot::LIST, SNAPSHOTS)] {
        for (list, expected) in cases {
            assert_eq!(told(endpoint, list), *expected, "{} {list}", endpoint.operation);
        }
    }
}

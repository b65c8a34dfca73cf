//! Lists with rows that could not be read, where it is looked for what became of a call.

use proxmox_api::endpoint::Endpoint;
use proxmox_api::scope;
use proxmox_api::sim::{Effect, Fault, now};
use serde_json::json;

use crate::lost::{Fate, fate, lxc, p, scene};

/// What became of a call that never arrived, while a list looks like that.
fn fate_with(endpoint: &'static Endpoint, list: &'static str) -> Fate {
    let (sim, client) = scene();
    sim.inject(Fault::once(&scope::snapshot::CREATE, Effect::LostRequest));
    sim.inject(Fault { endpoint, effect: Effect::Body(list), times: usize::MAX });
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

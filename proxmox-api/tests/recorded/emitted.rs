//! Everything that a parameter struct can send is a parameter of its row, and the other way round.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use proxmox_api::scope;
use serde_json::{Map, Value, json};

use crate::calls::{Given, build};
use crate::canned::client;

/// One or more calls per operation in which every field has a value, and every choice was taken once.
fn full_calls() -> BTreeMap<String, Vec<Map<String, Value>>> {
    serde_json::from_str(include_str!("full_calls.json")).unwrap()
}

fn place() -> BTreeMap<String, String> {
    let upid = "UPID:pve1:0000091C:0004ED09:6B052CDB:vzdump:300:felhom@pve!agent:";
    let variables = [
        ("node", "pve1"),
        ("vmid", "101"),
        ("snapname", "before"),
        ("storage", "local"),
        ("volume", "local:backup/vzdump-lxc-101-2026_11_24-05_46_14.tar.zst"),
        ("upid", upid),
        ("userid", "felhom@pve"),
        ("tokenid", "agent"),
    ];
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// The names that the full calls of an operation send, and the fields that they left empty.
fn sent(operation: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut names, empty) = (BTreeSet::new(), Rc::default());
    for parameters in full_calls().remove(operation).unwrap_or_else(|| vec![Map::new()]) {
        let given = Given { place: place(), parameters, empty: Rc::clone(&empty) };
        let made = build(&client([]), operation, given).unwrap();
        names.extend(made.request.parameters.iter().map(|parameter| parameter.name.to_string()));
    }
    (names, empty.take())
}

#[test]
fn what_the_structs_can_send_is_what_the_table_says() {
    let mut faults = Vec::new();
    for endpoint in scope::all() {
        let (names, _) = sent(endpoint.operation);
        let rows = endpoint.parameters.iter().flat_map(|group| group.iter());
        let unsent = rows.filter(|row| !names.iter().any(|name| row.covers(name)));
        faults.extend(unsent.map(|row| format!("{}: no call sends `{}`", endpoint.operation, row.name)));
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Options that PVE grants to root@pam alone, and one that a token could set and not remove. No call takes them.
const NEVER_SENT: [&str; 2] = ["hookscript", "lock"];

#[test]
fn no_field_of_a_struct_was_forgotten() {
    let empty: BTreeSet<(&str, String)> = scope::all()
        .flat_map(|endpoint| sent(endpoint.operation).1.into_iter().map(|field| (endpoint.operation, field)))
        .filter(|(_, field)| !NEVER_SENT.contains(&field.as_str()))
        .collect();
    assert!(empty.is_empty(), "{empty:#?}");
}

#[test]
fn the_full_calls_are_of_operations_that_exist() {
    let names: BTreeSet<&str> = scope::all().map(|endpoint| endpoint.operation).collect();
    let calls = full_calls();
    let unknown: Vec<&String> =
        calls.keys().filter(|operation| !names.contains(operation.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

const GOLDEN: &str = "local:backup/vzdump-lxc-101-x.tar.zst";
const TEMPLATE: &str = "local:vztmpl/alpine.tar.gz";

/// Operations, parameters that PVE would refuse, and the rule that they break.
fn bad_input() -> [(&'static str, Value, &'static str); 12] {
    [
        (
            "snapshot.create",
            json!({"snapname": "1st"}),
            "2 to 40 letters, digits, `-` and `_`, starting with a letter",
        ),
        ("snapshot.create", json!({"snapname": "current"}), "`current` is the running state, not a snapshot"),
        ("snapshot.create", json!({"snapname": "vzdump"}), "neither `current` nor `vzdump`"),
        (
            "lxc.restore",
            json!({"restore": 1, "vmid": 99, "ostemplate": GOLDEN}),
            "a whole number from 100 to 999999999",
        ),
        (
            "lxc.restore",
            json!({"restore": 1, "vmid": 301, "ostemplate": TEMPLATE}),
            "is not a container backup",
        ),
        ("lxc.create", json!({"vmid": 301, "ostemplate": GOLDEN}), "is not a container template"),
        (
            "lxc.create",
            json!({"vmid": 301, "ostemplate": TEMPLATE, "rootfs": "local-zfs:8G"}),
            "a plain number of GiB, without a suffix",
        ),
        (
            "lxc.create",
            json!({"vmid": 301, "ostemplate": TEMPLATE, "cores": 0}),
            "a whole number from 1 to 8192",
        ),
        (
            "lxc.create",
            json!({"vmid": 301, "ostemplate": TEMPLATE, "password": "1234"}),
            "at least 5 characters",
        ),
        ("lxc.resize", json!({"disk": "rootfs", "size": "8GB"}), "K, M, G or T"),
        ("lxc.set_config", json!({"tags": "a b;-c"}), "letters, digits, `_`, `-`, `+` and `.`"),
        ("backup.create", json!({"vmid": "101,99"}), "a whole number from 100 to 999999999"),
    ]
}

/// The same of parameters that demand something of each other.
fn bad_company() -> [(&'static str, Value, &'static str); 4] {
    [
        ("backup.create", json!({"vmid": "101", "protected": 1}), "given together with `storage`"),
        ("backup.create", json!({"vmid": "101", "notes-template": "x"}), "given together with `storage`"),
        (
            "backup.create",
            json!({"vmid": "101", "prune-backups": "keep-last=3", "remove": 0}),
            "left out with `remove=0`",
        ),
        (
            "lxc.restore",
            json!({"restore": 1, "vmid": 301, "ostemplate": GOLDEN, "mp0": "local:1,mp=/data"}),
            "given together with `rootfs`",
        ),
    ]
}

#[test]
fn bad_input_is_refused_before_a_request_and_the_rule_is_named() {
    for (operation, parameters, rule) in bad_input().into_iter().chain(bad_company()) {
        let parameters = parameters.as_object().unwrap().clone();
        let given = Given { place: place(), parameters, ..Given::default() };
        let refused = build(&client([]), operation, given).unwrap_err();
        assert!(refused.contains(rule), "{operation}: {refused}");
    }
}

//! Which values can be sent, and which of the others PVE refuses: every bound of the schema, and what types rule out.

use std::collections::BTreeSet;

use proxmox_api::endpoint::Endpoint;
use proxmox_api::sim::{Given, Sim};
use proxmox_api::{Cause, Error, scope};
use serde_json::{Value, json};

use crate::built::{build, client, full_calls, given};
use crate::schema::{covers, entry, schema, sent, with};

/// The fields that hold nothing, but not those inside a property string.
fn empty_fields(shown: &str) -> BTreeSet<String> {
    let mut parts = shown.split("Property(");
    let mut outside = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut depth = 1;
        outside.extend(part.chars().skip_while(|character| {
            depth += i32::from(*character == '(') - i32::from(*character == ')');
            depth > 0
        }));
    }
    let fields =
        outside.match_indices(": None").filter_map(|(end, _)| outside.get(..end)?.rsplit(' ').next());
    fields.map(str::to_owned).collect()
}

#[test]
fn no_field_of_a_struct_was_forgotten() {
    for endpoint in scope::all() {
        let empty = full_calls(endpoint.operation).into_iter().map(|call| {
            let made = build(&client([]), endpoint, given(endpoint, call)).unwrap();
            empty_fields(&made.parameters)
        });
        let empty = empty.reduce(|some, others| &some & &others).unwrap();
        assert!(empty.is_empty(), "{}: {empty:?}", endpoint.operation);
    }
}

/// Values at the bounds of a number, and values beyond those of a number, a text or an enumeration.
fn around(property: &Value) -> (Vec<Value>, Vec<Value>) {
    let bound = |name: &str| {
        let bound = &property[name];
        bound.as_f64().or_else(|| bound.as_str()?.parse().ok())
    };
    let text = |name: &str, more: i64| {
        let length = usize::try_from(property[name].as_i64()? + more).ok()?;
        Some(json!("x".repeat(length)))
    };
    let number = |value: f64| json!(value.to_string());
    let at = [bound("minimum").map(number), bound("maximum").map(number)];
    let beyond = [
        bound("minimum").map(|least| number(least - 1.0)),
        bound("maximum").map(|most| number(most + 1.0)),
        text("minLength", -1),
        text("maxLength", 1),
        property["enum"].is_array().then(|| json!("felhom")),
    ];
    (at.into_iter().flatten().collect(), beyond.into_iter().flatten().collect())
}

/// Whether PVE refuses the call and names the parameter, if the client can make it.
fn is_refused(endpoint: &Endpoint, given: Given, name: &str) -> bool {
    let sim = Sim::new().as_token("root@pam!full".parse().unwrap());
    build(&sim.client(), endpoint, given).map_or(true, |made| {
        match made.answer.as_ref().map_err(Error::cause) {
            Err(Some(Cause::Parameters { fields })) => fields.keys().any(|field| covers(name, field)),
            _ => false,
        }
    })
}

/// Whether the client can make the call, and sends the parameter.
fn is_sent(endpoint: &Endpoint, given: Given, name: &str) -> bool {
    build(&client([]), endpoint, given).is_ok_and(|made| sent(&made.request).contains_key(name))
}

#[test]
fn a_value_at_a_bound_can_be_sent_and_one_beyond_it_is_refused() {
    let (schema, mut checked) = (schema(), 0);
    for endpoint in scope::all() {
        let call = full_calls(endpoint.operation).remove(0);
        let sendable = |name: &&String| call.keys().any(|key| covers(name, key));
        let parameters = entry(endpoint, &schema)["parameters"].as_object().into_iter().flatten();
        for (name, property) in parameters.filter(|(name, _)| sendable(name)) {
            let (at, beyond) = around(property);
            checked += at.len() + beyond.len();
            for value in at {
                let given = with(endpoint, &call, name, Some(value.clone()));
                assert!(is_sent(endpoint, given, name), "{} {name}={value}", endpoint.operation);
            }
            for value in beyond {
                let given = with(endpoint, &call, name, Some(value.clone()));
                let is_stopped = !is_sent(endpoint, given.clone(), name) || is_refused(endpoint, given, name);
                assert!(is_stopped, "{} {name}={value}", endpoint.operation);
            }
        }
    }
    assert!(checked > 150, "only {checked} values");
}

const GOLDEN: &str = "local:backup/vzdump-lxc-101-x.tar.zst";
const TEMPLATE: &str = "local:vztmpl/alpine.tar.gz";

/// Operations, parameters that a typed client cannot send, and the rule that they break.
fn unspellable() -> [(&'static str, Value, &'static str); 9] {
    let short = "2 to 40 letters, digits, `-` and `_`, starting with a letter";
    let vmid = "a whole number from 100 to 999999999";
    [
        ("snapshot.create", json!({"snapname": "1st"}), short),
        ("snapshot.create", json!({"snapname": "current"}), "`current` is the running state, not a snapshot"),
        ("lxc.restore", json!({"vmid": 99, "ostemplate": GOLDEN}), vmid),
        ("lxc.restore", json!({"vmid": 301, "ostemplate": TEMPLATE}), "is not a container backup"),
        ("lxc.create", json!({"vmid": 301, "ostemplate": GOLDEN}), "is not a container template"),
        (
            "lxc.create",
            json!({"vmid": 301, "ostemplate": TEMPLATE, "rootfs": "local-zfs:8G"}),
            "a plain number of GiB, without a suffix",
        ),
        ("lxc.resize", json!({"disk": "rootfs", "size": "8GB"}), "K, M, G or T"),
        ("backup.create", json!({"vmid": "101,99"}), vmid),
        (
            "backup.create",
            json!({"vmid": "101", "prune-backups": "keep-last=3", "remove": 0}),
            "`prune-backups` does nothing without `remove`",
        ),
    ]
}

#[test]
fn what_no_server_takes_cannot_be_spelled() {
    for (operation, parameters, rule) in unspellable() {
        let endpoint = scope::all().find(|endpoint| endpoint.operation == operation).unwrap();
        let mut given = given(endpoint, parameters.as_object().unwrap().clone());
        given.place.remove("snapname");
        let refused = build(&client([]), endpoint, given).unwrap_err();
        assert!(refused.contains(rule), "{operation}: {refused}");
    }
}

/// Operations, parameters that PVE refuses, and the one that it names.
fn refused_by_pve() -> [(&'static str, Value, &'static str); 5] {
    [
        ("lxc.create", json!({"vmid": 301, "ostemplate": TEMPLATE, "cores": 0}), "cores"),
        ("lxc.create", json!({"vmid": 301, "ostemplate": TEMPLATE, "password": "1234"}), "password"),
        ("lxc.set_config", json!({"tags": "a b;-c"}), "tags"),
        ("backup.create", json!({"vmid": "101", "protected": 1}), "storage"),
        ("backup.create", json!({"vmid": "101", "notes-template": "x"}), "storage"),
    ]
}

#[test]
fn pve_names_the_parameter_that_it_refuses() {
    for (operation, parameters, name) in refused_by_pve() {
        let endpoint = scope::all().find(|endpoint| endpoint.operation == operation).unwrap();
        let given = given(endpoint, parameters.as_object().unwrap().clone());
        assert!(is_refused(endpoint, given.clone(), name), "{operation} {name}");
        assert!(build(&client([]), endpoint, given).is_ok(), "{operation} {name} is not sent");
    }
}

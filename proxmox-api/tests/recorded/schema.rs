//! The endpoint table, and everything that the calls can send, against PVE's own schema (`schema.json`: the facts of the
//! endpoints that we use, of 9.2.11).

use std::collections::{BTreeMap, BTreeSet};

use proxmox_api::endpoint::{Endpoint, Privileges, Returns};
use proxmox_api::sim::{Given, refusal};
use proxmox_api::{Request, scope};
use serde_json::{Map, Value, json};

use crate::built::{build, client, full_calls, given};
use crate::recording::{all, exceptions, one};
use crate::replay::row;

pub(crate) fn schema() -> Value {
    serde_json::from_str(include_str!("../../schema.json")).unwrap()
}

pub(crate) fn entry<'s>(endpoint: &Endpoint, schema: &'s Value) -> &'s Value {
    &schema[format!("{} {}", endpoint.method, endpoint.path)]
}

/// A difference: what it is about, and what it is.
type Difference = (String, String);

/// What the table and the schema say differently about an endpoint, each as `operation subject: difference`.
fn differences(endpoint: &Endpoint, schema: &Value) -> BTreeSet<String> {
    let entry = entry(endpoint, schema);
    let Some(parameters) = entry["parameters"].as_object() else {
        return [format!("{} path: is not in the schema", endpoint.operation)].into();
    };
    let mut found = parameter_differences(endpoint, entry, parameters);
    found.extend(
        privilege_difference(endpoint, &entry["permissions"]).map(|text| ("privileges".into(), text)),
    );
    if endpoint.protected != (entry["protected"] == 1) {
        found.push(("protected".into(), format!("the schema says {}", entry["protected"])));
    }
    if !returns(endpoint.returns, &entry["returns"]) {
        found.push((
            "returns".into(),
            format!("{:?}, the schema says {}", endpoint.returns, entry["returns"]),
        ));
    }
    found.into_iter().map(|(subject, text)| format!("{} {subject}: {text}", endpoint.operation)).collect()
}

/// What a request sends, by name as the schema has it: `net0` is `net[n]`. Items of a list are joined.
pub(crate) fn sent(request: &Request) -> BTreeMap<String, String> {
    let mut sent: BTreeMap<String, String> = BTreeMap::new();
    for parameter in &request.parameters {
        let option = parameter.name.trim_end_matches(|character: char| character.is_ascii_digit());
        let name = if option == parameter.name { option.into() } else { format!("{option}[n]") };
        let text = parameter.expose();
        sent.entry(name).and_modify(|list| *list = format!("{list},{text}")).or_insert_with(|| text.into());
    }
    sent
}

/// Makes a call with these parameters, and the given one in the place of what it is there.
pub(crate) fn with(
    endpoint: &Endpoint,
    call: &Map<String, Value>,
    name: &str,
    value: Option<Value>,
) -> Given {
    let mut parameters = call.clone();
    match (parameters.keys().find(|key| covers(name, key)).cloned(), value) {
        (Some(key), Some(value)) => drop(parameters.insert(key, value)),
        (Some(key), None) => drop(parameters.remove(&key)),
        (None, _) => {}
    }
    given(endpoint, parameters)
}

pub(crate) fn covers(name: &str, key: &str) -> bool {
    let option = |option: &str| proxmox_types::property::index_of(key, option).is_some();
    name.strip_suffix("[n]").map_or(name == key, option)
}

fn parameter_differences(
    endpoint: &Endpoint,
    entry: &Value,
    parameters: &Map<String, Value>,
) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut all_sent: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let calls = full_calls(endpoint.operation);
    for call in &calls {
        let made = build(&client([]), endpoint, given(endpoint, call.clone())).unwrap();
        let sent = sent(&made.request);
        let place = given(endpoint, Map::new()).place;
        let complete = place.into_iter().chain(sent.clone()).collect();
        found.extend(refusal(entry, &complete).map(|answer| errors(&answer.body)).into_iter().flatten());
        for (name, value) in sent {
            all_sent.entry(name).or_default().insert(value);
        }
    }
    for (name, property) in parameters {
        if endpoint.path_variables().any(|variable| variable == name) {
            continue;
        }
        let Some(values) = all_sent.get(name) else {
            found.push((name.clone(), "no call sends it".into()));
            continue;
        };
        found.extend(key_difference(property, values).map(|text| (name.clone(), text)));
        found.extend(unspoken(endpoint, &calls, name, property));
        if property["optional"] != 1 && calls.iter().any(|call| is_optional(endpoint, call, name)) {
            found.push((name.clone(), "required, and not always sent".into()));
        }
    }
    found
}

/// The parameters that an answer with status 400 names, with its texts.
fn errors(body: &str) -> Vec<Difference> {
    let body: Value = serde_json::from_str(body).unwrap();
    let errors: BTreeMap<String, String> = serde_json::from_value(body["errors"].clone()).unwrap();
    errors.into_iter().collect()
}

/// Whether the call can be made without this parameter.
fn is_optional(endpoint: &Endpoint, call: &Map<String, Value>, name: &str) -> bool {
    let made = build(&client([]), endpoint, with(endpoint, call, name, None));
    made.is_ok_and(|made| !sent(&made.request).contains_key(name))
}

/// A property string: its keys are those of the schema.
fn key_difference(property: &Value, values: &BTreeSet<String>) -> Option<String> {
    let known = property["format"].as_array()?;
    let known: BTreeSet<&str> = known.iter().map(|key| key.as_str().unwrap()).collect();
    // Every default key is called `volume`.
    let pairs = values.iter().flat_map(|value| value.split(','));
    let ours: BTreeSet<&str> =
        pairs.map(|pair| pair.split_once('=').map_or("volume", |(key, _)| key)).collect();
    (ours != known).then(|| format!("the keys are {ours:?}, the schema's are {known:?}"))
}

/// The words of an enumeration that no call can send. PVE enumerates more than 700 names of volumes.
fn unspoken(
    endpoint: &Endpoint,
    calls: &[Map<String, Value>],
    name: &str,
    property: &Value,
) -> Vec<Difference> {
    let words = property["enum"].as_array().map_or(&[][..], Vec::as_slice);
    let can_send = |word: &Value| {
        let sends = |call: &Map<String, Value>| {
            let made = build(&client([]), endpoint, with(endpoint, call, name, Some(word.clone())));
            made.is_ok_and(|made| sent(&made.request).get(name).is_some_and(|sent| word == sent))
        };
        calls.iter().any(sends)
    };
    let missing = words.iter().filter(|word| !can_send(word));
    missing.map(|word| (format!("{name}={}", word.as_str().unwrap()), "no call can say it".into())).collect()
}

/// The declared privileges, written as the schema writes them.
fn as_declared(privileges: &Privileges) -> Option<Value> {
    let all = |parts: &[Privileges]| parts.iter().filter_map(as_declared).collect::<Vec<_>>();
    let joined = |word: &str, parts: Vec<Value>| {
        Value::Array(std::iter::once(Value::from(word)).chain(parts).collect())
    };
    Some(match privileges {
        Privileges::Anyone => return None,
        Privileges::All(path, names) => json!(["perm", path, names]),
        Privileges::AnyOf(path, names) => json!(["perm", path, names, "any", 1]),
        Privileges::IfSent(name, path, names) => json!(["perm", path, names, "require_param", name]),
        Privileges::OwnUser => json!(["userid-param", "self"]),
        Privileges::UserGroup(names) => json!(["userid-group", names]),
        Privileges::Either(parts) => joined("or", all(parts)),
        Privileges::Both(parts) => joined("and", all(parts)),
        other => panic!("{other:?} is not compared"),
    })
}

/// One of one privilege is that privilege.
fn without_a_choice_of_one(check: &Value) -> Value {
    match check.as_array().map(Vec::as_slice) {
        Some([perm, path, names, any, _])
            if any == "any" && names.as_array().is_some_and(|names| names.len() == 1) =>
        {
            json!([perm, path, names])
        }
        _ => check.clone(),
    }
}

fn privilege_difference(endpoint: &Endpoint, permissions: &Value) -> Option<String> {
    let (ours, theirs) = (as_declared(&endpoint.declared), without_a_choice_of_one(&permissions["check"]));
    if ours.clone().unwrap_or_default() != theirs {
        return Some(format!("{}, the schema says {theirs}", ours.unwrap_or_default()));
    }
    let is_open = endpoint.code_checks().next().is_none() && permissions["checked_in_code"] == true;
    is_open.then(|| "the schema says that the code checks more".into())
}

fn returns(ours: Returns, theirs: &Value) -> bool {
    let wanted = match ours {
        Returns::Object => "object",
        Returns::List | Returns::Page => "array",
        Returns::Text | Returns::Upid | Returns::UpidOrOk | Returns::UpidOrNull => "string",
        Returns::Integer => "integer",
        Returns::Null => "null",
        other => panic!("{other:?} is not compared"),
    };
    theirs == wanted
}

/// What the server answered, where the schema says that it answers something else.
fn answered_differently(schema: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for recording in all().iter().filter(|recording| recording.status() == Some(200)) {
        let Some(endpoint) = row(recording) else { continue };
        let wanted = schema[format!("{} {}", endpoint.method, endpoint.path)]["returns"].as_str().unwrap();
        let body = recording.response.clone().unwrap().body;
        let Ok(body) = serde_json::from_slice::<Value>(body.as_bytes()) else { continue };
        let seen = json_type(&body["data"]);
        if seen != wanted {
            found.insert(format!("{} data: {seen}, the schema says {wanted}", endpoint.operation));
        }
    }
    found
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn all_differences() -> BTreeSet<String> {
    let schema = schema();
    let rows = scope::all().flat_map(|endpoint| differences(endpoint, &schema));
    rows.chain(answered_differently(&schema)).collect()
}

#[test]
fn the_table_says_what_the_schema_says_or_a_deviation_says_why_not() {
    let mut reasons = exceptions(include_str!("deviations.txt"));
    reasons.extend(exceptions(include_str!("unsent_parameters.txt")));
    let found = all_differences();
    let subjects: BTreeSet<&str> =
        found.iter().map(|text| text.split_once(": ").map_or("", |(subject, _)| subject)).collect();
    assert!(subjects.iter().copied().eq(reasons.keys().map(String::as_str)), "{found:#?}");
}

#[test]
fn every_deviation_names_a_recording_or_a_source() {
    for (subject, reason) in exceptions(include_str!("deviations.txt")) {
        let recording = reason.split('`').nth(1).filter(|name| one(name).is_some());
        assert!(recording.is_some() || reason.contains(".pm"), "{subject}: {reason}");
    }
}

#[test]
fn the_schema_holds_no_endpoint_that_the_table_lacks() {
    let used: BTreeSet<String> =
        scope::all().map(|endpoint| format!("{} {}", endpoint.method, endpoint.path)).collect();
    let schema = schema();
    assert_eq!(schema.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>(), used);
}

/// A row or its entry in the schema, changed, and what is noticed.
fn noticed(endpoint: &Endpoint, change: impl FnOnce(&mut Endpoint, &mut Value)) -> Vec<String> {
    let (mut changed, mut schema) = (*endpoint, schema());
    let before = differences(endpoint, &schema);
    change(&mut changed, &mut schema[format!("{} {}", endpoint.method, endpoint.path)]);
    differences(&changed, &schema).difference(&before).cloned().collect()
}

#[test]
fn a_parameter_that_is_renamed_or_new_is_noticed() {
    let renamed = noticed(&scope::snapshot::CREATE, |_, entry| {
        let parameters = entry["parameters"].as_object_mut().unwrap();
        let property = parameters.remove("snapname").unwrap();
        parameters.insert("snapnam".into(), property);
    });
    let unknown = "property is not defined in schema and the schema does not allow additional properties";
    assert_eq!(
        renamed,
        [
            "snapshot.create snapnam: no call sends it".into(),
            "snapshot.create snapnam: property is missing and it is not optional".into(),
            format!("snapshot.create snapname: {unknown}"),
        ]
    );
    let required = noticed(&scope::snapshot::CREATE, |_, entry| {
        entry["parameters"]["description"]["optional"] = Value::Null;
    });
    assert_eq!(required, ["snapshot.create description: required, and not always sent"]);
    let partner = noticed(&scope::snapshot::CREATE, |_, entry| {
        entry["parameters"]["description"]["requires"] = json!("vmstate");
    });
    assert_eq!(partner, ["snapshot.create vmstate: missing property - 'description' requires this property"]);
}

#[test]
fn another_type_bound_word_or_key_is_noticed() {
    let of = |endpoint: &'static Endpoint, name: &str, field: &str, value: Value| {
        let noticed = noticed(endpoint, |_, entry| entry["parameters"][name][field] = value);
        assert_eq!(noticed.len(), 1, "{name} {field}: {noticed:?}");
        noticed[0].split_once(": ").unwrap().1.to_owned()
    };
    let config = &scope::lxc::SET_CONFIG;
    let not_a_vmid = "invalid format - value does not look like a valid VM ID\n";
    assert_eq!(of(config, "cores", "minimum", json!(2)), "value must have a minimum value of 2");
    assert_eq!(of(config, "memory", "type", json!("boolean")), "type check ('boolean') failed - got '512'");
    assert_eq!(of(config, "description", "maxLength", json!(0)), "value may only be 0 characters long");
    assert_eq!(of(config, "hostname", "format", json!("pve-vmid")), not_a_vmid);
    let keys = json!(["force_rw_sys", "fuse", "keyctl", "mknod", "mount", "nesting", "new"]);
    assert!(of(config, "features", "format", keys).starts_with("the keys are "));
    assert!(of(config, "cmode", "enum", json!(["tty"])).starts_with("value 'shell' does not have a value"));
    let kinds = json!(["lxc", "qemu", "felhom"]);
    assert_eq!(of(&scope::storage::PRUNE_BACKUPS, "type", "enum", kinds), "no call can say it");
}

#[test]
fn a_privilege_that_is_dropped_is_noticed() {
    let noticed = noticed(&scope::snapshot::ROLLBACK, |endpoint, _| {
        endpoint.declared = Privileges::AnyOf("/vms/{vmid}", &["VM.Snapshot"]);
    });
    assert_eq!(noticed.len(), 1, "{noticed:?}");
    assert!(noticed[0].starts_with("snapshot.rollback privileges: "), "{noticed:?}");
}

#[test]
fn another_path_or_result_is_noticed() {
    let changes: [fn(&mut Endpoint); 3] = [
        |endpoint| endpoint.path = "/nodes/{node}/lxc/{vmid}/snapshots",
        |endpoint| endpoint.returns = Returns::Null,
        |endpoint| endpoint.protected = !endpoint.protected,
    ];
    for change in changes {
        assert_eq!(noticed(&scope::snapshot::CREATE, |endpoint, _| change(endpoint)).len(), 1);
    }
}

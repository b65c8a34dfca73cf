//! The endpoint table against PVE's own schema (`schema.json`: the facts of the endpoints that we use, of 9.2.11).

use std::collections::BTreeSet;

use proxmox_api::endpoint::kind::{Format, UNBOUNDED, VOLUME};
use proxmox_api::endpoint::{Endpoint, Kind, ParameterRow, Privileges, Returns, Rule};
use proxmox_api::scope;
use serde_json::{Map, Value, json};

use crate::recording::{all, exceptions, one};
use crate::replay::row;

fn schema() -> Value {
    serde_json::from_str(include_str!("../../schema.json")).unwrap()
}

/// What the table and the schema say differently about an endpoint, each as `operation subject: difference`.
fn differences(endpoint: &Endpoint, schema: &Value) -> Vec<String> {
    let entry = &schema[format!("{} {}", endpoint.method, endpoint.path)];
    let Some(parameters) = entry["parameters"].as_object() else {
        return vec![format!("{} path: is not in the schema", endpoint.operation)];
    };
    let mut found = path_differences(endpoint, parameters);
    let rows: Vec<&ParameterRow> = endpoint.parameters.iter().flat_map(|group| group.iter()).collect();
    found.extend(rows.iter().filter_map(|row| Some((row.name, row_difference(row, parameters).err()?))));
    found.extend(unsendable(endpoint, &rows, parameters));
    found.extend(rows.iter().filter_map(|row| alone(endpoint, row, parameters)));
    found.extend(privilege_difference(endpoint, &entry["permissions"]).map(|text| ("privileges", text)));
    if endpoint.protected != (entry["protected"] == 1) {
        found.push(("protected", format!("the schema says {}", entry["protected"])));
    }
    if !returns(endpoint.returns, &entry["returns"]) {
        found.push(("returns", format!("{:?}, the schema says {}", endpoint.returns, entry["returns"])));
    }
    found.into_iter().map(|(subject, text)| format!("{} {subject}: {text}", endpoint.operation)).collect()
}

fn path_differences(endpoint: &Endpoint, parameters: &Map<String, Value>) -> Vec<(&'static str, String)> {
    let unknown = endpoint.path_variables().filter(|name| !parameters.contains_key(*name));
    unknown.map(|name| (name, "a variable that the schema does not have".into())).collect()
}

/// A parameter that the schema wants together with another, unless the call always sends that.
fn alone(
    endpoint: &Endpoint,
    row: &ParameterRow,
    parameters: &Map<String, Value>,
) -> Option<(&'static str, String)> {
    let with = parameters.get(row.name)?["requires"].as_str()?;
    let is_known = endpoint
        .rules
        .iter()
        .any(|rule| matches!(rule, Rule::Needs(name, other) if *name == row.name && *other == with));
    let is_sent = endpoint.parameter(with).is_some_and(|other| other.is_required);
    (!is_known && !is_sent).then(|| (row.name, format!("the schema wants it together with `{with}`")))
}

/// Required parameters that no call sends.
fn unsendable(
    endpoint: &Endpoint,
    rows: &[&ParameterRow],
    parameters: &Map<String, Value>,
) -> Vec<(&'static str, String)> {
    let is_sent = |name: &str| {
        endpoint.path_variables().any(|variable| variable == name)
            || rows.iter().any(|row| row.name == name && row.is_required)
    };
    let required = parameters.iter().filter(|(_, property)| property["optional"] != 1);
    let missing = required.filter(|(name, _)| !is_sent(name));
    missing.map(|(name, _)| ("parameters", format!("`{name}` is required, and not always sent"))).collect()
}

fn row_difference(row: &ParameterRow, parameters: &Map<String, Value>) -> Result<(), String> {
    let property = parameters.get(row.name).ok_or("the schema does not have it")?;
    if row.is_required && property["optional"] == 1 {
        return Err("optional in the schema".into());
    }
    kind_difference(&row.kind, property)
}

fn is(property: &Value, kind: &str) -> Result<(), String> {
    if property["type"] == kind { Ok(()) } else { Err(format!("the schema's type is {}", property["type"])) }
}

/// A number of the schema, which is sometimes written as text.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

/// Whether everything that the kind allows is allowed by the schema.
fn kind_difference(kind: &Kind, property: &Value) -> Result<(), String> {
    match kind {
        Kind::Boolean => is(property, "boolean"),
        Kind::Integer(low, high) => {
            is(property, "integer")?;
            let bound = |bound: i64| (bound != i64::MIN && bound != i64::MAX).then(|| format!("{bound}"));
            within(bound(*low), bound(*high), property)
        }
        Kind::Number(low, high) => {
            is(property, "number")?;
            let bound = |bound: f64| bound.is_finite().then(|| format!("{bound}"));
            within(bound(*low), bound(*high), property)
        }
        Kind::Text(least, most) => {
            is(property, "string")?;
            let restricts = ["enum", "format", "pattern"].into_iter().find(|key| !property[key].is_null());
            restricts.map_or(Ok(()), |key| Err(format!("the schema has a restriction: {key}")))?;
            let shortest = property["minLength"].as_u64().unwrap_or_default();
            if *least < usize::try_from(shortest).unwrap() {
                return Err(format!("the schema's shortest is {shortest}"));
            }
            length(*most, property)
        }
        Kind::OneOf(words) => words.iter().try_for_each(|word| is_enumerated(word, property)),
        Kind::VolumeKey(unused) => {
            volume_keys(*unused).iter().try_for_each(|key| is_enumerated(key, property))
        }
        Kind::Format(format) => named(format, format.name, property),
        Kind::List(format) => named(format, &format!("{}-list", format.name), property),
        Kind::Property(format) => keys(format, property),
        Kind::Pattern(format) => {
            length(format.max_length, property)?;
            same("pattern", format.name, &property["pattern"])
        }
        Kind::Array => is(property, "array"),
        other => Err(format!("{other:?} is not compared")),
    }
}

fn within(low: Option<String>, high: Option<String>, property: &Value) -> Result<(), String> {
    let (low, high) = (low.map(|low| low.parse::<f64>().unwrap()), high.map(|high| high.parse().unwrap()));
    let (least, most) = (number(&property["minimum"]), number(&property["maximum"]));
    let is_inside = least.is_none_or(|least| low.is_some_and(|low| low >= least))
        && most.is_none_or(|most| high.is_some_and(|high: f64| high <= most));
    if is_inside { Ok(()) } else { Err(format!("the schema's bounds are {least:?} to {most:?}")) }
}

fn length(most: usize, property: &Value) -> Result<(), String> {
    let allowed = property["maxLength"].as_u64().map(|most| usize::try_from(most).unwrap());
    match allowed {
        Some(allowed) if most == UNBOUNDED || most > allowed => {
            Err(format!("the schema's longest is {allowed}"))
        }
        _ => Ok(()),
    }
}

fn same(what: &str, ours: &str, theirs: &Value) -> Result<(), String> {
    if theirs == ours { Ok(()) } else { Err(format!("the schema's {what} is {theirs}")) }
}

fn is_enumerated(word: &str, property: &Value) -> Result<(), String> {
    let words = property["enum"].as_array().ok_or("not an enumeration in the schema")?;
    if words.iter().any(|known| known == word) { Ok(()) } else { Err(format!("the schema has no `{word}`")) }
}

fn volume_keys(unused: bool) -> Vec<String> {
    let indexed = |option: &'static str| (0..=255).map(move |index| format!("{option}{index}"));
    let mut keys: Vec<String> = std::iter::once("rootfs".into()).chain(indexed("mp")).collect();
    keys.extend(indexed("unused").filter(|_| unused));
    keys
}

fn named(format: &Format, name: &str, property: &Value) -> Result<(), String> {
    length(format.max_length, property)?;
    same("format", name, &property["format"])
}

/// Property strings with every key that our types know.
const PROPERTIES: [(&str, &str); 5] = [
    (
        "net",
        "bridge=vmbr0,firewall=1,gw=192.0.2.1,gw6=2001:db8::1,host-managed=0,hwaddr=BC:24:11:2C:02:F5,\
         ip=192.0.2.5/24,ip6=auto,link_down=1,mtu=1400,name=eth0,rate=12.5,tag=7,trunks=1;2,type=veth",
    ),
    (
        "rootfs",
        "volume=local:101/vm-101-disk-0.raw,acl=1,idmap=passthrough,mountoptions=noatime,quota=0,replicate=0,ro=0,\
         shared=0,size=8G",
    ),
    (
        "mp",
        "volume=local:101/vm-101-disk-1.raw,mp=/data,acl=1,backup=1,idmap=passthrough,keepattrs=0,mountoptions=noatime,\
         quota=0,replicate=0,ro=0,shared=0,size=8G",
    ),
    ("features", "force_rw_sys=0,fuse=0,keyctl=0,mknod=0,mount=nfs,nesting=1"),
    ("pve-volume-id", "local:101/vm-101-disk-1.raw"),
];

/// A property string: its keys are those of the schema.
fn keys(format: &Format, property: &Value) -> Result<(), String> {
    let known = property["format"].as_array().ok_or("no property string in the schema")?;
    let known: BTreeSet<&str> = known.iter().map(|key| key.as_str().unwrap()).collect();
    // Every default key is called `volume`.
    let key = |pair: &'static str| pair.split_once('=').map_or("volume", |(key, _)| key);
    let row = PROPERTIES.iter().find(|(name, _)| *name == format.name);
    let (_, full) = row.ok_or_else(|| format!("no property string is called {}", format.name))?;
    let ours: BTreeSet<&str> = full.split(',').map(key).collect();
    if ours != known {
        return Err(format!("the keys are {ours:?}, the schema's are {known:?}"));
    }
    if (format.accepts)(full) { Ok(()) } else { Err(format!("{full} is not accepted")) }
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

fn all_differences() -> Vec<String> {
    let schema = schema();
    let rows = scope::all().flat_map(|endpoint| differences(endpoint, &schema));
    rows.chain(answered_differently(&schema)).collect()
}

#[test]
fn the_table_says_what_the_schema_says_or_a_deviation_says_why_not() {
    let deviations = exceptions(include_str!("deviations.txt"));
    let found = all_differences();
    let subjects: BTreeSet<&str> =
        found.iter().map(|text| text.split_once(": ").map_or("", |(subject, _)| subject)).collect();
    assert!(subjects.iter().copied().eq(deviations.keys().map(String::as_str)), "{found:#?}");
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

/// A row, changed, and what is noticed.
fn noticed(endpoint: &Endpoint, change: impl FnOnce(&mut Endpoint)) -> Vec<String> {
    let mut changed = *endpoint;
    change(&mut changed);
    let (schema, before) = (schema(), differences(endpoint, &schema()));
    differences(&changed, &schema).into_iter().filter(|text| !before.contains(text)).collect()
}

fn with_one(name: &'static str, kind: Kind, is_required: bool) -> &'static [&'static [ParameterRow]] {
    let rows: &'static [ParameterRow] = Vec::leak(vec![ParameterRow { name, kind, is_required }]);
    Vec::leak(vec![rows])
}

#[test]
fn a_renamed_parameter_is_noticed() {
    let noticed = noticed(&scope::snapshot::CREATE, |endpoint| {
        endpoint.parameters = with_one("snapnam", Kind::Text(0, 40), true);
    });
    assert_eq!(
        noticed,
        [
            "snapshot.create snapnam: the schema does not have it",
            "snapshot.create parameters: `snapname` is required, and not always sent",
        ]
    );
}

#[test]
fn a_bound_that_is_exceeded_is_noticed() {
    let of = |kind| {
        let name = "cores";
        noticed(&scope::lxc::SET_CONFIG, |endpoint| endpoint.parameters = with_one(name, kind, false))
    };
    assert_eq!(of(Kind::Integer(1, 8192)), [""; 0]);
    for kind in [Kind::Integer(0, 8192), Kind::Integer(1, 8193), Kind::Integer(i64::MIN, i64::MAX)] {
        assert_eq!(of(kind), ["lxc.set_config cores: the schema's bounds are Some(1.0) to Some(8192.0)"]);
    }
    let too_long = noticed(&scope::snapshot::SET_CONFIG, |endpoint| {
        endpoint.parameters = with_one("snapname", Kind::Text(0, 41), false);
    });
    assert_eq!(too_long, ["snapshot.set_config snapname: the schema has a restriction: format"]);
}

#[test]
fn a_text_that_is_too_long_and_a_rule_that_is_dropped_are_noticed() {
    let of = |most| {
        let property = json!({ "type": "string", "maxLength": 40 });
        kind_difference(&Kind::Text(0, most), &property).unwrap_err()
    };
    assert_eq!(kind_difference(&Kind::Text(0, 40), &json!({ "type": "string", "maxLength": 40 })), Ok(()));
    assert!(of(41).contains("40"), "{}", of(41));
    let dropped = noticed(&scope::backup::VZDUMP, |endpoint| endpoint.rules = &[]);
    assert_eq!(
        dropped,
        [
            "backup.create notes-template: the schema wants it together with `storage`",
            "backup.create protected: the schema wants it together with `storage`",
        ]
    );
}

#[test]
fn a_privilege_that_is_dropped_is_noticed() {
    let noticed = noticed(&scope::snapshot::ROLLBACK, |endpoint| {
        endpoint.declared = Privileges::AnyOf("/vms/{vmid}", &["VM.Snapshot"]);
    });
    assert_eq!(noticed.len(), 1, "{noticed:?}");
    assert!(noticed[0].starts_with("snapshot.rollback privileges: "), "{noticed:?}");
}

#[test]
fn another_type_format_path_or_result_is_noticed() {
    let changes: [fn(&mut Endpoint); 5] = [
        |endpoint| endpoint.path = "/nodes/{node}/lxc/{vmid}/snapshots",
        |endpoint| endpoint.returns = Returns::Null,
        |endpoint| endpoint.protected = !endpoint.protected,
        |endpoint| endpoint.parameters = with_one("snapname", Kind::Boolean, true),
        |endpoint| endpoint.parameters = with_one("snapname", Kind::Format(VOLUME), true),
    ];
    for change in changes {
        assert!(!noticed(&scope::snapshot::CREATE, change).is_empty());
    }
}

//! Every value that the server sends is modelled, and every modelled value is looked at.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::endpoints::{self, Endpoint};
use crate::recording::{exceptions, successes};

/// Paths that are ignored, kept unread or not looked at, with the reason.
const UNMODELLED: &str = include_str!("../unmodelled_leaves.txt");

/// Every place at which one path occurs.
type Places = Vec<Place>;

/// A leaf: the endpoint that answered, the whole body and a pointer into it.
pub(crate) struct Place {
    pub(crate) endpoint: &'static Endpoint,
    body: Value,
    pointer: String,
}

impl Place {
    /// The body with another value at this place.
    pub(crate) fn with(&self, value: Value) -> Value {
        let mut body = self.body.clone();
        *body.pointer_mut(&self.pointer).unwrap() = value;
        body
    }

    /// The body without this place.
    fn without(&self) -> Value {
        let mut body = self.body.clone();
        let (parent, last) = self.pointer.rsplit_once('/').unwrap();
        match body.pointer_mut(parent).unwrap() {
            Value::Object(fields) => drop(fields.remove(&last.replace("~1", "/").replace("~0", "~"))),
            Value::Array(items) => drop(items.remove(last.parse().unwrap())),
            _ => unreachable!("a leaf has no children"),
        }
        body
    }

    /// The body with a similar value at this place: one that the same type could hold, where there is one.
    fn changed(&self) -> Value {
        self.with(match self.body.pointer(&self.pointer).unwrap() {
            Value::String(text) => json!(format!("{text}x")),
            Value::Bool(flag) => json!(!flag),
            Value::Number(number) if number.as_u64() == Some(1) => json!(0),
            Value::Number(number) => json!(number.as_f64().unwrap() + 1.0),
            _ => json!("x"),
        })
    }

    /// Whether the shape reads something else, or nothing, from another body.
    fn notices(&self, body: &Value) -> bool {
        let (_, _, read) = self.endpoint;
        let before = read(&self.body.to_string()).unwrap().shown;
        !read(&body.to_string()).is_ok_and(|reading| reading.shown == before)
    }

    /// Whether the shape takes anything at this place: a key that is ignored, or kept without being understood.
    fn takes_anything(&self) -> bool {
        let (_, _, read) = self.endpoint;
        read(&self.with(json!({ "felhom": [] })).to_string()).is_ok_and(|reading| reading.unread.is_empty())
    }
}

/// Every leaf of every recorded success, by endpoint and path.
pub(crate) fn all() -> BTreeMap<String, Places> {
    let mut leaves: BTreeMap<String, Places> = BTreeMap::new();
    for recording in successes() {
        let Some(endpoint) = endpoints::of(&recording) else { continue };
        let Ok(body) = serde_json::from_str::<Value>(&recording.body) else { continue };
        let mut found = Vec::new();
        walk(&body["data"], "", "/data", &mut found);
        for (path, pointer) in found {
            let (method, template, _) = endpoint;
            let place = Place { endpoint, body: body.clone(), pointer };
            leaves.entry(format!("{method} {template} {path}")).or_default().push(place);
        }
    }
    leaves
}

/// Collects path and pointer of every leaf below a value.
fn walk(value: &Value, path: &str, pointer: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                walk(
                    value,
                    &format!("{path}.{}", normal_key(path, key)),
                    &format!("{pointer}/{escaped}"),
                    found,
                );
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{path}[]"), &format!("{pointer}/{index}"), found);
            }
        }
        _ => found.push((path.to_owned(), pointer.to_owned())),
    }
}

/// Names keys that are data and not part of a shape.
fn normal_key(path: &str, key: &str) -> String {
    let indexed = ["net", "mp", "dev", "unused"]
        .into_iter()
        .find(|option| key.strip_prefix(option).is_some_and(|index| index.parse::<u16>().is_ok()));
    match indexed {
        Some(option) => format!("{option}{{n}}"),
        None if path == ".{path}" => "{privilege}".into(),
        None if key.starts_with('/') => "{path}".into(),
        None => key.into(),
    }
}

/// The paths that the shapes do not look at.
fn ignored() -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for recording in successes() {
        let Some((method, template, read)) = endpoints::of(&recording) else { continue };
        let Ok(reading) = read(&recording.body) else { continue };
        paths.extend(reading.ignored.iter().map(|path| format!("{method} {template} {path}")));
    }
    paths
}

/// Whether a path is another one or a part of it.
fn is_below(path: &str, ignored: &str) -> bool {
    path.strip_prefix(ignored).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

#[test]
fn every_leaf_is_modelled_or_listed_with_its_reason() {
    let ignored = ignored();
    let mut unmodelled = ignored.clone();
    for (path, places) in all() {
        if ignored.iter().any(|ignored| is_below(&path, ignored)) {
            continue;
        }
        let noticed = |mutate: fn(&Place) -> Value| places.iter().any(|place| place.notices(&mutate(place)));
        if places.iter().any(Place::takes_anything) || !noticed(Place::changed) || !noticed(Place::without) {
            unmodelled.insert(path);
        }
    }
    assert_eq!(unmodelled, exceptions(UNMODELLED));
}

#[test]
fn no_value_makes_a_shape_panic() {
    let values = [
        json!("1"),
        json!(1),
        json!(true),
        json!(""),
        Value::Null,
        json!(1e3),
        json!(-1),
        json!(1_u64 << 63),
        json!([]),
        json!("a=b,c"),
    ];
    for places in all().into_values() {
        let place = places.first().unwrap();
        let (_, _, read) = place.endpoint;
        for value in &values {
            drop(read(&place.with(value.clone()).to_string()));
        }
    }
}

//! Every value that the server sends is read by the call that it answers, and every value that is read is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use proxmox_api::endpoint::Endpoint;
use proxmox_api::{Observer, Response};
use proxmox_types::lenient::Note;
use serde_json::{Value, json};

use crate::built::{build, observed};
use crate::recording::{Recording, all, exceptions};
use crate::replay::{given, row};

/// Paths that are ignored, kept unread or not looked at, with the reason.
const UNMODELLED: &str = include_str!("unmodelled_leaves.txt");

/// A recorded success, and the row of the call that reads it.
struct Success {
    endpoint: &'static Endpoint,
    recording: Recording,
    body: Value,
}

/// What a call made of a body.
#[derive(Default)]
struct Reading {
    /// The answer as `Debug` prints it; two answers are the same if this is. Nothing if it was refused.
    shown: Option<String>,
    /// The keys that the shape did not look at.
    ignored: Vec<String>,
    /// What the shape could not read and did without.
    unread: Vec<String>,
}

#[derive(Default)]
struct Notes(Mutex<Vec<Note>>);

impl Observer for Notes {
    fn note(&self, _: &'static Endpoint, note: &Note) {
        self.0.lock().unwrap().push(note.clone());
    }
}

impl Success {
    fn of(recording: Recording) -> Option<Self> {
        let endpoint = row(&recording).filter(|_| recording.status() == Some(200))?;
        let body = serde_json::from_slice(recording.response.as_ref()?.body.as_bytes()).ok()?;
        let success = Self { endpoint, recording, body };
        success.read(&success.body).shown.is_some().then_some(success)
    }

    /// Makes the recorded call again; it is answered with this body.
    fn read(&self, body: &Value) -> Reading {
        let notes = Arc::new(Notes::default());
        let body = body.to_string().into_bytes().into();
        let answer = Response { status: 200, reason: "OK".into(), date: None, body };
        let client = observed(answer, notes.clone());
        let made = build(&client, self.endpoint, given(&self.recording, self.endpoint));
        let mut reading =
            Reading { shown: made.ok().and_then(|made| made.answer.ok()), ..Reading::default() };
        for note in notes.0.lock().unwrap().drain(..) {
            match note {
                Note::Unknown { path } => reading.ignored.push(normal_path(&path)),
                Note::Unread { path, .. } => reading.unread.push(path),
                _ => {}
            }
        }
        reading
    }

    /// A path of its answer, with the row.
    fn path(&self, path: &str) -> String {
        format!("{} {} {path}", self.endpoint.method, self.endpoint.path)
    }
}

fn successes() -> impl Iterator<Item = Success> {
    all().into_iter().filter_map(Success::of)
}

/// A leaf: the answer and a pointer into it.
struct LeafPlace {
    success: Rc<Success>,
    pointer: String,
}

impl LeafPlace {
    /// The body with another value at this place.
    fn with(&self, value: Value) -> Value {
        let mut body = self.success.body.clone();
        *body.pointer_mut(&self.pointer).unwrap() = value;
        body
    }

    /// The body without this place.
    fn without(&self) -> Value {
        let mut body = self.success.body.clone();
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
        self.with(match self.success.body.pointer(&self.pointer).unwrap() {
            Value::String(text) => json!(format!("{text}x")),
            Value::Bool(flag) => json!(!flag),
            Value::Number(number) if number.as_u64() == Some(1) => json!(0),
            Value::Number(number) => json!(number.as_f64().unwrap() + 1.0),
            _ => json!("x"),
        })
    }

    /// Whether the shape reads something else, or nothing, from another body.
    fn notices(&self, body: &Value) -> bool {
        self.success.read(body).shown != self.success.read(&self.success.body).shown
    }

    /// Whether the shape takes anything at this place: a key that is ignored, or kept without being understood.
    fn takes_anything(&self) -> bool {
        let reading = self.success.read(&self.with(json!({ "felhom": [] })));
        reading.shown.is_some() && reading.unread.is_empty()
    }
}

/// Every leaf of these answers, by row and path. Of a change that answers null nothing is read.
fn leaves(successes: &[Rc<Success>]) -> BTreeMap<String, Vec<LeafPlace>> {
    let mut leaves: BTreeMap<String, Vec<LeafPlace>> = BTreeMap::new();
    for success in successes.iter().filter(|success| !success.body["data"].is_null()) {
        let mut found = Vec::new();
        walk(&success.body["data"], "", "/data", &mut found);
        for (path, pointer) in found {
            let place = LeafPlace { success: Rc::clone(success), pointer };
            leaves.entry(success.path(&path)).or_default().push(place);
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

/// The path of an ignored key, written like the paths of leaves.
fn normal_path(path: &str) -> String {
    let mut parts = path.trim_start_matches("data").trim_start_matches('.').split('[');
    let first = parts.next().unwrap().to_owned();
    let first = if first.is_empty() { first } else { format!(".{first}") };
    parts.fold(first, |text, part| text + "[]" + part.split_once(']').unwrap().1)
}

/// Whether a path is another one or a part of it.
fn is_below(path: &str, ignored: &str) -> bool {
    path.strip_prefix(ignored).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

#[test]
fn every_leaf_is_modelled_or_listed_with_its_reason() {
    let successes: Vec<_> = successes().map(Rc::new).collect();
    let ignored: BTreeSet<String> = successes
        .iter()
        .flat_map(|success| {
            success.read(&success.body).ignored.iter().map(|path| success.path(path)).collect::<Vec<_>>()
        })
        .collect();
    let mut unmodelled = ignored.clone();
    for (path, places) in leaves(&successes) {
        if ignored.iter().any(|ignored| is_below(&path, ignored)) {
            continue;
        }
        let noticed =
            |mutate: fn(&LeafPlace) -> Value| places.iter().any(|place| place.notices(&mutate(place)));
        if places.iter().any(LeafPlace::takes_anything)
            || !noticed(LeafPlace::changed)
            || !noticed(LeafPlace::without)
        {
            unmodelled.insert(path);
        }
    }
    assert!(unmodelled.iter().eq(exceptions(UNMODELLED).keys()), "{unmodelled:#?}");
}

#[test]
fn no_value_makes_a_shape_panic() {
    let values = json!(["1", 1, true, "", null, 1e3, -1, 1_u64 << 63, [], "a=b,c"]);
    let successes: Vec<_> = successes().map(Rc::new).collect();
    for places in leaves(&successes).into_values() {
        let place = places.first().unwrap();
        for value in values.as_array().unwrap() {
            drop(place.success.read(&place.with(value.clone())));
        }
    }
}

#[test]
fn nothing_of_a_recorded_success_is_unread() {
    let mut read = 0;
    for success in successes() {
        assert_eq!(success.read(&success.body).unread, [""; 0], "{}", success.recording.name);
        read += 1;
    }
    assert!(read > 500, "only {read} answers were read");
}

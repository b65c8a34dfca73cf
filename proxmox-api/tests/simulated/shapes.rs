//! Every answer of the simulated node has the shape of a recorded one: no key that PVE does not print, none missing
//! that PVE always prints, and every value of a type that PVE prints.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proxmox_api::endpoint::Endpoint;
use proxmox_api::sim::{Principal, Sim, now};
use proxmox_api::{Client, Method, scope};
use serde_json::Value;

use crate::lost::given;

/// What the objects at one place of the answers of one operation look like.
#[derive(Default)]
struct Shape {
    objects: usize,
    /// How often a key was there, and with which types.
    keys: BTreeMap<String, (usize, BTreeSet<&'static str>)>,
}

type Shapes = BTreeMap<(String, String), Shape>;

/// The type of a value, loosely: a numeric string is a type of its own.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(text) if text.parse::<f64>().is_ok() => "numeric string",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn collect(shapes: &mut Shapes, operation: &str, place: &str, value: &Value) {
    match value {
        Value::Array(items) => {
            for item in items {
                // Rows of different kinds are different shapes.
                let kind =
                    item["type"].as_str().filter(|_| operation == "cluster.resources").unwrap_or_default();
                let current = if item["name"] == "current" { "current" } else { "" };
                collect(shapes, operation, &format!("{place}[{kind}{current}]"), item);
            }
        }
        Value::Object(fields) => {
            let shape = shapes.entry((operation.into(), place.into())).or_default();
            shape.objects += 1;
            for (name, field) in fields {
                let (seen, types) = shape.keys.entry(name.clone()).or_default();
                *seen += 1;
                types.insert(type_of(field));
            }
            for (name, field) in fields {
                collect(shapes, operation, &format!("{place}.{name}"), field);
            }
        }
        _ => {}
    }
}

fn operation(method: &str, path: &str) -> Option<&'static str> {
    let methods = [Method::Get, Method::Post, Method::Put, Method::Delete];
    let method = methods.into_iter().find(|known| known.as_str() == method)?;
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    scope::all().find(|endpoint| endpoint.matches(method, &segments)).map(|endpoint| endpoint.operation)
}

fn recorded() -> Shapes {
    let mut shapes = Shapes::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proxmox-types/fixtures");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let sent = file["request"]["path"].as_str().unwrap();
        let Some(sent) = sent.strip_prefix("/api2/json").filter(|_| file["status"] == 200) else { continue };
        let Some(operation) = operation(file["request"]["method"].as_str().unwrap(), sent) else { continue };
        if let Ok(body) = serde_json::from_str::<Value>(file["body"].as_str().unwrap()) {
            collect(&mut shapes, operation, "", &body["data"]);
        }
    }
    shapes
}

/// Reads that show something else than those of every endpoint do.
const VARIANTS: [&str; 9] = [
    "/nodes/pve1/lxc/100/status/current",
    "/nodes/pve1/lxc/100/config",
    "/nodes/pve1/lxc/300/config?current=1",
    "/nodes/pve1/lxc/100/pending",
    "/nodes/pve1/lxc/100/interfaces",
    "/nodes/pve1/storage?format=1",
    "/nodes/pve1/storage/local-btrfs/content",
    "/nodes/pve1/tasks?source=all",
    "/pools?poolid=felhom",
];

/// The reads of every endpoint but those of a task, which one was started for, and of permissions, whose keys are data.
fn reads(client: &Client) -> impl Iterator<Item = String> {
    let is_read = |endpoint: &&Endpoint| {
        endpoint.method.is_read()
            && !endpoint.path.contains("{upid}")
            && endpoint.operation != "access.permissions"
    };
    scope::all().filter(is_read).map(|endpoint| {
        let made = now(scope::make(client, endpoint.operation, &mut given(client, endpoint))).unwrap();
        format!("{}?{}", made.request.path, made.request.encoded_parameters())
    })
}

/// Reads of every kind, after some work was done so that lists have rows.
fn simulated() -> Shapes {
    let sim = Sim::new();
    let root = Principal::token("root@pam!full");
    let serve = |method: &str, target: &str, body: &str| {
        let answer = sim.serve(method, &format!("/api2/json{target}"), body, Some(&root));
        assert_eq!(answer.status, 200, "{method} {target}: {}", answer.body);
        serde_json::from_str::<Value>(&answer.body).unwrap()["data"].clone()
    };
    serve("POST", "/nodes/pve1/lxc/300/snapshot", "snapname=s1&description=first");
    sim.advance(core::time::Duration::from_secs(5));
    let upid = serve("POST", "/nodes/pve1/vzdump", "vmid=100&storage=local&notes-template=x&protected=1");
    let upid = upid.as_str().unwrap().to_owned();
    let running = serve("GET", &format!("/nodes/pve1/tasks/{upid}/status"), "");
    sim.advance(core::time::Duration::from_secs(5));
    serve("PUT", "/nodes/pve1/lxc/100/config", "cmode=shell&delete=tags");
    let mut shapes = Shapes::new();
    collect(&mut shapes, "task.status", "", &running);
    let made = serve("GET", "/nodes/pve1/storage/local/content?content=backup&vmid=100", "");
    let volume = made[0]["volid"].as_str().unwrap().replace(':', "%3A").replace('/', "%2F");
    let made = [
        format!("/nodes/pve1/storage/local/content/{volume}"),
        format!("/nodes/pve1/tasks/{upid}/status"),
        format!("/nodes/pve1/tasks/{upid}/log"),
    ];
    let client = sim.as_token("root@pam!full".parse().unwrap()).client();
    for target in VARIANTS.map(str::to_owned).into_iter().chain(made).chain(reads(&client)) {
        let path = target.split('?').next().unwrap();
        collect(&mut shapes, operation("GET", path).unwrap(), "", &serve("GET", &target, ""));
    }
    shapes
}

#[test]
fn answers_have_the_shape_of_recorded_ones() {
    let recorded = recorded();
    let mut faults = Vec::new();
    for ((operation, place), shape) in simulated() {
        let at = format!("{operation} {place}");
        let Some(real) = recorded.get(&(operation, place)) else {
            faults.push(format!("{at}: never recorded"));
            continue;
        };
        for (name, (_, types)) in &shape.keys {
            match real.keys.get(name) {
                None => faults.push(format!("{at}: `{name}` is never printed by PVE")),
                Some((_, known)) if !types.is_subset(known) => {
                    faults.push(format!("{at}: `{name}` is {types:?}, PVE prints {known:?}"));
                }
                Some(_) => {}
            }
        }
        let always = real.keys.iter().filter(|(_, (seen, _))| *seen == real.objects).map(|(name, _)| name);
        let missing =
            always.filter(|name| shape.keys.get(*name).is_none_or(|(seen, _)| *seen < shape.objects));
        faults.extend(missing.map(|name| format!("{at}: `{name}` is always printed by PVE")));
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

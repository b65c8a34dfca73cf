//! Every recorded request is one that the parameter structs can send.

use std::collections::{BTreeMap, BTreeSet};

use proxmox_types::params::{
    CloneParams, ContentFilter, CreateParams, DeleteSnapshotParams, DeleteVolumeParams, DestroyParams,
    DiskFilter, LogRange, MigrateParams, MoveVolumeParams, PermissionFilter, PruneParams, RebootParams,
    ResizeParams, ResourceFilter, RestoreParams, RollbackParams, SetConfigParams, ShutdownParams,
    SnapshotConfigParams, SnapshotParams, StartParams, StopParams, StorageFilter, TaskFilter, VolumeParams,
    VzdumpParams,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::recording::{self, Recording};
use crate::table;

/// Recorded requests that the structs cannot send, with the reason.
const REFUSED: &str = "refused_parameters.txt";

/// Reads parameters and writes them again.
type Send = fn(Value) -> Result<Value, serde_json::Error>;

/// Method, path template, struct, and the parameters that the client adds by itself.
const CALLS: &[(&str, &str, Send, &[&str])] = &[
    ("GET", "/access/permissions", send::<PermissionFilter>, &[]),
    ("GET", "/cluster/resources", send::<ResourceFilter>, &[]),
    ("GET", "/nodes/{node}/disks/list", send::<DiskFilter>, &[]),
    ("POST", "/nodes/{node}/lxc", create_or_restore, &["restore"]),
    ("DELETE", "/nodes/{node}/lxc/{vmid}", send::<DestroyParams>, &[]),
    ("POST", "/nodes/{node}/lxc/{vmid}/clone", send::<CloneParams>, &[]),
    ("PUT", "/nodes/{node}/lxc/{vmid}/config", send::<SetConfigParams>, &[]),
    ("POST", "/nodes/{node}/lxc/{vmid}/migrate", send::<MigrateParams>, &[]),
    ("POST", "/nodes/{node}/lxc/{vmid}/move_volume", send::<MoveVolumeParams>, &[]),
    ("PUT", "/nodes/{node}/lxc/{vmid}/resize", send::<ResizeParams>, &[]),
    ("POST", "/nodes/{node}/lxc/{vmid}/snapshot", send::<SnapshotParams>, &["snapname"]),
    ("DELETE", "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}", send::<DeleteSnapshotParams>, &[]),
    ("PUT", "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config", send::<SnapshotConfigParams>, &[]),
    ("POST", "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback", send::<RollbackParams>, &[]),
    ("POST", "/nodes/{node}/lxc/{vmid}/status/reboot", send::<RebootParams>, &[]),
    ("POST", "/nodes/{node}/lxc/{vmid}/status/shutdown", send::<ShutdownParams>, &[]),
    ("POST", "/nodes/{node}/lxc/{vmid}/status/start", send::<StartParams>, &[]),
    ("POST", "/nodes/{node}/lxc/{vmid}/status/stop", send::<StopParams>, &[]),
    ("GET", "/nodes/{node}/storage", send::<StorageFilter>, &[]),
    ("GET", "/nodes/{node}/storage/{storage}/content", send::<ContentFilter>, &[]),
    ("PUT", "/nodes/{node}/storage/{storage}/content/{volume}", send::<VolumeParams>, &[]),
    ("DELETE", "/nodes/{node}/storage/{storage}/content/{volume}", send::<DeleteVolumeParams>, &[]),
    ("GET", "/nodes/{node}/storage/{storage}/prunebackups", send::<PruneParams>, &[]),
    ("DELETE", "/nodes/{node}/storage/{storage}/prunebackups", send::<PruneParams>, &[]),
    ("GET", "/nodes/{node}/tasks", send::<TaskFilter>, &[]),
    ("GET", "/nodes/{node}/tasks/{upid}/log", send::<LogRange>, &[]),
    ("POST", "/nodes/{node}/vzdump", send::<VzdumpParams>, &[]),
];

fn send<T: DeserializeOwned + Serialize>(params: Value) -> Result<Value, serde_json::Error> {
    serde_json::to_value(serde_json::from_value::<T>(params)?)
}

/// The archive tells which of the two it is: only a restore takes a backup.
fn create_or_restore(params: Value) -> Result<Value, serde_json::Error> {
    match params["ostemplate"].as_str() {
        Some(archive) if archive.contains(":backup/") => send::<RestoreParams>(params),
        _ => send::<CreateParams>(params),
    }
}

/// The parameters of a request. A name that was sent twice has a list.
fn parameters(recording: &Recording) -> Map<String, Value> {
    let mut parameters = Map::new();
    for sent in [&recording.query, &recording.form] {
        match sent {
            Value::Object(fields) => parameters.extend(fields.clone()),
            Value::Array(pairs) => pairs.iter().for_each(|pair| {
                let list =
                    parameters.entry(pair[0].as_str().unwrap()).or_insert_with(|| Value::Array(Vec::new()));
                list.as_array_mut().unwrap().push(pair[1].clone());
            }),
            _ => {}
        }
    }
    parameters
}

/// The same parameters as they travel: every scalar is text.
fn as_text(parameters: &Map<String, Value>) -> Value {
    let text = |value: &Value| match value {
        Value::Number(number) => Value::String(number.to_string()),
        other => other.clone(),
    };
    parameters.iter().map(|(key, value)| (key.clone(), text(value))).collect()
}

/// What parameters mean, however they are written: each is a set of pieces between commas.
fn meaning(parameters: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let parameters = parameters.as_object().unwrap();
    parameters.iter().map(|(key, value)| (key.clone(), pieces(value))).collect()
}

fn pieces(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(pieces).collect(),
        Value::Bool(flag) => BTreeSet::from([u8::from(*flag).to_string()]),
        Value::String(text) => {
            text.split(',').map(|piece| piece.trim_start_matches("volume=").to_owned()).collect()
        }
        other => BTreeSet::from([other.to_string()]),
    }
}

/// The requests whose struct does not send the same parameters again.
fn refused() -> BTreeSet<String> {
    let mut refused = BTreeSet::new();
    for recording in recording::all().into_iter().filter(|recording| !recording.name.contains(".task-")) {
        let call = CALLS.iter().find(|(method, template, ..)| recording.is_of(method, template));
        let Some((_, _, again, added)) = call else { continue };
        let mut sent = parameters(&recording);
        sent.retain(|key, _| !added.contains(&key.as_str()));
        let wanted = meaning(&Value::Object(sent.clone()));
        for form in [as_text(&sent), Value::Object(sent)] {
            if again(form).map(|written| meaning(&written)).ok().as_ref() != Some(&wanted) {
                refused.insert(recording.name.clone());
            }
        }
    }
    refused
}

#[test]
fn every_recorded_request_can_be_sent_or_is_refused_for_a_reason() {
    let listed: BTreeSet<String> = table::read(REFUSED).into_keys().collect();
    assert_eq!(refused(), listed);
}

#[test]
fn every_struct_was_recorded_in_use() {
    let recordings = recording::all();
    let is_used = |method: &str, template: &str| {
        recordings
            .iter()
            .any(|recording| recording.is_of(method, template) && !parameters(recording).is_empty())
    };
    let unused: Vec<_> =
        CALLS.iter().filter(|(method, template, ..)| !is_used(method, template)).map(|call| call.1).collect();
    assert_eq!(unused, [""; 0]);
}

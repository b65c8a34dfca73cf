//! Which shape reads the answer of which endpoint. Every recorded success is read by one or listed as left out.

use std::collections::BTreeSet;
use std::fmt::Debug;

use proxmox_types::lenient::{self, Note};
use proxmox_types::{
    Certificate, ClusterStatusEntry, Content, Disk, DiskHealth, Feature, HaResource, LxcConfig, LxcInterface,
    LxcStatus, MigratePreconditions, NetworkInterface, NodeEntry, NodeStatus, NodeTime, PendingChange,
    Permissions, Pool, PruneEntry, ReplicationJob, Resource, Role, Rows, Service, SnapshotEntry,
    StorageDefinition, StorageStatus, TaskEntry, TaskLogLine, TaskStatus, TokenInfo, Upid, Version, Vmid,
    VolumeAttributes, VolumeId, VzdumpDefaults,
};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Map, Value};

use crate::recording::{Recording, exceptions, successes};

/// What a shape made of a body.
pub(crate) struct Reading {
    /// The value as `Debug` prints it; two values are the same if this is.
    pub(crate) shown: String,
    /// The keys that the shape did not look at.
    pub(crate) ignored: Vec<String>,
    /// What the shape could not read and did without.
    pub(crate) unread: Vec<String>,
}

pub(crate) type Read = fn(&str) -> Result<Reading, serde_json::Error>;

/// Method, path template and shape.
pub(crate) type Endpoint = (&'static str, &'static str, Read);

/// The answer of `POST vzdump`: a task, or `OK` if no chosen guest is on the node.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Backup {
    Task(Upid),
    Nothing(Ok),
}

#[derive(Debug, PartialEq, Deserialize)]
enum Ok {
    #[serde(rename = "OK")]
    Ok,
}

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    ("GET", "/access/permissions", read::<Permissions>),
    ("GET", "/access/roles", read::<Rows<Role>>),
    ("GET", "/access/users/{userid}/token/{tokenid}", read::<TokenInfo>),
    ("GET", "/cluster/ha/resources", read::<Rows<HaResource>>),
    ("GET", "/cluster/nextid", read::<Vmid>),
    ("GET", "/cluster/replication", read::<Rows<ReplicationJob>>),
    ("GET", "/cluster/resources", read::<Rows<Resource>>),
    ("GET", "/cluster/status", read::<Rows<ClusterStatusEntry>>),
    ("GET", "/cluster/tasks", read::<Rows<TaskEntry>>),
    ("GET", "/nodes", read::<Rows<NodeEntry>>),
    ("GET", "/nodes/{node}/certificates/info", read::<Rows<Certificate>>),
    ("GET", "/nodes/{node}/disks/list", read::<Rows<Disk>>),
    ("GET", "/nodes/{node}/disks/smart", read::<DiskHealth>),
    ("GET", "/nodes/{node}/lxc", read::<Rows<LxcStatus>>),
    ("POST", "/nodes/{node}/lxc", read::<Upid>),
    ("DELETE", "/nodes/{node}/lxc/{vmid}", read::<Upid>),
    ("POST", "/nodes/{node}/lxc/{vmid}/clone", read::<Upid>),
    ("GET", "/nodes/{node}/lxc/{vmid}/config", read::<LxcConfig>),
    ("PUT", "/nodes/{node}/lxc/{vmid}/config", read::<()>),
    ("GET", "/nodes/{node}/lxc/{vmid}/feature", read::<Feature>),
    ("GET", "/nodes/{node}/lxc/{vmid}/interfaces", read::<Option<Rows<LxcInterface>>>),
    ("POST", "/nodes/{node}/lxc/{vmid}/move_volume", read::<Upid>),
    ("GET", "/nodes/{node}/lxc/{vmid}/migrate", read::<MigratePreconditions>),
    ("GET", "/nodes/{node}/lxc/{vmid}/pending", read::<Rows<PendingChange>>),
    ("PUT", "/nodes/{node}/lxc/{vmid}/resize", read::<Upid>),
    ("GET", "/nodes/{node}/lxc/{vmid}/snapshot", read::<Rows<SnapshotEntry>>),
    ("POST", "/nodes/{node}/lxc/{vmid}/snapshot", read::<Upid>),
    ("DELETE", "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}", read::<Upid>),
    ("GET", "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config", read::<LxcConfig>),
    ("PUT", "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config", read::<()>),
    ("POST", "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback", read::<Upid>),
    ("GET", "/nodes/{node}/lxc/{vmid}/status/current", read::<LxcStatus>),
    ("POST", "/nodes/{node}/lxc/{vmid}/status/{operation}", read::<Upid>),
    ("POST", "/nodes/{node}/lxc/{vmid}/template", read::<()>),
    ("GET", "/nodes/{node}/network", read::<Rows<NetworkInterface>>),
    ("GET", "/nodes/{node}/services", read::<Rows<Service>>),
    ("GET", "/nodes/{node}/status", read::<NodeStatus>),
    ("GET", "/nodes/{node}/storage", read::<Rows<StorageStatus>>),
    ("GET", "/nodes/{node}/storage/{storage}/content", read::<Rows<Content>>),
    ("POST", "/nodes/{node}/storage/{storage}/content", read::<VolumeId>),
    ("GET", "/nodes/{node}/storage/{storage}/content/{volume}", read::<VolumeAttributes>),
    ("PUT", "/nodes/{node}/storage/{storage}/content/{volume}", read::<()>),
    ("DELETE", "/nodes/{node}/storage/{storage}/content/{volume}", read::<Option<Upid>>),
    ("POST", "/nodes/{node}/storage/{storage}/download-url", read::<Upid>),
    ("GET", "/nodes/{node}/storage/{storage}/prunebackups", read::<Rows<PruneEntry>>),
    ("DELETE", "/nodes/{node}/storage/{storage}/prunebackups", read::<Upid>),
    ("GET", "/nodes/{node}/storage/{storage}/status", read::<StorageStatus>),
    ("GET", "/nodes/{node}/tasks", read::<Rows<TaskEntry>>),
    ("DELETE", "/nodes/{node}/tasks/{upid}", read::<()>),
    ("GET", "/nodes/{node}/tasks/{upid}/log", read::<Rows<TaskLogLine>>),
    ("GET", "/nodes/{node}/tasks/{upid}/status", read::<TaskStatus>),
    ("GET", "/nodes/{node}/time", read::<NodeTime>),
    ("GET", "/nodes/{node}/version", read::<Version>),
    ("POST", "/nodes/{node}/vzdump", read::<Backup>),
    ("GET", "/nodes/{node}/vzdump/defaults", read::<VzdumpDefaults>),
    ("GET", "/nodes/{node}/vzdump/extractconfig", read::<String>),
    ("GET", "/pools", read::<Rows<Pool>>),
    ("GET", "/storage", read::<Rows<StorageDefinition>>),
    ("GET", "/storage/{storage}", read::<StorageDefinition>),
    ("GET", "/version", read::<Version>),
];

/// The endpoint of a recording, if the table has it.
pub(crate) fn of(recording: &Recording) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|(method, template, _)| recording.is_of(method, template))
}

fn read<T: DeserializeOwned + Debug>(body: &str) -> Result<Reading, serde_json::Error> {
    let envelope: Map<String, Value> = serde_json::from_str(body)?;
    let (mut ignored, mut unread) = (Vec::new(), Vec::new());
    let data = envelope.get("data").ok_or_else(|| serde_json::Error::custom("no data"))?;
    let read: Result<T, _> = lenient::read(&data.into(), "", &mut |note| match note {
        Note::Unknown { path } => ignored.push(normal_path(&path)),
        Note::Unread { path, .. } => unread.push(path),
        _ => {}
    });
    let read = read.map_err(|fault| fault.source)?;
    Ok(Reading { shown: format!("{read:?}"), ignored, unread })
}

/// The path of an ignored key, written like the paths of leaves.
fn normal_path(path: &str) -> String {
    let mut parts = path.split('[');
    let first = parts.next().unwrap().to_owned();
    let first = if first.is_empty() { first } else { format!(".{first}") };
    parts.fold(first, |text, part| text + "[]" + part.split_once(']').unwrap().1)
}

/// Recordings and path templates that no shape reads, with the reason.
const LEFT_OUT: &str = include_str!("../unmodelled_endpoints.txt");

#[test]
fn every_recorded_success_is_decoded() {
    let left_out = exceptions(LEFT_OUT);
    let mut decoded = 0;
    for recording in successes().filter(|recording| !left_out.contains(&recording.name)) {
        if let Some((_, _, read)) = of(&recording) {
            let reading = read(&recording.body);
            let reading = reading.unwrap_or_else(|error| panic!("{}: {error}", recording.name));
            assert_eq!(reading.unread, [""; 0], "{}", recording.name);
            decoded += 1;
        }
    }
    assert!(decoded > 570, "only {decoded} recordings were decoded");
}

#[test]
fn what_no_shape_reads_is_listed_with_its_reason() {
    let listed = exceptions(LEFT_OUT);
    let mut found = BTreeSet::new();
    for recording in successes() {
        let row = of(&recording);
        let unread = row.is_none_or(|(_, _, read)| read(&recording.body).is_err());
        let template = listed.iter().find(|what| what.starts_with('/') && recording.is_of("GET", what));
        match template {
            Some(template) if row.is_none() => found.insert(template.clone()),
            _ if unread => found.insert(recording.name),
            _ => true,
        };
    }
    assert_eq!(found, listed);
}

#[test]
fn every_endpoint_of_the_table_was_recorded() {
    let recordings: Vec<_> = successes().collect();
    let unused: Vec<_> = ENDPOINTS
        .iter()
        .filter(|(method, template, _)| !recordings.iter().any(|recording| recording.is_of(method, template)))
        .map(|(method, template, _)| format!("{method} {template}"))
        .collect();
    assert_eq!(unused, [""; 0]);
}

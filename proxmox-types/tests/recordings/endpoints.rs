//! Which shape reads the answer of which endpoint.

use std::fmt::Debug;

use proxmox_types::{
    Certificate, ClusterStatusEntry, Content, Disk, DiskHealth, Feature, HaResource, LxcConfig, LxcInterface,
    LxcStatus, MigratePreconditions, NetworkInterface, NodeEntry, NodeStatus, NodeTime, PendingChange,
    Permissions, Pool, PruneEntry, ReplicationJob, Resource, Role, Service, SnapshotEntry, StorageDefinition,
    StorageStatus, TaskEntry, TaskLogLine, TaskStatus, TokenInfo, Upid, Version, Vmid, VolumeAttributes,
    VolumeId, VzdumpDefaults,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_ignored::Path;
use serde_json::Value;

use crate::recording::Recording;

/// What a shape made of a body.
pub(crate) struct Reading {
    /// The value as `Debug` prints it; two values are the same if this is.
    pub(crate) shown: String,
    /// The value as JSON.
    pub(crate) written: Value,
    /// The keys that the shape did not look at.
    pub(crate) ignored: Vec<String>,
}

pub(crate) type Read = fn(&str) -> Result<Reading, serde_json::Error>;

/// Method, path template and shape.
pub(crate) type Endpoint = (&'static str, &'static str, Read);

/// The answer of `POST vzdump`: a task, or `OK` if no chosen guest is on the node.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Backup {
    Task(Upid),
    Nothing(Ok),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Ok {
    #[serde(rename = "OK")]
    Ok,
}

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    ("GET", "/access/permissions", read::<Permissions>),
    ("GET", "/access/roles", read::<Vec<Role>>),
    ("GET", "/access/users/{userid}/token/{tokenid}", read::<TokenInfo>),
    ("GET", "/cluster/ha/resources", read::<Vec<HaResource>>),
    ("GET", "/cluster/nextid", read::<Vmid>),
    ("GET", "/cluster/replication", read::<Vec<ReplicationJob>>),
    ("GET", "/cluster/resources", read::<Vec<Resource>>),
    ("GET", "/cluster/status", read::<Vec<ClusterStatusEntry>>),
    ("GET", "/cluster/tasks", read::<Vec<TaskEntry>>),
    ("GET", "/nodes", read::<Vec<NodeEntry>>),
    ("GET", "/nodes/{node}/certificates/info", read::<Vec<Certificate>>),
    ("GET", "/nodes/{node}/disks/list", read::<Vec<Disk>>),
    ("GET", "/nodes/{node}/disks/smart", read::<DiskHealth>),
    ("GET", "/nodes/{node}/lxc", read::<Vec<LxcStatus>>),
    ("POST", "/nodes/{node}/lxc", read::<Upid>),
    ("DELETE", "/nodes/{node}/lxc/{vmid}", read::<Upid>),
    ("POST", "/nodes/{node}/lxc/{vmid}/clone", read::<Upid>),
    ("GET", "/nodes/{node}/lxc/{vmid}/config", read::<LxcConfig>),
    ("PUT", "/nodes/{node}/lxc/{vmid}/config", read::<()>),
    ("GET", "/nodes/{node}/lxc/{vmid}/feature", read::<Feature>),
    ("GET", "/nodes/{node}/lxc/{vmid}/interfaces", read::<Option<Vec<LxcInterface>>>),
    ("POST", "/nodes/{node}/lxc/{vmid}/move_volume", read::<Upid>),
    ("GET", "/nodes/{node}/lxc/{vmid}/migrate", read::<MigratePreconditions>),
    ("GET", "/nodes/{node}/lxc/{vmid}/pending", read::<Vec<PendingChange>>),
    ("PUT", "/nodes/{node}/lxc/{vmid}/resize", read::<Upid>),
    ("GET", "/nodes/{node}/lxc/{vmid}/snapshot", read::<Vec<SnapshotEntry>>),
    ("POST", "/nodes/{node}/lxc/{vmid}/snapshot", read::<Upid>),
    ("DELETE", "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}", read::<Upid>),
    ("GET", "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config", read::<LxcConfig>),
    ("PUT", "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config", read::<()>),
    ("POST", "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback", read::<Upid>),
    ("GET", "/nodes/{node}/lxc/{vmid}/status/current", read::<LxcStatus>),
    ("POST", "/nodes/{node}/lxc/{vmid}/status/{operation}", read::<Upid>),
    ("POST", "/nodes/{node}/lxc/{vmid}/template", read::<()>),
    ("GET", "/nodes/{node}/network", read::<Vec<NetworkInterface>>),
    ("GET", "/nodes/{node}/services", read::<Vec<Service>>),
    ("GET", "/nodes/{node}/status", read::<NodeStatus>),
    ("GET", "/nodes/{node}/storage", read::<Vec<StorageStatus>>),
    ("GET", "/nodes/{node}/storage/{storage}/content", read::<Vec<Content>>),
    ("POST", "/nodes/{node}/storage/{storage}/content", read::<VolumeId>),
    ("GET", "/nodes/{node}/storage/{storage}/content/{volume}", read::<VolumeAttributes>),
    ("PUT", "/nodes/{node}/storage/{storage}/content/{volume}", read::<()>),
    ("DELETE", "/nodes/{node}/storage/{storage}/content/{volume}", read::<Option<Upid>>),
    ("POST", "/nodes/{node}/storage/{storage}/download-url", read::<Upid>),
    ("GET", "/nodes/{node}/storage/{storage}/prunebackups", read::<Vec<PruneEntry>>),
    ("DELETE", "/nodes/{node}/storage/{storage}/prunebackups", read::<Upid>),
    ("GET", "/nodes/{node}/storage/{storage}/status", read::<StorageStatus>),
    ("GET", "/nodes/{node}/tasks", read::<Vec<TaskEntry>>),
    ("DELETE", "/nodes/{node}/tasks/{upid}", read::<()>),
    ("GET", "/nodes/{node}/tasks/{upid}/log", read::<Vec<TaskLogLine>>),
    ("GET", "/nodes/{node}/tasks/{upid}/status", read::<TaskStatus>),
    ("GET", "/nodes/{node}/time", read::<NodeTime>),
    ("GET", "/nodes/{node}/version", read::<Version>),
    ("POST", "/nodes/{node}/vzdump", read::<Backup>),
    ("GET", "/nodes/{node}/vzdump/defaults", read::<VzdumpDefaults>),
    ("GET", "/nodes/{node}/vzdump/extractconfig", read::<String>),
    ("GET", "/pools", read::<Vec<Pool>>),
    ("GET", "/storage", read::<Vec<StorageDefinition>>),
    ("GET", "/storage/{storage}", read::<StorageDefinition>),
    ("GET", "/version", read::<Version>),
];

/// The endpoint of a recording, if the table has it.
pub(crate) fn of(recording: &Recording) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|(method, template, _)| recording.is_of(method, template))
}

/// The envelope of every answer. Null is data, no data is not.
#[derive(Deserialize)]
struct Envelope<T> {
    #[serde(deserialize_with = "T::deserialize", bound(deserialize = "T: Deserialize<'de>"))]
    data: T,
    #[serde(default, deserialize_with = "total")]
    #[expect(dead_code, reason = "read so that it is known to the envelope, of no interest here")]
    total: Option<u64>,
}

fn total<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    u64::deserialize(deserializer).map(Some)
}

fn read<T: DeserializeOwned + Serialize + Debug>(body: &str) -> Result<Reading, serde_json::Error> {
    let mut ignored = Vec::new();
    let mut json = serde_json::Deserializer::from_str(body);
    let envelope: Envelope<T> =
        serde_ignored::deserialize(&mut json, |path| ignored.push(normal_path(&path)))?;
    let written = serde_json::to_value(&envelope.data)?;
    Ok(Reading { shown: format!("{:?}", envelope.data), written, ignored })
}

/// The path of an ignored key, written like the paths of leaves.
fn normal_path(path: &Path<'_>) -> String {
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, .. } => normal_path(parent) + "[]",
        Path::Map { parent, key } => match normal_path(parent) {
            root if root.is_empty() && key == "data" => root,
            parent => parent + "." + key,
        },
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            normal_path(parent)
        }
    }
}

//! Narrowing down lists.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::text::open_text;
use crate::{CommaList, ContentType, NodeName, StorageId, Vmid};

/// Parameters of `GET /nodes/{node}/storage/{storage}/content`.
///
/// Source: pve-storage `PVE/API2/Storage/Content.pm`; recording `content-local-backup-vmid`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentFilter {
    /// Only this kind of content.
    pub content: Option<ContentType>,
    /// Only volumes of this guest.
    pub vmid: Option<Vmid>,
}

/// Parameters of `GET /nodes/{node}/storage`.
///
/// Source: pve-storage `PVE/API2/Storage/Status.pm`; recordings `get-node-storage-format`, `storage-list-node-wide`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageFilter {
    /// Only this storage; an unknown one is status 400.
    pub storage: Option<StorageId>,
    /// Only storages that may hold one of these.
    #[serde(default, skip_serializing_if = "CommaList::is_empty")]
    pub content: CommaList<ContentType>,
    /// Only storages that are switched on.
    pub enabled: Option<bool>,
    /// Only storages that this node can reach as well.
    pub target: Option<NodeName>,
    /// Whether the formats of the volumes are told.
    pub format: Option<bool>,
}

/// Parameters of `GET /nodes/{node}/tasks`.
///
/// Source: pve-manager `PVE/API2/Tasks.pm`; recordings `get-tasks-*`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFilter {
    /// Which tasks; PVE's default is the archive, which has no running one.
    pub source: Option<TaskSource>,
    /// Only tasks of this guest.
    pub vmid: Option<Vmid>,
    /// Only this kind of worker: `vzdump`.
    pub typefilter: Option<String>,
    /// Only tasks whose user contains this. Archived tasks of a token have the owner's name without the token's.
    pub userfilter: Option<String>,
    /// Only tasks that ended in one of these ways; ignored with `errors`.
    #[serde(default, skip_serializing_if = "CommaList::is_empty")]
    pub statusfilter: CommaList<TaskOutcome>,
    /// Only tasks that failed.
    pub errors: Option<bool>,
    /// Only tasks that started at this time or later, in seconds since 1970.
    pub since: Option<u64>,
    /// Only tasks that started at this time or earlier, in seconds since 1970.
    pub until: Option<u64>,
    /// How many rows to skip.
    pub start: Option<u64>,
    /// How many rows at most; PVE's default is 50, and 0 is none at all.
    pub limit: Option<u64>,
}

/// Which tasks are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskSource {
    /// Those that ended.
    Archive,
    /// Those that run and a few that just ended.
    Active,
    /// Both.
    All,
}

open_text!(
    /// How a task ended, as `statusfilter` takes it.
    ///
    /// Source: pve-common `PVE/UPID.pm`, `status_to_type`.
    pub enum TaskOutcome {
        /// It succeeded.
        Ok = "ok",
        /// It succeeded with warnings.
        Warning = "warning",
        /// It failed.
        Error = "error",
        /// It runs, or nobody knows how it ended.
        Unknown = "unknown",
    }
);

/// Parameters of `GET /nodes/{node}/tasks/{upid}/log`. To follow a log, start at the number of lines already seen.
///
/// Source: pve-manager `PVE/API2/Tasks.pm`; recordings `task-log-limit`, `task-log-limit0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRange {
    /// How many lines to skip.
    pub start: Option<u64>,
    /// How many lines at most; PVE's default is 50, and 0 is all.
    pub limit: Option<u64>,
}

/// Parameters of `GET /cluster/resources`.
///
/// Source: pve-manager `PVE/API2/Cluster.pm`; recordings `get-resources-node`, `restorerunning-resources`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceFilter {
    /// Only this class.
    #[serde(rename = "type")]
    pub class: Option<ResourceClass>,
}

/// A class of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResourceClass {
    /// Guests, containers and virtual machines alike.
    Vm,
    /// Storages.
    Storage,
    /// Nodes.
    Node,
    /// Software-defined networks.
    Sdn,
}

/// Parameters of `GET /nodes/{node}/disks/list`.
///
/// Source: pve-storage `PVE/API2/Disks.pm`; recordings `get-disks-list-skipsmart`, `get-disks-list-smart`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskFilter {
    /// Whether partitions are listed as well.
    #[serde(rename = "include-partitions")]
    pub include_partitions: Option<bool>,
    /// Whether health is left out, which saves up to 10 s for each disk.
    pub skipsmart: Option<bool>,
    /// Only disks that can be used for this.
    #[serde(rename = "type")]
    pub usable_as: Option<DiskUse>,
}

/// What a disk can be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskUse {
    /// Anything: nobody uses it.
    Unused,
    /// A journal of Ceph.
    JournalDisks,
}

/// Parameters of `GET /access/permissions`.
///
/// Source: pve-access-control `PVE/API2/AccessControl.pm`; recordings `get-permissions-path`,
/// `get-permissions-other-token`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionFilter {
    /// Whose permissions: `user@realm` or `user@realm!token`. Others than one's own need `Sys.Audit` on `/access`.
    pub userid: Option<String>,
    /// Only this path, which need not be one that an ACL names.
    pub path: Option<String>,
}

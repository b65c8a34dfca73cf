//! Narrowing down lists.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::text::open_text;
use crate::{CommaList, ContentType, NodeName, StorageId, Vmid};

/// Parameters of `GET /nodes/{node}/storage/{storage}/content`.
///
/// Source: pve-storage `PVE/API2/Storage/Content.pm`; recording `content-local-backup-vmid`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentFilter {
    /// Only this kind of content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentType>,
    /// Only volumes of this guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vmid: Option<Vmid>,
}

/// Parameters of `GET /nodes/{node}/storage`.
///
/// Source: pve-storage `PVE/API2/Storage/Status.pm`; recordings `get-node-storage-format`, `storage-list-node-wide`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageFilter {
    /// Only this storage; an unknown one is status 400.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageId>,
    /// Only storages that may hold one of these.
    #[serde(default, skip_serializing_if = "CommaList::is_empty")]
    pub content: CommaList<ContentType>,
    /// Only storages that are switched on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Only storages that this node can reach as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<NodeName>,
    /// Whether the formats of the volumes are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<bool>,
}

/// Parameters of `GET /nodes/{node}/tasks`.
///
/// Source: pve-manager `PVE/API2/Tasks.pm`; recordings `get-tasks-*`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskFilter {
    /// Which tasks; PVE's default is the archive, which has no running one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<TaskSource>,
    /// Only tasks of this guest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vmid: Option<Vmid>,
    /// Only this kind of worker: `vzdump`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typefilter: Option<String>,
    /// Only tasks whose user contains this. Archived tasks of a token have the owner's name without the token's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userfilter: Option<String>,
    /// Only tasks that ended in one of these ways; ignored with `errors`.
    #[serde(default, skip_serializing_if = "CommaList::is_empty")]
    pub statusfilter: CommaList<TaskOutcome>,
    /// Only tasks that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<bool>,
    /// Only tasks that started at this time or later, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// Only tasks that started at this time or earlier, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// How many rows to skip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<u64>,
    /// How many rows at most; PVE's default is 50, and 0 is none at all.
    #[serde(skip_serializing_if = "Option::is_none")]
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
#[serde(deny_unknown_fields)]
pub struct LogRange {
    /// How many lines to skip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<u64>,
    /// How many lines at most; PVE's default is 50, and 0 is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// Parameters of `GET /cluster/resources`.
///
/// Source: pve-manager `PVE/API2/Cluster.pm`; recordings `get-resources-node`, `restorerunning-resources`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceFilter {
    /// Only this class.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
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
#[serde(deny_unknown_fields)]
pub struct DiskFilter {
    /// Whether partitions are listed as well.
    #[serde(rename = "include-partitions", skip_serializing_if = "Option::is_none")]
    pub include_partitions: Option<bool>,
    /// Whether health is left out, which saves up to 10 s for each disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipsmart: Option<bool>,
    /// Only disks that can be used for this.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
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
#[serde(deny_unknown_fields)]
pub struct PermissionFilter {
    /// Whose permissions: `user@realm` or `user@realm!token`. Others than one's own need `Sys.Audit` on `/access`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userid: Option<String>,
    /// Only this path, which need not be one that an ACL names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

#[cfg(test)]
mod tests {
    use core::fmt::Debug;

    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    fn reads_and_writes<T: DeserializeOwned + Serialize + Default + PartialEq + Debug>(sent: &Value) {
        let params: T = serde_json::from_value(sent.clone()).unwrap();
        assert_eq!(serde_json::to_value(params).unwrap(), *sent);
        assert_eq!(serde_json::to_value(T::default()).unwrap(), json!({}));
        let error = serde_json::from_value::<T>(json!({ "felhom": 1 })).unwrap_err();
        assert!(alloc::format!("{error}").starts_with("unknown field `felhom`"));
    }

    #[test]
    fn full_values_have_the_documented_keys_and_no_others() {
        reads_and_writes::<ContentFilter>(&json!({ "content": "backup", "vmid": 101 }));
        reads_and_writes::<StorageFilter>(&json!({
            "storage": "local", "content": "rootdir,images", "enabled": true, "target": "pve2", "format": true,
        }));
        reads_and_writes::<TaskFilter>(&json!({
            "source": "all", "vmid": 101, "typefilter": "vzdump", "userfilter": "felhom", "statusfilter": "ok,warning",
            "errors": false, "since": 1, "until": 2, "start": 0, "limit": 50,
        }));
        reads_and_writes::<LogRange>(&json!({ "start": 2, "limit": 3 }));
        reads_and_writes::<ResourceFilter>(&json!({ "type": "vm" }));
        reads_and_writes::<DiskFilter>(&json!({
            "include-partitions": true, "skipsmart": false, "type": "journal_disks",
        }));
        reads_and_writes::<PermissionFilter>(&json!({ "userid": "ops@pve!limited", "path": "/vms/100" }));
    }
}

//! Starting, stopping, changing, copying, moving and destroying a container, and its snapshots.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::lenient::loosely;
use crate::{
    CommaList, Digest, DiskSize, Hostname, LxcOptions, NodeName, PoolId, SnapshotName, StorageId, Vmid,
    VolumeKey,
};

/// Parameters of `POST /nodes/{node}/lxc/{vmid}/status/start`. Left out is `skiplock`, which is for root@pam.
///
/// Source: pve-container `PVE/API2/LXC/Status.pm`; recordings `lxc-start-ok`, `lxc-start-skiplock-token`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartParams {
    /// Whether the start is logged in detail.
    pub debug: Option<bool>,
}

/// Parameters of `POST /nodes/{node}/lxc/{vmid}/status/stop`. Left out is `skiplock`, which is for root@pam.
///
/// Source: pve-container `PVE/API2/LXC/Status.pm`; recording `stop-overrule`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StopParams {
    /// Whether running shutdown tasks of the container are aborted first; PVE's default is no.
    pub overrule_shutdown: Option<bool>,
}

/// Parameters of `POST /nodes/{node}/lxc/{vmid}/status/shutdown`.
///
/// Source: pve-container `PVE/API2/LXC/Status.pm`; recordings `lxc-shutdown-ok`, `shutdown-timeout`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShutdownParams {
    /// Seconds to wait; PVE's default is 60.
    pub timeout: Option<u32>,
    /// Whether a container that does not stop in time is stopped hard; else the task fails. PVE's default is no.
    pub force_stop: Option<bool>,
}

/// Parameters of `POST /nodes/{node}/lxc/{vmid}/status/reboot`.
///
/// Source: pve-container `PVE/API2/LXC/Status.pm`; recording `lxc-reboot-ok`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebootParams {
    /// Seconds to wait before the container is stopped hard.
    pub timeout: Option<u32>,
}

/// Parameters of `POST /nodes/{node}/lxc/{vmid}/snapshot` beside `snapname`.
///
/// Source: pve-container `PVE/API2/LXC/Snapshot.pm`; recordings `st-snapshot`, `snapshot-create-*`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotParams {
    /// Description. Comes back with a trailing newline.
    pub description: Option<String>,
}

/// Parameters of `PUT /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config`.
///
/// Source: pve-container `PVE/API2/LXC/Snapshot.pm`; recording `snapshot-config-put`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotConfigParams {
    /// Description. Without it nothing changes.
    pub description: Option<String>,
}

/// Parameters of `DELETE /nodes/{node}/lxc/{vmid}/snapshot/{snapname}`.
///
/// Source: pve-container `PVE/API2/LXC/Snapshot.pm`; recording `delsnap-vzdump-after-unlock`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteSnapshotParams {
    /// Whether it goes from the configuration even if deleting the snapshots of the volumes fails.
    pub force: Option<bool>,
}

/// Parameters of `POST /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback`. A running container is stopped hard.
///
/// Source: pve-container `PVE/API2/LXC/Snapshot.pm`; recording `rollback-start-snaponly`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackParams {
    /// Whether to start it afterwards, in a task of its own that may fail after this one succeeded.
    pub start: Option<bool>,
}

/// Parameters of `PUT /nodes/{node}/lxc/{vmid}/config`.
///
/// Of a running container some options change only with its next start; ask for its pending changes. An interface
/// without `hwaddr` gets a new MAC address. `delete` of `unusedN` destroys the volume. Left out is `skiplock`, which is
/// for root@pam.
///
/// Source: pve-container `PVE/API2/LXC/Config.pm`; recordings `config-put-*`, `pending-put-cmode`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SetConfigParams {
    /// Options that get another value.
    #[serde(flatten, deserialize_with = "loosely")]
    pub options: LxcOptions,
    /// Options that go back to PVE's default: `description`, `net1`. An unknown name is refused.
    #[serde(default, skip_serializing_if = "CommaList::is_empty")]
    pub delete: CommaList<String>,
    /// Options whose pending change is dropped.
    #[serde(default, skip_serializing_if = "CommaList::is_empty")]
    pub revert: CommaList<String>,
    /// Digest of the configuration that was read; if it is another by now, PVE changes nothing.
    pub digest: Option<Digest>,
}

/// Parameters of `POST /nodes/{node}/lxc/{vmid}/clone`. The copy gets new MAC addresses.
///
/// Source: pve-container `PVE/API2/LXC.pm`, `clone_vm`; recordings `clone-ok-full`, `clone-running-from-snap`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloneParams {
    /// The copy.
    pub newid: Vmid,
    /// Host name of the copy.
    pub hostname: Option<Hostname>,
    /// Description of the copy.
    pub description: Option<String>,
    /// Pool that the copy joins.
    pub pool: Option<PoolId>,
    /// Snapshot that is copied. A running container can only be copied from one.
    pub snapname: Option<SnapshotName>,
    /// Storage of the copy; only with `full`.
    pub storage: Option<StorageId>,
    /// Whether all data is copied. PVE's default is yes, except for a template, whose copies share its data.
    pub full: Option<bool>,
    /// Node of the copy, if all volumes are on shared storage.
    pub target: Option<NodeName>,
    /// Rate limit in KiB/s.
    pub bwlimit: Option<u64>,
}

impl CloneParams {
    /// A copy with PVE's defaults.
    pub const fn new(newid: Vmid) -> Self {
        Self {
            newid,
            hostname: None,
            description: None,
            pool: None,
            snapname: None,
            storage: None,
            full: None,
            target: None,
            bwlimit: None,
        }
    }
}

/// Parameters of `POST /nodes/{node}/lxc/{vmid}/migrate`. A running container needs `restart`.
///
/// Source: pve-container `PVE/API2/LXC.pm`, `migrate_vm`; recordings `migrate-*`, all refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct MigrateParams {
    /// The node.
    pub target: NodeName,
    /// Which storage goes where: `local-zfs:tank,local:local`, one id for all, or `1` for the same names.
    pub target_storage: Option<String>,
    /// Whether it moves while it runs, which PVE does not implement for containers.
    pub online: Option<bool>,
    /// Whether a running container is stopped here and started there.
    pub restart: Option<bool>,
    /// Seconds to wait for it to stop; PVE's default is 180.
    pub timeout: Option<u32>,
    /// Rate limit in KiB/s.
    pub bwlimit: Option<u64>,
}

impl MigrateParams {
    /// A move with PVE's defaults.
    pub const fn new(target: NodeName) -> Self {
        Self { target, target_storage: None, online: None, restart: None, timeout: None, bwlimit: None }
    }
}

/// Parameters of `DELETE /nodes/{node}/lxc/{vmid}`.
///
/// Whatever is set, PVE also removes the container from its pool and deletes the ACL entries on it.
///
/// Source: pve-container `PVE/API2/LXC.pm`, `destroy_vm`; recordings `lxc-delete-ok`, `lxc-delete-force-running`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DestroyParams {
    /// Whether a running container is stopped first; PVE's default is no.
    pub force: Option<bool>,
    /// Whether it is also removed from backup jobs, replication and high availability; PVE's default is no.
    pub purge: Option<bool>,
    /// Whether volumes that carry its number without being in its configuration go too, on every enabled storage.
    pub destroy_unreferenced_disks: Option<bool>,
}

/// Parameters of `PUT /nodes/{node}/lxc/{vmid}/resize`.
///
/// The task also succeeds if the volume grew and the file system on it did not.
///
/// Source: pve-container `PVE/API2/LXC.pm`, `resize_vm`; recordings `resize-ok`, `resize-shrink`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResizeParams {
    /// The volume; PVE refuses `unusedN`.
    pub disk: VolumeKey,
    /// Its new size, or how much it grows.
    pub size: DiskSize,
    /// Digest of the configuration that was read; if it is another by now, PVE changes nothing.
    pub digest: Option<Digest>,
}

/// Parameters of `POST /nodes/{node}/lxc/{vmid}/move_volume`. The container must be stopped.
///
/// Source: pve-container `PVE/API2/LXC.pm`, `move_volume`; recording `move-volume`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MoveVolumeParams {
    /// The volume.
    pub volume: VolumeKey,
    /// Where it goes.
    #[serde(flatten)]
    pub to: MoveTarget,
    /// Which option of the other container holds it; PVE's default is the same as here. Only with a container.
    pub target_volume: Option<VolumeKey>,
    /// Whether the old copy is deleted; else it stays as `unusedN`. Only with a storage; PVE's default is no.
    pub delete: Option<bool>,
    /// Digest of the configuration that was read; if it is another by now, PVE changes nothing.
    pub digest: Option<Digest>,
    /// Digest of the other container's configuration.
    pub target_digest: Option<Digest>,
    /// Rate limit in KiB/s.
    pub bwlimit: Option<u64>,
}

/// Where a volume goes: PVE takes exactly one of the two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MoveTarget {
    /// To another storage; sent as `storage`.
    #[serde(rename = "storage")]
    Storage(StorageId),
    /// To another container; sent as `target-vmid`.
    #[serde(rename = "target-vmid")]
    Container(Vmid),
}

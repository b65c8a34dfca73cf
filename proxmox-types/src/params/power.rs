//! Starting and stopping a container, and its snapshots.

use alloc::string::String;

use serde::{Deserialize, Serialize};

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

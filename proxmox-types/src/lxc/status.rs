//! What a container does right now.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::text::open_text;
use crate::{Lock, Tags, Vmid, lenient, scalar};

open_text!(
    /// Whether a guest runs.
    ///
    /// Source: pve-container `PVE/LXC.pm`, `vmstatus`; recording `get-cluster-resources` for `unknown`.
    pub enum GuestStatus {
        /// It runs; a frozen container counts as running.
        Running = "running",
        /// It does not run.
        Stopped = "stopped",
        /// Nothing is known yet; seen in the cluster's resources for some 10 s after the node booted.
        Unknown = "unknown",
    }
);

/// Status of a container: a row of `GET /nodes/{node}/lxc` and the answer of
/// `GET /nodes/{node}/lxc/{vmid}/status/current`.
///
/// Sizes and traffic are in bytes, times in seconds.
///
/// Source: pve-container `PVE/LXC.pm`, `vmstatus`; recordings `get-lxc-list`, `get-lxc-status-current-*`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LxcStatus {
    /// The container.
    pub vmid: Vmid,
    /// Always `lxc`.
    #[serde(
        default,
        rename = "type",
        deserialize_with = "lenient::scalar",
        skip_serializing_if = "Option::is_none"
    )]
    pub kind: Option<String>,
    /// Whether it runs.
    pub status: GuestStatus,
    /// Host name, or `CT` and the VMID while the configuration has none.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why its configuration is locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<Lock>,
    /// Tags.
    #[serde(default)]
    pub tags: Tags,
    /// Whether it is a template.
    #[serde(default, deserialize_with = "scalar::required")]
    pub template: bool,
    /// Seconds since its start, 0 when stopped. May be slightly negative just after the start.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub uptime: Option<i64>,
    /// Process id of its first process on the node; absent when stopped.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Used CPU time as a fraction of all cores, 0 to 1; 0 in the first answer of each server process.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Cores that it may use: `cores`, else `cpulimit`, else the cores of the node.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub cpus: Option<f64>,
    /// Used memory.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub mem: Option<u64>,
    /// Memory limit.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub maxmem: Option<u64>,
    /// Used swap.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub swap: Option<u64>,
    /// Swap limit; 0 if the configuration sets none.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub maxswap: Option<u64>,
    /// Used space of the root file system, 0 when stopped.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub disk: Option<u64>,
    /// Size of the root file system.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub maxdisk: Option<u64>,
    /// Read from disk since the start.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub diskread: Option<u64>,
    /// Written to disk since the start.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub diskwrite: Option<u64>,
    /// Received since the start.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub netin: Option<u64>,
    /// Sent since the start.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub netout: Option<u64>,
    /// Percent of time that some process waited for a CPU. Absent when stopped, null without kernel support.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub pressurecpusome: Option<f64>,
    /// Percent of time that all processes waited for a CPU.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub pressurecpufull: Option<f64>,
    /// Percent of time that some process waited for I/O.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub pressureiosome: Option<f64>,
    /// Percent of time that all processes waited for I/O.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub pressureiofull: Option<f64>,
    /// Percent of time that some process waited for memory.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub pressurememorysome: Option<f64>,
    /// Percent of time that all processes waited for memory.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub pressurememoryfull: Option<f64>,
    /// Whether high availability manages it; only in `status/current`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ha: Option<HaManagement>,
}

impl LxcStatus {
    /// Whether the container runs.
    pub fn is_running(&self) -> bool {
        self.status == GuestStatus::Running
    }
}

/// Whether high availability manages a guest. If so, start and stop only file a request.
///
/// Source: pve-container `PVE/API2/LXC/Status.pm`; recording `get-lxc-status-current-running`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HaManagement {
    /// Whether it is managed.
    #[serde(deserialize_with = "scalar::required")]
    pub managed: bool,
    /// State under the manager: `started`, `stopped`, `error`, ...
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

//! What a container does right now.

use alloc::string::String;

use serde::Deserialize;

use crate::text::open_text;
use crate::{Lock, Tags, Vmid, lenient::needed};

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
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct LxcStatus {
    /// The container.
    pub vmid: Vmid,
    /// Always `lxc`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Whether it runs.
    pub status: GuestStatus,
    /// Host name, or `CT` and the VMID while the configuration has none.
    pub name: Option<String>,
    /// Why its configuration is locked.
    #[serde(default, deserialize_with = "needed")]
    pub lock: Option<Lock>,
    /// Tags.
    #[serde(default)]
    pub tags: Tags,
    /// Whether it is a template.
    #[serde(default)]
    pub template: bool,
    /// Seconds since its start, 0 when stopped. May be slightly negative just after the start.
    pub uptime: Option<i64>,
    /// Process id of its first process on the node; absent when stopped.
    pub pid: Option<u32>,
    /// Used CPU time as a fraction of all cores, 0 to 1; 0 in the first answer of each server process.
    pub cpu: Option<f64>,
    /// Cores that it may use: `cores`, else `cpulimit`, else the cores of the node.
    pub cpus: Option<f64>,
    /// Used memory.
    pub mem: Option<u64>,
    /// Memory limit.
    pub maxmem: Option<u64>,
    /// Used swap.
    pub swap: Option<u64>,
    /// Swap limit; 0 if the configuration sets none.
    pub maxswap: Option<u64>,
    /// Used space of the root file system, 0 when stopped.
    pub disk: Option<u64>,
    /// Size of the root file system.
    pub maxdisk: Option<u64>,
    /// Read from disk since the start.
    pub diskread: Option<u64>,
    /// Written to disk since the start.
    pub diskwrite: Option<u64>,
    /// Received since the start.
    pub netin: Option<u64>,
    /// Sent since the start.
    pub netout: Option<u64>,
    /// Percent of time that some process waited for a CPU. Absent when stopped, null without kernel support.
    pub pressurecpusome: Option<f64>,
    /// Percent of time that all processes waited for a CPU.
    pub pressurecpufull: Option<f64>,
    /// Percent of time that some process waited for I/O.
    pub pressureiosome: Option<f64>,
    /// Percent of time that all processes waited for I/O.
    pub pressureiofull: Option<f64>,
    /// Percent of time that some process waited for memory.
    pub pressurememorysome: Option<f64>,
    /// Percent of time that all processes waited for memory.
    pub pressurememoryfull: Option<f64>,
    /// Whether high availability manages it; only in `status/current`.
    #[serde(default, deserialize_with = "needed")]
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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct HaManagement {
    /// Whether it is managed.
    pub managed: bool,
    /// State under the manager: `started`, `stopped`, `error`, ...
    pub state: Option<String>,
}

//! What a node does right now.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::lenient;

/// Answer of `GET /nodes/{node}/status`.
///
/// Source: pve-manager `PVE/API2/Nodes.pm`; recordings `get-node-status.root`, `node-status-types`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeStatus {
    /// Version as `pve-manager/9.2.11/COMMIT`.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub pveversion: Option<String>,
    /// Seconds since it booted.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub uptime: Option<i64>,
    /// Used CPU time as a fraction of all cores, 0 to 1; 0 in the first answer of each server process.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Time spent waiting for I/O as a fraction, 0 to 1.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub wait: Option<f64>,
    /// Load over 1, 5 and 15 minutes. Arrives as strings.
    #[serde(default, deserialize_with = "lenient::list")]
    pub loadavg: Vec<f64>,
    /// Memory.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub memory: Usage,
    /// Swap.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub swap: Usage,
    /// Root file system.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub rootfs: Usage,
    /// Memory shared between virtual machines.
    #[serde(default, deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub ksm: Option<Ksm>,
    /// The processors.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub cpuinfo: CpuInfo,
    /// The kernel on one line.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub kversion: Option<String>,
    /// The kernel.
    #[serde(
        default,
        rename = "current-kernel",
        deserialize_with = "lenient::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub current_kernel: Option<Kernel>,
    /// How it booted.
    #[serde(
        default,
        rename = "boot-info",
        deserialize_with = "lenient::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub boot_info: Option<BootInfo>,
}

/// A size in bytes and how much of it is used.
///
/// Source: pve-common `PVE/ProcFSTools.pm`, `read_meminfo`, and pve-manager `PVE/API2/Nodes.pm`; recording
/// `get-node-status.root`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Usage {
    /// All of it.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// What is used.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
    /// What is not used.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub free: Option<u64>,
    /// What a program could still get: caches count for memory, reserved blocks do not for a file system.
    #[serde(
        default,
        alias = "avail",
        deserialize_with = "lenient::scalar",
        skip_serializing_if = "Option::is_none"
    )]
    pub available: Option<u64>,
}

/// Memory shared between virtual machines.
///
/// Source: pve-common `PVE/ProcFSTools.pm`, `read_meminfo`; recording `get-node-status.root`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ksm {
    /// Shared bytes.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub shared: Option<u64>,
}

/// The processors of a node.
///
/// Source: pve-common `PVE/ProcFSTools.pm`, `read_cpuinfo`; recording `get-node-status.root`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CpuInfo {
    /// Model.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Logical processors.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub cpus: Option<u32>,
    /// Cores.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub cores: Option<u32>,
    /// Sockets.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub sockets: Option<u32>,
    /// Clock in MHz. Arrives as a string.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub mhz: Option<f64>,
    /// Vendor.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Family. Arrives as a string.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Feature flags joined by blanks.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub flags: Option<String>,
    /// Whether virtual machines can run. Arrives as `"1"` or as an empty string.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub hvm: Option<bool>,
    /// Clock ticks per second, as in `/proc`.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub user_hz: Option<u32>,
}

/// The kernel of a node, as `uname` says.
///
/// Source: pve-manager `PVE/API2/Nodes.pm`; recording `get-node-status.root`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Kernel {
    /// `Linux`.
    pub sysname: String,
    /// Release.
    pub release: String,
    /// When and how it was built.
    pub version: String,
    /// Architecture.
    pub machine: String,
}

/// How a node booted.
///
/// Source: pve-manager `PVE/API2/Nodes.pm`; recording `get-node-status.root` for `mode`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BootInfo {
    /// `efi` or `legacy-bios`.
    pub mode: String,
    /// Whether secure boot is on; only with `efi`.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub secureboot: Option<bool>,
}

//! What a node does right now.

use alloc::string::String;
use alloc::vec::Vec;

use crate::lenient::or_default;
use serde::Deserialize;

/// Answer of `GET /nodes/{node}/status`.
///
/// Source: pve-manager `PVE/API2/Nodes.pm`; recordings `get-node-status.root`, `node-status-types`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct NodeStatus {
    /// Version as `pve-manager/9.2.11/COMMIT`.
    pub pveversion: Option<String>,
    /// Seconds since it booted.
    pub uptime: Option<i64>,
    /// Used CPU time as a fraction of all cores, 0 to 1; 0 in the first answer of each server process.
    pub cpu: Option<f64>,
    /// Time spent waiting for I/O as a fraction, 0 to 1.
    pub wait: Option<f64>,
    /// Load over 1, 5 and 15 minutes. Arrives as strings.
    #[serde(default, deserialize_with = "or_default")]
    pub loadavg: Vec<f64>,
    /// Memory.
    #[serde(default, deserialize_with = "or_default")]
    pub memory: Usage,
    /// Swap.
    #[serde(default, deserialize_with = "or_default")]
    pub swap: Usage,
    /// Root file system.
    #[serde(default, deserialize_with = "or_default")]
    pub rootfs: Usage,
    /// Memory shared between virtual machines.
    pub ksm: Option<Ksm>,
    /// The processors.
    #[serde(default, deserialize_with = "or_default")]
    pub cpuinfo: CpuInfo,
    /// The kernel on one line.
    pub kversion: Option<String>,
    /// The kernel.
    #[serde(rename = "current-kernel")]
    pub current_kernel: Option<Kernel>,
    /// How it booted.
    #[serde(rename = "boot-info")]
    pub boot_info: Option<BootInfo>,
}

/// A size in bytes and how much of it is used.
///
/// Source: pve-common `PVE/ProcFSTools.pm`, `read_meminfo`, and pve-manager `PVE/API2/Nodes.pm`; recording
/// `get-node-status.root`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Usage {
    /// All of it.
    pub total: Option<u64>,
    /// What is used.
    pub used: Option<u64>,
    /// What is not used.
    pub free: Option<u64>,
    /// What a program could still get: caches count for memory, reserved blocks do not for a file system.
    #[serde(alias = "avail")]
    pub available: Option<u64>,
}

/// Memory shared between virtual machines.
///
/// Source: pve-common `PVE/ProcFSTools.pm`, `read_meminfo`; recording `get-node-status.root`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Ksm {
    /// Shared bytes.
    pub shared: Option<u64>,
}

/// The processors of a node.
///
/// Source: pve-common `PVE/ProcFSTools.pm`, `read_cpuinfo`; recording `get-node-status.root`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct CpuInfo {
    /// Model.
    pub model: Option<String>,
    /// Logical processors.
    pub cpus: Option<u32>,
    /// Cores.
    pub cores: Option<u32>,
    /// Sockets.
    pub sockets: Option<u32>,
    /// Clock in MHz. Arrives as a string.
    pub mhz: Option<f64>,
    /// Vendor.
    pub vendor: Option<String>,
    /// Family. Arrives as a string.
    pub family: Option<String>,
    /// Feature flags joined by blanks.
    pub flags: Option<String>,
    /// Whether virtual machines can run. Arrives as `"1"` or as an empty string.
    pub hvm: Option<bool>,
    /// Clock ticks per second, as in `/proc`.
    pub user_hz: Option<u32>,
}

/// The kernel of a node, as `uname` says.
///
/// Source: pve-manager `PVE/API2/Nodes.pm`; recording `get-node-status.root`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct BootInfo {
    /// `efi` or `legacy-bios`.
    pub mode: String,
    /// Whether secure boot is on; only with `efi`.
    pub secureboot: Option<bool>,
}

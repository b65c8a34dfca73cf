//! The shapes of a node.

mod backup;
mod disk;
mod network;
mod status;

pub use backup::{BackupMode, BackupOptions, Compression, VzdumpDefaults};
pub use disk::{Disk, DiskHealth, SmartAttribute, Wearout};
pub use network::NetworkInterface;
pub use status::{BootInfo, CpuInfo, Kernel, Ksm, NodeStatus, Usage};

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use crate::lenient::or_default;
use crate::text::open_text;
use crate::{Fingerprint, NodeName};

open_text!(
    /// Whether a node can be reached.
    ///
    /// Source: pve-manager `PVE/API2Tools.pm`, `extract_node_stats`; recording `get-nodes`.
    pub enum NodeState {
        /// It is part of the cluster.
        Online = "online",
        /// It is not.
        Offline = "offline",
        /// Its statistics have not arrived.
        Unknown = "unknown",
    }
);

/// A row of `GET /nodes`. Every node is listed; the numbers need `Sys.Audit` on it and are up to 10 s old.
///
/// Sizes are in bytes.
///
/// Source: pve-manager `PVE/API2/Nodes.pm`; recordings `get-nodes`, `get-nodes.none`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct NodeEntry {
    /// The node.
    pub node: NodeName,
    /// Whether it can be reached.
    pub status: NodeState,
    /// Subscription level; empty without one.
    pub level: Option<String>,
    /// Fingerprint of the certificate that it serves.
    pub ssl_fingerprint: Option<Fingerprint>,
    /// Seconds since it booted.
    pub uptime: Option<i64>,
    /// Used CPU time as a fraction of all cores, 0 to 1.
    pub cpu: Option<f64>,
    /// Cores.
    pub maxcpu: Option<u32>,
    /// Used memory.
    pub mem: Option<u64>,
    /// Memory.
    pub maxmem: Option<u64>,
    /// Used space of the root file system.
    pub disk: Option<u64>,
    /// Size of the root file system.
    pub maxdisk: Option<u64>,
}

/// Answer of `GET /nodes/{node}/time`.
///
/// Source: pve-manager `PVE/API2/Nodes.pm`; recording `get-node-time`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct NodeTime {
    /// Seconds since 1970, UTC.
    pub time: u64,
    /// Seconds since 1970 with the offset of the time zone added.
    pub localtime: Option<u64>,
    /// Time zone: `Etc/UTC`.
    pub timezone: String,
}

/// A row of `GET /nodes/{node}/services`.
///
/// Source: pve-manager `PVE/API2/Services.pm`; recording `get-node-services`, from a server without systemd.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Service {
    /// Name that PVE uses: `pveproxy`.
    pub service: String,
    /// Name of the unit.
    pub name: String,
    /// Description of the unit.
    pub desc: String,
    /// State in detail: `running`, `dead`, `exited`, ...
    pub state: String,
    /// State as systemd sums it up: `active`, `inactive`, `failed`, ...
    pub active_state: String,
    /// Whether it starts with the node: `enabled`, `disabled`, `masked`, `not-found`, ...
    pub unit_state: String,
}

impl Service {
    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.state == "running"
    }
}

/// A row of `GET /nodes/{node}/certificates/info`: one file of those that exist.
///
/// `pveproxy-ssl.pem` is served if it exists, else `pve-ssl.pem`; `pve-root-ca.pem` signed the latter.
///
/// Source: pve-manager `PVE/API2/Certificates.pm`; recording `get-certificates-info.root`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Certificate {
    /// Name of the file.
    pub filename: Option<String>,
    /// SHA-256 of the certificate.
    pub fingerprint: Option<Fingerprint>,
    /// Whose it is: `/OU=PVE Cluster Node/...`.
    pub subject: Option<String>,
    /// Who signed it.
    pub issuer: Option<String>,
    /// Start of its validity in seconds since 1970.
    pub notbefore: Option<u64>,
    /// End of its validity in seconds since 1970.
    pub notafter: Option<u64>,
    /// Names and addresses that it is valid for.
    #[serde(default, deserialize_with = "or_default")]
    pub san: Vec<String>,
    /// The certificate in PEM.
    pub pem: Option<String>,
    /// Kind of its key: `rsaEncryption`.
    pub public_key_type: Option<String>,
    /// Size of its key.
    pub public_key_bits: Option<u32>,
}

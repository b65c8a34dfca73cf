//! What a container does right now.

use alloc::string::String;

use serde::Deserialize;

use crate::lenient::{needed, or_default};
use crate::text::open_text;
use crate::{Rows, Tags, Vmid};

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

open_text!(
    /// Why a container's configuration is locked: an operation runs, or one was killed.
    ///
    /// No API call removes a lock; root does it with `pct unlock`.
    ///
    /// Source: pve-container `PVE/LXC/Config.pm`, option `lock`; recordings `locked-*`, `restorerunning-config`.
    pub enum Lock {
        /// A backup runs.
        Backup = "backup",
        /// The container is being created or restored; its configuration has nothing but this lock.
        Create = "create",
        /// The container is being destroyed.
        Destroyed = "destroyed",
        /// A volume is being copied: the container is the source of a clone or moves a volume.
        Disk = "disk",
        /// Unused blocks are being discarded.
        Fstrim = "fstrim",
        /// The container moves to another node.
        Migrate = "migrate",
        /// The volumes are mounted on the host.
        Mounted = "mounted",
        /// A rollback runs.
        Rollback = "rollback",
        /// A snapshot is being taken.
        Snapshot = "snapshot",
        /// A snapshot is being deleted.
        SnapshotDelete = "snapshot-delete",
    }
);

/// A row of `GET /nodes/{node}/lxc/{vmid}/interfaces`, whose answer is null for a stopped container.
///
/// Source: pve-container `PVE/LXC.pm`, `get_interfaces`; recordings `get-lxc-interfaces`,
/// `get-lxc-interfaces-stopped`. The addresses are from the schema: no recorded container had one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct LxcInterface {
    /// Name inside the container, `eth0`.
    pub name: String,
    /// MAC address in lower case. Absent or null on interfaces without one, such as those of tunnels.
    pub hwaddr: Option<String>,
    /// The same, by a newer name.
    #[serde(rename = "hardware-address")]
    pub hardware_address: Option<String>,
    /// First IPv4 address in CIDR notation.
    pub inet: Option<String>,
    /// First IPv6 address in CIDR notation.
    pub inet6: Option<String>,
    /// All addresses.
    #[serde(default, rename = "ip-addresses", deserialize_with = "or_default")]
    pub ip_addresses: Rows<IpAddress>,
}

/// An address of a container's interface.
///
/// Source: the schema of `GET /nodes/{node}/lxc/{vmid}/interfaces`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct IpAddress {
    /// The address without its prefix length.
    pub ip_address: Option<String>,
    /// `inet` or `inet6`.
    pub ip_address_type: Option<String>,
    /// Length of the network's prefix in bits.
    pub prefix: Option<u8>,
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_interface_without_an_address_of_its_own_is_read_beside_the_others() {
        let odd = [
            json!({ "name": "tailscale0", "hwaddr": null, "inet": "100.64.0.1/32" }),
            json!({ "name": "wg0", "inet": "10.0.0.1/24" }),
            json!({ "name": "tun0", "hwaddr": "", "hardware-address": "" }),
            json!({ "name": "ib0", "hwaddr": "80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:28:8a:11" }),
            json!({ "name": "sit0", "hwaddr": [], "ip-addresses": null }),
            json!({ "name": "gre0", "hardware-address": "00:00:00:00", "ip-addresses": [{ "prefix": 300 }, 7] }),
        ];
        for row in odd {
            let list = json!([{ "name": "lo", "hwaddr": "00:00:00:00:00:00" }, row]);
            let read: Vec<LxcInterface> = crate::lenient::from_value(&list).unwrap();
            assert_eq!((read.len(), &Value::from(read[1].name.as_str())), (2, &row["name"]));
        }
    }
}

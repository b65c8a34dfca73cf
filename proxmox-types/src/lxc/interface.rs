//! Network interfaces as a running container sees them.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::lenient;

/// A row of `GET /nodes/{node}/lxc/{vmid}/interfaces`, whose answer is null for a stopped container.
///
/// Source: pve-container `PVE/LXC.pm`, `get_interfaces`; recordings `get-lxc-interfaces`,
/// `get-lxc-interfaces-stopped`. The addresses are from the schema: no recorded container had one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LxcInterface {
    /// Name inside the container, `eth0`.
    pub name: String,
    /// MAC address in lower case.
    pub hwaddr: String,
    /// First IPv4 address in CIDR notation.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub inet: Option<String>,
    /// First IPv6 address in CIDR notation.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub inet6: Option<String>,
    /// All addresses.
    #[serde(default, rename = "ip-addresses")]
    pub ip_addresses: Vec<IpAddress>,
}

/// An address of a container's interface.
///
/// Source: the schema of `GET /nodes/{node}/lxc/{vmid}/interfaces`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct IpAddress {
    /// The address without its prefix length.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// `inet` or `inet6`.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub ip_address_type: Option<String>,
    /// Length of the network's prefix in bits.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub prefix: Option<u8>,
}

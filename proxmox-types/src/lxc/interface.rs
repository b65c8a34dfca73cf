//! Network interfaces as a running container sees them.

use alloc::string::String;

use serde::Deserialize;

use crate::{Rows, lenient::or_default};

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

//! Network interfaces of a node.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::lenient;

/// A row of `GET /nodes/{node}/network`. The keys of Open vSwitch, VXLAN and bond details are left out.
///
/// Source: pve-manager `PVE/API2/Network.pm`; recording `get-node-network` for what is not an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NetworkInterface {
    /// Name: `vmbr0`.
    pub iface: String,
    /// Kind: `bridge`, `bond`, `eth`, `alias`, `vlan`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it is up.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Whether the hardware exists; only on physical interfaces.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
    /// Whether it comes up with the node.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub autostart: Option<bool>,
    /// Address families: `inet`, `inet6`.
    #[serde(default, deserialize_with = "lenient::list", skip_serializing_if = "Vec::is_empty")]
    pub families: Vec<String>,
    /// How it gets its IPv4 address: `static`, `dhcp`, `manual`, ...
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// How it gets its IPv6 address.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub method6: Option<String>,
    /// IPv4 address.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// IPv4 netmask, dotted or as a prefix length.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub netmask: Option<String>,
    /// IPv4 address in CIDR notation.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub cidr: Option<String>,
    /// IPv4 gateway.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// IPv6 address.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub address6: Option<String>,
    /// Length of the IPv6 prefix in bits.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub netmask6: Option<u8>,
    /// IPv6 address in CIDR notation.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub cidr6: Option<String>,
    /// IPv6 gateway.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub gateway6: Option<String>,
    /// Ports of a bridge, joined by blanks.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub bridge_ports: Option<String>,
    /// Whether a bridge runs the spanning tree protocol: `on` or `off`.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub bridge_stp: Option<String>,
    /// Forward delay of a bridge in seconds. Arrives as a string.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub bridge_fd: Option<u32>,
    /// Whether a bridge knows VLANs.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub bridge_vlan_aware: Option<bool>,
    /// VLANs of a bridge that knows them: `2-4094`, several joined by blanks or commas.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub bridge_vids: Option<String>,
    /// Lines of the configuration file that PVE hands on as they are: `post-up ...`.
    #[serde(default, deserialize_with = "lenient::list", skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Mode of a bond.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub bond_mode: Option<String>,
    /// Interfaces of a bond, joined by blanks.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub slaves: Option<String>,
    /// Tag of a VLAN.
    #[serde(
        default,
        rename = "vlan-id",
        deserialize_with = "lenient::scalar",
        skip_serializing_if = "Option::is_none"
    )]
    pub vlan_id: Option<u16>,
    /// Interface below a VLAN.
    #[serde(
        default,
        rename = "vlan-raw-device",
        deserialize_with = "lenient::scalar",
        skip_serializing_if = "Option::is_none"
    )]
    pub vlan_raw_device: Option<String>,
    /// Largest packet in bytes.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u16>,
    /// Position in the configuration file.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// Comment.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub comments: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn vlans_and_lines_of_the_file_are_read_in_every_form() {
        let cases = [
            (json!("2-4094"), json!(["post-up x"]), Some("2-4094"), 1),
            (
                json!("2 7 100-200"),
                json!(["mtu 9000", "post-up ip route add 192.0.2.0/24 dev vmbr0"]),
                Some("2 7 100-200"),
                2,
            ),
            (json!(7), json!([]), Some("7"), 0),
            (json!("2,3"), json!([1500]), Some("2,3"), 1),
            (Value::Null, Value::Null, None, 0),
            (json!(["2"]), json!("post-up x"), None, 0),
            (json!({}), json!([["post-up"]]), None, 0),
        ];
        for (vids, options, read, lines) in cases {
            let bridge: NetworkInterface = serde_json::from_value(json!({
                "iface": "vmbr0", "type": "bridge", "bridge_vlan_aware": 1, "bridge_vids": vids, "options": options,
            }))
            .unwrap();
            assert_eq!(
                (bridge.bridge_vids.as_deref(), bridge.options.len()),
                (read, lines),
                "{vids} {options}"
            );
        }
    }
}

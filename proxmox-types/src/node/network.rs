//! Network interfaces of a node.

use alloc::string::String;
use alloc::vec::Vec;

use crate::lenient::or_default;
use serde::Deserialize;

/// A row of `GET /nodes/{node}/network`. The keys of Open vSwitch, VXLAN and bond details are left out.
///
/// Source: pve-manager `PVE/API2/Network.pm`; recording `get-node-network` for what is not an address.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct NetworkInterface {
    /// Name: `vmbr0`.
    pub iface: String,
    /// Kind: `bridge`, `bond`, `eth`, `alias`, `vlan`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it is up.
    pub active: Option<bool>,
    /// Whether the hardware exists; only on physical interfaces.
    pub exists: Option<bool>,
    /// Whether it comes up with the node.
    pub autostart: Option<bool>,
    /// Address families: `inet`, `inet6`.
    #[serde(default, deserialize_with = "or_default")]
    pub families: Vec<String>,
    /// How it gets its IPv4 address: `static`, `dhcp`, `manual`, ...
    pub method: Option<String>,
    /// How it gets its IPv6 address.
    pub method6: Option<String>,
    /// IPv4 address.
    pub address: Option<String>,
    /// IPv4 netmask, dotted or as a prefix length.
    pub netmask: Option<String>,
    /// IPv4 address in CIDR notation.
    pub cidr: Option<String>,
    /// IPv4 gateway.
    pub gateway: Option<String>,
    /// IPv6 address.
    pub address6: Option<String>,
    /// Length of the IPv6 prefix in bits.
    pub netmask6: Option<u8>,
    /// IPv6 address in CIDR notation.
    pub cidr6: Option<String>,
    /// IPv6 gateway.
    pub gateway6: Option<String>,
    /// Ports of a bridge, joined by blanks.
    pub bridge_ports: Option<String>,
    /// Whether a bridge runs the spanning tree protocol: `on` or `off`.
    pub bridge_stp: Option<String>,
    /// Forward delay of a bridge in seconds. Arrives as a string.
    pub bridge_fd: Option<u32>,
    /// Whether a bridge knows VLANs.
    pub bridge_vlan_aware: Option<bool>,
    /// VLANs of a bridge that knows them: `2-4094`, several joined by blanks or commas.
    pub bridge_vids: Option<String>,
    /// Lines of the configuration file that PVE hands on as they are: `post-up ...`.
    #[serde(default, deserialize_with = "or_default")]
    pub options: Vec<String>,
    /// Mode of a bond.
    pub bond_mode: Option<String>,
    /// Interfaces of a bond, joined by blanks.
    pub slaves: Option<String>,
    /// Tag of a VLAN.
    #[serde(rename = "vlan-id")]
    pub vlan_id: Option<u16>,
    /// Interface below a VLAN.
    #[serde(rename = "vlan-raw-device")]
    pub vlan_raw_device: Option<String>,
    /// Largest packet in bytes.
    pub mtu: Option<u16>,
    /// Position in the configuration file.
    pub priority: Option<i64>,
    /// Comment.
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
            let bridge: NetworkInterface = crate::lenient::from_value(&json!({
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

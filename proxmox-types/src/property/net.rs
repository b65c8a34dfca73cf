//! Network interfaces of a container: `netN`.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{OtherKeys, PropertyString, list};

/// A network interface of a container.
///
/// PVE replaces the string as a whole, so keep `hwaddr` when changing something else: without it the container gets a
/// new random MAC address.
///
/// Source: pve-container `PVE/LXC/Config.pm`, `$netconf_desc`; recording `get-lxc-config-100`.
///
/// ```
/// # use proxmox_types::property::{Property, net::Net};
/// let net: Property<Net> = "name=eth0,bridge=vmbr0,ip=dhcp".parse()?;
/// assert_eq!(net.into_inner().bridge.as_deref(), Some("vmbr0"));
/// # Ok::<(), proxmox_types::property::PropertyError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Net {
    /// Name inside the container, `eth0`.
    pub name: String,
    /// Bridge on the node. Setting one needs `SDN.Use` on `/sdn/zones/localnetwork/{bridge}`.
    pub bridge: Option<String>,
    /// MAC address, unicast.
    pub hwaddr: Option<String>,
    /// IPv4 address in CIDR notation, `dhcp` or `manual`.
    pub ip: Option<String>,
    /// IPv4 gateway.
    pub gw: Option<String>,
    /// IPv6 address in CIDR notation, `auto`, `dhcp` or `manual`.
    pub ip6: Option<String>,
    /// IPv6 gateway.
    pub gw6: Option<String>,
    /// Whether the PVE firewall filters this interface.
    pub firewall: Option<bool>,
    /// VLAN tag, 1 to 4094.
    pub tag: Option<u16>,
    /// VLANs that pass through.
    #[serde(default, with = "list", skip_serializing_if = "Vec::is_empty")]
    pub trunks: Vec<String>,
    /// Rate limit in MB/s.
    pub rate: Option<f64>,
    /// Largest packet in bytes, 64 to 65535.
    pub mtu: Option<u16>,
    /// Whether the cable is pulled.
    pub link_down: Option<bool>,
    /// Whether the host configures the interface instead of the container.
    #[serde(rename = "host-managed")]
    pub host_managed: Option<bool>,
    /// Kind of interface; PVE knows only `veth`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Keys that this version does not know.
    #[serde(flatten)]
    pub other: OtherKeys,
}

impl PropertyString for Net {
    const DEFAULT_KEY: Option<&'static str> = None;
}

#[cfg(test)]
mod tests {
    use super::super::{parse, print};
    use super::*;

    #[test]
    fn every_key_of_an_interface_is_read_and_written() {
        let text = "bridge=vmbr0,firewall=1,gw=192.0.2.1,gw6=2001:db8::1,host-managed=0,hwaddr=BC:24:11:2C:02:F5,\
                    ip=192.0.2.5/24,ip6=auto,link_down=1,mtu=1400,name=eth0,rate=12.5,tag=7,trunks=1;2,type=veth";
        let net: Net = parse(text).unwrap();
        assert!(net.other.is_empty());
        assert_eq!(print(&net).unwrap(), text);
    }
}

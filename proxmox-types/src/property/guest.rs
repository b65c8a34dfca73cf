//! Options of a container: `netN`, `devN`, `features`, `startup`.

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
/// # use proxmox_types::property::{Net, Property};
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

/// A device node of the host that the container sees. Only root@pam may set one.
///
/// Source: pve-container `PVE/LXC/Config.pm`, `$dev_desc`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Path below `/dev` on the host.
    pub path: String,
    /// Access mode as four octal digits, `0660`.
    pub mode: Option<String>,
    /// Owner inside the container.
    pub uid: Option<u32>,
    /// Group inside the container.
    pub gid: Option<u32>,
    /// Forbids writing; PVE's default is no.
    #[serde(rename = "deny-write")]
    pub deny_write: Option<bool>,
    /// Keys that this version does not know.
    #[serde(flatten)]
    pub other: OtherKeys,
}

impl PropertyString for Device {
    const DEFAULT_KEY: Option<&'static str> = Some("path");
}

/// Kernel features that a container may use; all are off by default.
///
/// An API token may only switch `nesting`, and only on an unprivileged container; everything else is for root@pam.
/// A restore keeps the features of the backup as long as none are passed.
///
/// Source: pve-container `PVE/LXC/Config.pm`; recordings `config-put-keyctl-token`, `golden-restore-*`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features {
    /// Lets the container run containers of its own.
    pub nesting: Option<bool>,
    /// Allows the `keyctl` system call, which Docker inside an unprivileged container needs.
    pub keyctl: Option<bool>,
    /// Allows FUSE file systems.
    pub fuse: Option<bool>,
    /// Allows `mknod` for some devices.
    pub mknod: Option<bool>,
    /// Mounts `/sys` read-write in an unprivileged container.
    pub force_rw_sys: Option<bool>,
    /// File system types that the container may mount.
    #[serde(default, with = "list", skip_serializing_if = "Vec::is_empty")]
    pub mount: Vec<String>,
    /// Keys that this version does not know.
    #[serde(flatten)]
    pub other: OtherKeys,
}

impl PropertyString for Features {
    const DEFAULT_KEY: Option<&'static str> = None;
}

/// Order and delays of a guest's start and stop with its node.
///
/// Source: pve-common `PVE/JSONSchema.pm`, format `pve-startup-order`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Startup {
    /// Lower numbers start first and stop last; without one a guest starts after all that have one.
    pub order: Option<u32>,
    /// Seconds to wait after its start before the next guest starts.
    pub up: Option<u32>,
    /// Seconds to wait for it to stop.
    pub down: Option<u32>,
    /// Keys that this version does not know.
    #[serde(flatten)]
    pub other: OtherKeys,
}

impl PropertyString for Startup {
    const DEFAULT_KEY: Option<&'static str> = Some("order");
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

    #[test]
    fn devices_keep_their_octal_mode() {
        let text = "/dev/ttyUSB0,gid=20,mode=0660";
        let device: Device = parse(text).unwrap();
        assert_eq!(
            (device.mode.as_deref(), device.gid, print(&device).unwrap()),
            (Some("0660"), Some(20), text.into())
        );
    }

    #[test]
    fn features_read_and_write_the_golden_image() {
        let features: Features = parse("nesting=1,keyctl=1").unwrap();
        assert_eq!((features.nesting, features.keyctl, features.fuse), (Some(true), Some(true), None));
        assert_eq!(print(&features).unwrap(), "keyctl=1,nesting=1");
    }

    #[test]
    fn mountable_file_systems_are_a_list() {
        let features: Features = parse("mount=nfs;cifs").unwrap();
        assert_eq!(
            (features.mount.join(" "), print(&features).unwrap()),
            ("nfs cifs".into(), "mount=nfs;cifs".into())
        );
    }

    #[test]
    fn the_order_may_stand_alone() {
        let startup: Startup = parse("order=2,up=30,down=60").unwrap();
        assert_eq!((startup.order, print(&startup).unwrap()), (Some(2), "2,down=60,up=30".into()));
    }
}

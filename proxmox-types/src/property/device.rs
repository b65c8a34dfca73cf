//! Devices passed through to a container: `devN`.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::{OtherKeys, PropertyString};

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

#[cfg(test)]
mod tests {
    use super::super::{parse, print};
    use super::*;

    #[test]
    fn devices_keep_their_octal_mode() {
        let text = "/dev/ttyUSB0,gid=20,mode=0660";
        let device: Device = parse(text).unwrap();
        assert_eq!(
            (device.mode.as_deref(), device.gid, print(&device).unwrap()),
            (Some("0660"), Some(20), text.into())
        );
    }
}

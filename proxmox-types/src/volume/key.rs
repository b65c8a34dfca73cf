//! Volumes of a container by the option that holds them.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Malformed;
use crate::property::index_of;

/// A volume of a container: `rootfs`, `mp0` to `mp255`, `unused0` to `unused255`.
///
/// Source: pve-container `PVE/LXC/Config.pm`, `valid_volume_keys_with_unused`.
///
/// ```
/// # use proxmox_types::VolumeKey;
/// assert!("rootfs".parse::<VolumeKey>().is_ok() && "mp0".parse::<VolumeKey>().is_ok());
/// assert!("net0".parse::<VolumeKey>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum VolumeKey {
    /// The root file system.
    RootFs,
    /// A mount point.
    MountPoint(u8),
    /// A volume that was taken out. It can be moved, not resized.
    Unused(u8),
}

impl FromStr for VolumeKey {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let index = |option| index_of(text, option).and_then(|index| u8::try_from(index).ok());
        match (text, index("mp"), index("unused")) {
            ("rootfs", ..) => Ok(Self::RootFs),
            (_, Some(index), _) => Ok(Self::MountPoint(index)),
            (_, _, Some(index)) => Ok(Self::Unused(index)),
            _ => Err(Malformed::new(
                "a volume of a container",
                text,
                "rootfs, mp0 to mp255 or unused0 to unused255",
            )),
        }
    }
}

impl fmt::Display for VolumeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RootFs => f.write_str("rootfs"),
            Self::MountPoint(index) => write!(f, "mp{index}"),
            Self::Unused(index) => write!(f, "unused{index}"),
        }
    }
}

impl TryFrom<String> for VolumeKey {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<VolumeKey> for String {
    fn from(key: VolumeKey) -> Self {
        key.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_written() {
        for text in ["rootfs", "mp0", "mp255", "unused12"] {
            assert_eq!(text.parse::<VolumeKey>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_holds_no_volume_is_refused() {
        let refused =
            ["sda", "mp", "mp01", "mp256", "rootfs0", "net0"].map(|text| text.parse::<VolumeKey>().is_err());
        assert_eq!(refused, [true; 6]);
    }
}

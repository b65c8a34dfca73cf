//! Volumes: their ids, the options of a container that hold them, and their sizes.

use core::fmt;
use core::str::FromStr;

use crate::property::index_of;
use crate::property::is_decimal;
use crate::{Malformed, StorageId};

name!(
    /// Id of a volume on a storage: `local:backup/vzdump-lxc-101-2026_11_24-05_49_15.tar.zst`, `local-zfs:subvol-101-disk-0`.
    ///
    /// The name may hold blanks, as file names of ISO images do: one of them in a storage must not hide the others.
    ///
    /// Source: pve-storage `PVE/Storage/Plugin.pm`, format `pve-volume-id` (`STORAGE:.+`).
    ///
    /// ```
    /// # use proxmox_types::VolumeId;
    /// let volume: VolumeId = "local:iso/debian.iso".parse()?;
    /// assert_eq!((volume.storage(), volume.name()), ("local", "iso/debian.iso"));
    /// # Ok::<(), proxmox_types::Malformed>(())
    /// ```
    VolumeId,
    "a volume id",
    "STORAGE:NAME with a storage id before the first colon, no blanks around it and no control characters",
    |text| {
        let holds = |name: &str| !name.is_empty() && name.trim() == name && !name.contains(char::is_control);
        text.split_once(':').is_some_and(|(storage, name)| holds(name) && storage.parse::<StorageId>().is_ok())
    }
);

impl VolumeId {
    /// Id of the storage that holds the volume.
    pub fn storage(&self) -> &str {
        self.0.split_once(':').map_or("", |(storage, _)| storage)
    }

    /// Name of the volume within its storage.
    pub fn name(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, name)| name)
    }
}

/// A volume of a container: `rootfs`, `mp0` to `mp255`, `unused0` to `unused255`.
///
/// Source: pve-container `PVE/LXC/Config.pm`, `valid_volume_keys_with_unused`.
///
/// ```
/// # use proxmox_types::VolumeKey;
/// assert!("rootfs".parse::<VolumeKey>().is_ok() && "mp0".parse::<VolumeKey>().is_ok());
/// assert!("net0".parse::<VolumeKey>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

as_text!(VolumeKey);

name!(
    /// The size that a volume should get, or with `+` how much it should grow: `8G`, `+512M`, `+1.5T`.
    ///
    /// The units K, M, G and T are powers of 1024; without one the number counts bytes. A volume cannot shrink.
    ///
    /// Source: pve-container `PVE/API2/LXC.pm`, `resize_vm`; recordings `resize-ok`, `resize-shrink`.
    DiskSize,
    "a size",
    "a number with an optional K, M, G or T, and with `+` before it to grow by so much",
    |text| {
        let number = text.strip_prefix('+').unwrap_or(text);
        is_decimal(number.strip_suffix(['K', 'M', 'G', 'T']).unwrap_or(number))
    }
);

impl DiskSize {
    /// Whether it says how much to grow.
    pub fn is_relative(&self) -> bool {
        self.as_str().starts_with('+')
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_volume_id_tells_its_storage_and_name() {
        let volume: VolumeId = "local:backup/vzdump-lxc-100-2026_11_24-05_49_15.tar.zst".parse().unwrap();
        assert_eq!(
            (volume.storage(), volume.name()),
            ("local", "backup/vzdump-lxc-100-2026_11_24-05_49_15.tar.zst")
        );
    }

    #[test]
    fn volume_ids_need_a_storage_and_a_name() {
        let verdicts = ["local:1", "local:", ":x", "local", "1x:y", "local:a\nb", "local:a ", "/dev/sda:x"]
            .map(|text| text.parse::<VolumeId>().is_ok());
        assert_eq!(verdicts, [true, false, false, false, false, false, false, false]);
    }

    #[test]
    fn names_of_volumes_may_hold_blanks() {
        let volume: VolumeId = "local:iso/Windows 11 x64.iso".parse().unwrap();
        assert_eq!(volume.name(), "iso/Windows 11 x64.iso");
    }

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

    #[test]
    fn sizes_are_absolute_or_relative() {
        let read =
            ["8G", "+512M", "1.5T", "1073741824"].map(|text| text.parse::<DiskSize>().unwrap().is_relative());
        assert_eq!(read, [false, true, false, false]);
    }

    #[test]
    fn other_units_and_signs_are_refused() {
        let refused = ["", "+", "G", "8GB", "8g", "-1G", "++1G", "1.G", "1e3"]
            .map(|text| text.parse::<DiskSize>().is_err());
        assert_eq!(refused, [true; 9]);
    }
}

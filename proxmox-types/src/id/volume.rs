//! Volumes: their ids, the archives among them, the options of a container that hold them, and their sizes.

use core::fmt;
use core::str::FromStr;

use crate::property::{index_of, is_decimal};
use crate::{Malformed, StorageId, Vmid};

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

/// Defines a volume id of one kind: the id was checked once and is nothing else.
macro_rules! archive {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $accepts:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(VolumeId);

        impl $name {
            /// The volume.
            pub const fn volume(&self) -> &VolumeId {
                &self.0
            }
        }

        impl TryFrom<VolumeId> for $name {
            type Error = Malformed;

            fn try_from(volume: VolumeId) -> Result<Self, Malformed> {
                let accepts: fn(&str) -> bool = $accepts;
                if volume.as_str().len() <= LONGEST && accepts(volume.name()) {
                    Ok(Self(volume))
                } else {
                    Err(Malformed::new($what, volume.as_str(), $rule))
                }
            }
        }

        impl core::str::FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                text.parse::<VolumeId>()?.try_into()
            }
        }

        impl From<$name> for VolumeId {
            fn from(archive: $name) -> Self {
                archive.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Debug::fmt(&self.0, f)
            }
        }

        as_text!($name);
    };
}

/// Longest id that `ostemplate` takes.
const LONGEST: usize = 255;

archive!(
    /// A template of a container: `local:vztmpl/alpine-3.22-default_20250617_amd64.tar.xz`.
    ///
    /// Source: pve-container `PVE/API2/LXC.pm`, `ostemplate`; recording `lxc-create-ok-dir`.
    TemplateVolume,
    "a container template",
    "STORAGE:vztmpl/NAME, at most 255 characters",
    |name| name.strip_prefix("vztmpl/").is_some_and(|file| !file.is_empty())
);

archive!(
    /// A backup of a container: `local:backup/vzdump-lxc-101-2026_11_24-05_49_15.tar.zst`, on a backup server
    /// `pbs:backup/ct/101/2026-11-24T05:49:15Z`.
    ///
    /// Source: pve-storage `PVE/Storage/Plugin.pm` and `PVE/Storage/PBSPlugin.pm`; recording `content-local-all`.
    BackupVolume,
    "a container backup",
    "STORAGE:backup/NAME, at most 255 characters; a name that starts with `vzdump-qemu-` or `vm/` is a virtual machine's",
    |name| {
        name.strip_prefix("backup/").is_some_and(|file| {
            !file.is_empty() && !["vzdump-qemu-", "vm/"].iter().any(|machine| file.starts_with(machine))
        })
    }
);

impl BackupVolume {
    /// The container that it is a backup of, if its name tells. A renamed one need not.
    pub fn vmid(&self) -> Option<Vmid> {
        let file = self.0.name().strip_prefix("backup/")?;
        let guest =
            ["vzdump-lxc-", "vzdump-openvz-", "ct/"].iter().find_map(|kind| file.strip_prefix(kind))?;
        guest.split(['-', '/']).next()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_backup_tells_its_container() {
        let vmid = |text: &str| text.parse::<BackupVolume>().unwrap().vmid().map(Vmid::get);
        let read = [
            "local:backup/vzdump-lxc-101-2026_11_24-05_49_15.tar.zst",
            "local:backup/vzdump-openvz-102-2026_11_24-05_49_15.tar",
            "pbs:backup/ct/103/2026-11-24T05:49:15Z",
            "local:backup/golden.tar.zst",
        ]
        .map(vmid);
        assert_eq!(read, [Some(101), Some(102), Some(103), None]);
    }

    #[test]
    fn an_error_names_the_rule() {
        assert_eq!(
            "local:backup/vzdump-qemu-101-x.vma".parse::<BackupVolume>().unwrap_err().to_string(),
            "\"local:backup/vzdump-qemu-101-x.vma\" is not a container backup: STORAGE:backup/NAME, at most 255 \
             characters; a name that starts with `vzdump-qemu-` or `vm/` is a virtual machine's"
        );
    }
}

//! Volumes of a container: `rootfs` and the mount points `mpN`.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::as_text;
use crate::lenient::loosely;

use super::{OtherKeys, PropertyString, is_decimal, list};
use crate::{Malformed, StorageId, VolumeId};

/// What is mounted: a volume that exists, a new one, or a path of the host.
///
/// Source: pve-container `PVE/LXC.pm` (`$NEW_DISK_RE`) and `PVE/LXC/Config.pm`; recording `create-rootfs-size-suffix`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Source {
    /// A volume that exists, `local-zfs:subvol-101-disk-0`.
    Volume(VolumeId),
    /// A new volume on a storage, written as `STORAGE:GIB`: a plain number of GiB without a suffix.
    New(StorageId, Gibibytes),
    /// A directory or device of the host; only root@pam may set one.
    Path(String),
}

/// A size in GiB as PVE's new-volume syntax takes it: a decimal number of 0 or more.
///
/// ```
/// # use proxmox_types::property::Gibibytes;
/// assert_eq!(Gibibytes::new(8.0).map(Gibibytes::get), Some(8.0));
/// assert!(Gibibytes::new(-1.0).is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Gibibytes(f64);

const SOURCE: &str = "a volume";
const SOURCE_RULE: &str = "STORAGE:NAME, STORAGE:SIZE for a new volume, or an absolute path";
const SIZE_RULE: &str = "the size of a new volume is a plain number of GiB, without a suffix (`local-zfs:8`)";

impl Gibibytes {
    /// The size in GiB; nothing if it is negative or not a number.
    pub fn new(gibibytes: f64) -> Option<Self> {
        (gibibytes >= 0.0 && gibibytes.is_finite()).then_some(Self(gibibytes))
    }

    /// The size in GiB.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Gibibytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Source {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.starts_with('/') {
            return Ok(Self::Path(text.into()));
        }
        let (storage, name) =
            text.split_once(':').ok_or_else(|| Malformed::new(SOURCE, text, SOURCE_RULE))?;
        if is_decimal(name) {
            let size = name.parse().ok().and_then(Gibibytes::new);
            let size = size.ok_or_else(|| Malformed::new(SOURCE, text, SIZE_RULE))?;
            return Ok(Self::New(storage.parse()?, size));
        }
        if is_decimal(name.trim_end_matches(|c: char| c.is_ascii_alphabetic())) {
            return Err(Malformed::new(SOURCE, text, SIZE_RULE));
        }
        text.parse().map(Self::Volume)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Volume(volume) => volume.fmt(f),
            Self::New(storage, size) => write!(f, "{storage}:{size}"),
            Self::Path(path) => f.write_str(path),
        }
    }
}

as_text!(Source);

/// The root file system of a container.
///
/// Source: pve-container `PVE/LXC/Config.pm`, `$rootfs_desc`; recording `get-lxc-config-101`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RootFs {
    /// The volume.
    pub volume: Source,
    /// What both kinds of mounts may have.
    #[serde(flatten, deserialize_with = "loosely")]
    pub options: MountOptions,
}

impl PropertyString for RootFs {
    const DEFAULT_KEY: Option<&'static str> = Some("volume");
}

impl RootFs {
    /// A root file system with PVE's defaults.
    pub fn new(volume: Source) -> Self {
        Self { volume, options: MountOptions::default() }
    }
}

/// A mount point of a container.
///
/// Source: pve-container `PVE/LXC/Config.pm`, `$mp_desc`; recording `get-lxc-config-101`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MountPoint {
    /// The volume.
    pub volume: Source,
    /// Absolute path inside the container.
    pub mp: String,
    /// Whether backups include it; PVE's default is no.
    pub backup: Option<bool>,
    /// Whether the mount keeps the attributes of the directory that it covers.
    pub keepattrs: Option<bool>,
    /// What both kinds of mounts may have.
    #[serde(flatten, deserialize_with = "loosely")]
    pub options: MountOptions,
}

impl PropertyString for MountPoint {
    const DEFAULT_KEY: Option<&'static str> = Some("volume");
}

impl MountPoint {
    /// A mount point with PVE's defaults.
    pub fn new(volume: Source, mp: impl Into<String>) -> Self {
        Self { volume, mp: mp.into(), backup: None, keepattrs: None, options: MountOptions::default() }
    }
}

/// Options that the root file system and the mount points share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MountOptions {
    /// Size as PVE writes it, with a unit (`8G`, `1280M`); absent on volumes without one. PVE ignores it in parameters.
    pub size: Option<String>,
    /// Whether ACLs are on.
    pub acl: Option<bool>,
    /// Whether it is read-only.
    pub ro: Option<bool>,
    /// Whether user quotas are on; not for unprivileged containers.
    pub quota: Option<bool>,
    /// Whether storage replication includes it; PVE's default is yes.
    pub replicate: Option<bool>,
    /// Whether the volume is there on every node.
    pub shared: Option<bool>,
    /// Extra mount options: discard, lazytime, noatime, nodev, noexec, nosuid.
    #[serde(default, with = "list", skip_serializing_if = "Vec::is_empty")]
    pub mountoptions: Vec<String>,
    /// Mapping of ids for an idmapped mount.
    #[serde(default, with = "list", skip_serializing_if = "Vec::is_empty")]
    pub idmap: Vec<String>,
    /// Keys that this version does not know.
    #[serde(flatten)]
    pub other: OtherKeys,
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::super::{parse, print};
    use super::*;

    #[test]
    fn every_key_of_a_mount_point_is_read_and_written() {
        let text = "local:101/vm-101-disk-1.raw,acl=1,backup=1,idmap=u:0:0:1;g:0:0:1,keepattrs=0,\
                    mountoptions=noatime;nosuid,mp=/data,quota=0,replicate=0,ro=1,shared=1,size=1G";
        let mount: MountPoint = parse(text).unwrap();
        assert!(mount.options.other.is_empty());
        assert_eq!(print(&mount).unwrap(), text);
    }

    #[test]
    fn a_new_volume_is_a_plain_number_of_gib() {
        let read = ["local-zfs:8", "local-zfs:0.5", "local-zfs:subvol-1-disk-0", "/mnt/x"]
            .map(|text| text.parse::<Source>().unwrap().to_string());
        assert_eq!(read, ["local-zfs:8", "local-zfs:0.5", "local-zfs:subvol-1-disk-0", "/mnt/x"]);
        assert_eq!("local-zfs:8".parse(), Ok(Source::New("local-zfs".parse().unwrap(), Gibibytes(8.0))));
    }

    #[test]
    fn a_size_with_a_suffix_is_refused_with_the_rule() {
        let rules = ["local:8G", "local:1.5TiB"].map(|text| text.parse::<Source>().unwrap_err().rule());
        assert_eq!(rules, [SIZE_RULE; 2]);
    }
}

//! USB disks that the configuration names.

use proxmox_privileged::argument::{FsUuid, MountTarget};
use serde::Deserialize;

use super::settings::Object;

/// Where USB disks are mounted.
pub const ROOT: &str = "/mnt/felhom";

/// A USB disk that should be mounted at `/mnt/felhom/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Object<Written>")]
pub struct UsbDisk {
    /// Name of the directory.
    pub name: String,
    /// The directory.
    pub target: MountTarget,
    /// The file system.
    pub uuid: FsUuid,
    /// Whether it may be on a disk that is not on USB.
    pub any_disk: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    uuid: FsUuid,
    #[serde(default)]
    any_disk: bool,
}

impl TryFrom<Object<Written>> for UsbDisk {
    type Error = proxmox_privileged::Malformed;

    fn try_from(Object(written): Object<Written>) -> Result<Self, Self::Error> {
        Ok(Self { any_disk: written.any_disk, ..Self::new(&written.name, written.uuid)? })
    }
}

impl UsbDisk {
    /// The disk with that file system, below [`ROOT`], on USB.
    pub fn new(name: &str, uuid: FsUuid) -> Result<Self, proxmox_privileged::Malformed> {
        Ok(Self { name: name.into(), target: target(name)?, uuid, any_disk: false })
    }
}

/// The directory of a disk of that name.
pub fn target(name: &str) -> Result<MountTarget, proxmox_privileged::Malformed> {
    format!("{ROOT}/{name}").parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_has_a_directory_below_the_root_and_nowhere_else() {
        let read =
            |json: &str| serde_json::from_str::<UsbDisk>(json).map(|disk| disk.target.to_string()).ok();
        let read_back = read(r#"{"name": "backup", "uuid": "1A2B-3C4D"}"#);
        assert_eq!(read_back, Some("/mnt/felhom/backup".into()));
        let any_disk = |json: &str| serde_json::from_str::<UsbDisk>(json).map(|disk| disk.any_disk).ok();
        assert_eq!(any_disk(r#"{"name": "backup", "uuid": "1A2B-3C4D"}"#), Some(false));
        assert_eq!(any_disk(r#"{"name": "a", "uuid": "1A2B-3C4D", "any_disk": true}"#), Some(true));
        assert_eq!(read(r#"["backup", "1A2B-3C4D"]"#), None);
        for bad in ["../etc", "a b", "-o", "", "a/b", "/etc"] {
            assert_eq!(read(&format!(r#"{{"name": "{bad}", "uuid": "1A2B-3C4D"}}"#)), None, "{bad}");
        }
    }
}

//! Volume ids: `storage:name`.

mod archive;
mod key;
mod size;

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

pub use archive::{BackupVolume, TemplateVolume};
pub use key::VolumeKey;
pub use size::DiskSize;

use crate::{Malformed, StorageId};

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
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VolumeId(Box<str>);

const WHAT: &str = "a volume id";
const RULE: &str =
    "STORAGE:NAME with a storage id before the first colon, no blanks around it and no control characters";

impl VolumeId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Id of the storage that holds the volume.
    pub fn storage(&self) -> &str {
        self.0.split_once(':').map_or("", |(storage, _)| storage)
    }

    /// Name of the volume within its storage.
    pub fn name(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, name)| name)
    }
}

impl FromStr for VolumeId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let holds = |name: &str| !name.is_empty() && name.trim() == name && !name.contains(char::is_control);
        match text.split_once(':') {
            Some((storage, name)) if holds(name) && storage.parse::<StorageId>().is_ok() => {
                Ok(Self(text.into()))
            }
            _ => Err(Malformed::new(WHAT, text, RULE)),
        }
    }
}

impl TryFrom<String> for VolumeId {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<VolumeId> for String {
    fn from(volume: VolumeId) -> Self {
        volume.0.into()
    }
}

impl fmt::Display for VolumeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for VolumeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
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
}

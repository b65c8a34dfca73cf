//! Archives that a container is made from: templates and backups.

use crate::{Malformed, Vmid, VolumeId};

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
    fn what_is_no_backup_of_a_container_is_refused() {
        let texts = [
            "local:backup/vzdump-qemu-101-2026_11_24-05_49_15.vma.zst",
            "pbs:backup/vm/101/2026-11-24T05:49:15Z",
            "local:vztmpl/alpine.tar.xz",
            "local:backup/",
            "local:101/vm-101-disk-0.raw",
        ];
        for text in texts {
            assert_eq!(text.parse::<BackupVolume>().unwrap_err().what(), "a container backup", "{text}");
        }
    }

    #[test]
    fn an_error_names_the_rule() {
        assert_eq!(
            "local:backup/vzdump-qemu-101-x.vma".parse::<BackupVolume>().unwrap_err().to_string(),
            "\"local:backup/vzdump-qemu-101-x.vma\" is not a container backup: STORAGE:backup/NAME, at most 255 \
             characters; a name that starts with `vzdump-qemu-` or `vm/` is a virtual machine's"
        );
    }

    #[test]
    fn a_template_is_below_vztmpl() {
        let verdicts = ["local:vztmpl/a.tar.gz", "local:vztmpl/", "local:iso/a.iso", "/srv/a.tar.gz"]
            .map(|text| text.parse::<TemplateVolume>().is_ok());
        assert_eq!(verdicts, [true, false, false, false]);
    }
}

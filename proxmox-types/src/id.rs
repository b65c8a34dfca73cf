//! What names things: guests, nodes, storages, volumes, tasks, tokens, certificates.

/// Reads and writes types in JSON as the text that `FromStr` reads and `Display` writes.
macro_rules! as_text {
    ($($name:ident),+) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::text::parsed(deserializer)
            }
        }
    )+};
}

/// Defines one name: a text that was checked once against its grammar and cannot be anything else.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $accepts:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(alloc::boxed::Box<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::Malformed;

            fn from_str(text: &str) -> Result<Self, $crate::Malformed> {
                let accepts: fn(&str) -> bool = $accepts;
                if accepts(text) { Ok(Self(text.into())) } else { Err($crate::Malformed::new($what, text, $rule)) }
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&self.0)
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

pub(crate) use as_text;

mod digest;
mod name;
mod token;
mod upid;
pub mod vmid;
mod volume;

pub use digest::{Digest, Fingerprint};
pub use name::{Bridge, Hostname, NodeName, PoolId, SnapshotName, StorageId, Tags};
pub use token::{ApiToken, Secret, TokenError, TokenId};
pub use upid::Upid;
pub use vmid::Vmid;
pub use volume::{BackupVolume, DiskSize, TemplateVolume, VolumeId, VolumeKey};

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use core::fmt::Display;
    use core::str::FromStr;

    use super::*;

    type Read = fn(&str) -> Option<String>;

    fn read<T: FromStr + Display>(text: &str) -> Option<String> {
        text.parse::<T>().ok().map(|read| read.to_string())
    }

    /// A claim, the type, the texts that it takes, and those that it refuses.
    const NAMES: &[(&str, Read, &[&str], &[&str])] = &[
        (
            "VMIDs are 100 to 999999999",
            read::<Vmid>,
            &["100", "999999999"],
            &["99", "1000000000", "0100", "+100", "-100", "1e3", ""],
        ),
        (
            "nodes have short host names",
            read::<NodeName>,
            &["pve1", "1", "a-b"],
            &["-a", "a-", "a.b", "", "a b"],
        ),
        (
            "storages start with a letter and end in a letter or digit",
            read::<StorageId>,
            &["local", "local-lvm", "a.b_c"],
            &["a", "1a", "a-", "a/b"],
        ),
        ("snapshots have no leading digit", read::<SnapshotName>, &["bad1"], &["1bad"]),
        (
            "snapshots have 2 to 40 characters",
            read::<SnapshotName>,
            &["ab", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "vzdump"],
            &["x", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "current", "a b"],
        ),
        ("pools nest three levels deep", read::<PoolId>, &["felhom", "a/b/c"], &["a/b/c/d", "a//b", ""]),
        (
            "hosts are labels joined by dots",
            read::<Hostname>,
            &["cust1", "a-b.example.org", "1"],
            &["-a", "a..b", "a.", "a_b", ""],
        ),
        (
            "digests are up to 40 hex digits",
            read::<Digest>,
            &["9b478d342345db870b031591e6a50638477118d4"],
            &["", "xyz", "9b478d342345db870b031591e6a50638477118d4a"],
        ),
        (
            "volume ids need a storage and a name",
            read::<VolumeId>,
            &["local:1"],
            &["local:", ":x", "local", "1x:y", "local:a\nb", "local:a ", "/dev/sda:x"],
        ),
        ("names of volumes may hold blanks", read::<VolumeId>, &["local:iso/Windows 11 x64.iso"], &[]),
        (
            "volumes of a container have options",
            read::<VolumeKey>,
            &["rootfs", "mp0", "mp255", "unused12"],
            &["sda", "mp", "mp01", "mp256", "rootfs0", "net0"],
        ),
        (
            "sizes have a unit of 1024 and never shrink",
            read::<DiskSize>,
            &["8G", "+512M", "1.5T", "1073741824"],
            &["", "+", "G", "8GB", "8g", "-1G", "++1G", "1.G", "1e3"],
        ),
        (
            "backups are of containers",
            read::<BackupVolume>,
            &["local:backup/golden.tar.zst"],
            &[
                "local:backup/vzdump-qemu-101-2026_11_24-05_49_15.vma.zst",
                "pbs:backup/vm/101/2026-11-24T05:49:15Z",
                "local:vztmpl/alpine.tar.xz",
                "local:backup/",
                "local:101/vm-101-disk-0.raw",
            ],
        ),
        (
            "templates are below vztmpl",
            read::<TemplateVolume>,
            &["local:vztmpl/a.tar.gz"],
            &["local:vztmpl/", "local:iso/a.iso", "/srv/a.tar.gz"],
        ),
        (
            "UPIDs have eight parts with numbers in hex",
            read::<Upid>,
            &[
                "UPID:pve1:0000091C:0004ED09:6B052CDB:vzdump::root@pam:",
                "UPID:pve1:0000091C:10004ED09:6B052CDB:vzdump:100:root@pam:",
                "UPID:pve1:0000091c:0004ed09:6b052cdb:imgdel:100@local:ops@pve!full:",
                "UPID:pve1:0000091C:0004ED09:6B052CDB:move_volume:101-mp0>102-mp0:root@pam:",
                "UPID:pve1:0000091C:0004ED09:6B052CDB:download:debian%2D13.tar.zst:root@pam:",
            ],
            &[
                "",
                "UPID:",
                "OK",
                "UPID:pve1:0000091C:0004ED09:6B052CDB:vzdump:100:root@pam",
                "UPID:pve1:0000091C:0004ED09:6B052CDB:vzdump:100:root@pam:x:",
                "UPID:pve1:91C:0004ED09:6B052CDB:vzdump:100:root@pam:",
                "UPID:pve1:0000091C:1000004ED09:6B052CDB:vzdump:100:root@pam:",
                "UPID:pve1:0000091C:0004ED09:6B052CDB::100:root@pam:",
                "UPID:pve1:0000091C:0004ED09:6B052CDB:vzdump:1/0:root@pam:",
                "UPID:pve1:0000091C:0004ED09:6B052CDB:vzdump:100::",
            ],
        ),
    ];

    #[test]
    fn what_follows_the_grammar_comes_back_byte_for_byte_and_the_rest_is_refused() {
        for (claim, read, taken, refused) in NAMES {
            for text in *taken {
                assert_eq!(read(text).as_deref(), Some(*text), "{claim}");
            }
            for text in *refused {
                assert_eq!(read(text), None, "{claim}: {text:?}");
            }
        }
        assert_eq!(read::<Hostname>(&"a".repeat(256)), None);
    }
}

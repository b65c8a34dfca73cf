//! The types that an argument of a root command can have. Each has one grammar, from which its check and its part of
//! the sudoers rule both come.
//!
//! No grammar here lets a text begin with `-` or hold a blank, a control character, a backslash or a `..` component,
//! so no argument can turn into an option, into two arguments or into another path.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use proxmox_types::{Bridge, StorageId, Vmid};
use serde::{Deserialize, Serialize};

use crate::Malformed;
use crate::command::grammar::Grammar::{self, All, Any, Bytes, Maybe, Text};
use crate::command::grammar::{Argument, MANY};

/// Defines a value whose text follows a grammar, checked once.
macro_rules! argument {
    ($(#[$doc:meta])* $name:ident($inner:ident), $what:literal, $rule:literal, $grammar:expr) => {
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        $(#[$doc])*
        pub struct $name($inner);

        impl Argument for $name {
            const GRAMMAR: &'static Grammar = &$grammar;
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                match text.parse() {
                    Ok(value) if Self::GRAMMAR.accepts(text) => Ok(Self(value)),
                    _ => Err(Malformed::new($what, text, $rule)),
                }
            }
        }

        impl TryFrom<$inner> for $name {
            type Error = Malformed;

            fn try_from(value: $inner) -> Result<Self, Malformed> {
                value.to_string().parse()
            }
        }

        impl From<$name> for $inner {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

/// Defines a text that was checked once against its grammar and cannot be anything else.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $($rest:tt)*) => {
        argument!($(#[$doc])* #[serde(try_from = "String", into = "String")] $name(String), $($rest)*);

        impl $name {
            /// The text, as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

/// Defines a whole number whose decimal text follows a grammar.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $($rest:tt)*) => {
        argument!($(#[$doc])* #[derive(Copy)] #[serde(try_from = "u32", into = "u32")] $name(u32), $($rest)*);

        impl $name {
            /// The number.
            pub const fn get(self) -> u32 {
                self.0
            }
        }
    };
}

const ALNUM: Grammar = Bytes("A-Za-z0-9", 1, 1);
const STORAGE_ID: Grammar =
    All(&[Bytes("A-Za-z", 1, 1), Bytes("A-Za-z0-9._-", 0, MANY), Bytes("A-Za-z0-9", 1, 1)]);
/// 1 to 99 without a leading zero.
const COUNT: Grammar = All(&[Bytes("1-9", 1, 1), Bytes("0-9", 0, 1)]);
/// 0 to 99 without a leading zero.
const INDEX: Grammar = Any(&[Text("0"), COUNT]);
const LABEL: Grammar = All(&[ALNUM, Maybe(&All(&[Bytes("A-Za-z0-9-", 0, 61), ALNUM]))]);
const FURTHER_LABEL: Grammar = Maybe(&All(&[Text("."), LABEL]));

impl Argument for Vmid {
    const GRAMMAR: &'static Grammar = &All(&[Bytes("1-9", 1, 1), Bytes("0-9", 2, 8)]);
}

impl Argument for StorageId {
    const GRAMMAR: &'static Grammar = &STORAGE_ID;
}

impl Argument for Bridge {
    const GRAMMAR: &'static Grammar = &All(&[Bytes("A-Za-z", 1, 1), Bytes("A-Za-z0-9._-", 1, 14)]);
}

text!(
    /// Name of a container: a DNS name of up to four labels.
    ///
    /// Source: pve-common `PVE/JSONSchema.pm`, format `dns-name`, which sets no number of labels.
    Hostname,
    "a host name",
    "one to four labels of 1 to 63 letters, digits and inner hyphens, separated by dots",
    All(&[LABEL, FURTHER_LABEL, FURTHER_LABEL, FURTHER_LABEL])
);

text!(
    /// Volume of a container template: `local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst`.
    ///
    /// Source: pve-storage `PVE/Storage.pm`, `$VZTMPL_EXT_RE`, less `bz2`; the name is held to what PVE's own templates use.
    TemplateVolume,
    "a template volume",
    "STORAGE:vztmpl/NAME.tar.gz, .tar.xz or .tar.zst, with letters, digits, `.`, `_`, `+` and `-` in the name",
    All(&[
        STORAGE_ID,
        Text(":vztmpl/"),
        ALNUM,
        Bytes("A-Za-z0-9._+-", 0, 200),
        Text(".tar."),
        Any(&[Text("gz"), Text("xz"), Text("zst")]),
    ])
);

text!(
    /// UUID of a filesystem, spelled as `blkid` prints it.
    ///
    /// Source: util-linux `libblkid/src/superblocks`: ext and XFS have 32 lower-case digits with hyphens, FAT and exFAT
    /// eight upper-case digits with one hyphen, NTFS 16 upper-case digits.
    FsUuid,
    "a filesystem UUID",
    "8-4-4-4-12 lower-case, 4-4 upper-case or 16 upper-case hexadecimal digits",
    Any(&[
        All(&[
            Bytes("0-9a-f", 8, 8),
            Text("-"),
            Bytes("0-9a-f", 4, 4),
            Text("-"),
            Bytes("0-9a-f", 4, 4),
            Text("-"),
            Bytes("0-9a-f", 4, 4),
            Text("-"),
            Bytes("0-9a-f", 12, 12),
        ]),
        All(&[Bytes("0-9A-F", 4, 4), Text("-"), Bytes("0-9A-F", 4, 4)]),
        Bytes("0-9A-F", 16, 16),
    ])
);

text!(
    /// Directory that a USB disk is mounted on: `/mnt/felhom/NAME`. No other place can be spelled.
    MountTarget,
    "a mount target",
    "/mnt/felhom/NAME with 1 to 32 lower-case letters, digits, `_` and `-` in NAME, not starting with `_` or `-`",
    All(&[Text("/mnt/felhom/"), Bytes("a-z0-9", 1, 1), Bytes("a-z0-9_-", 0, 31)])
);

const NUMBERED_DISK: Grammar =
    Any(&[All(&[Text("nvme"), INDEX, Text("n"), COUNT]), All(&[Text("mmcblk"), INDEX])]);
const LETTERED_DISK: Grammar = Any(&[
    All(&[Text("sd"), Bytes("a-z", 1, 2)]),
    All(&[Text("vd"), Bytes("a-z", 1, 2)]),
    All(&[Text("hd"), Bytes("a-z", 1, 1)]),
]);

text!(
    /// Device of a whole disk: `/dev/sda`, `/dev/nvme0n1`, `/dev/vda`, `/dev/hda`, `/dev/mmcblk0`.
    ///
    /// Source: Linux `Documentation/admin-guide/devices.txt`.
    Disk,
    "a disk",
    "/dev/ and sdX, vdX, hdX, nvmeNnN or mmcblkN",
    All(&[Text("/dev/"), Any(&[LETTERED_DISK, NUMBERED_DISK])])
);

text!(
    /// Device that may hold a filesystem: a [`Disk`] or one of its partitions (`/dev/sda1`, `/dev/nvme0n1p1`).
    ///
    /// Source: Linux `Documentation/admin-guide/devices.txt`: a name that ends in a digit has a `p` before the number.
    BlockDevice,
    "a block device",
    "a disk or a partition of it: sdXN, vdXN, hdXN, nvmeNnNpN or mmcblkNpN",
    All(&[
        Text("/dev/"),
        Any(&[
            All(&[LETTERED_DISK, Maybe(&COUNT)]),
            All(&[NUMBERED_DISK, Maybe(&All(&[Text("p"), COUNT]))]),
        ]),
    ])
);

text!(
    /// Name of the account that the agent runs as.
    ///
    /// Source: Debian `adduser.conf`, `NAME_REGEX`. Lower case keeps it apart from the aliases and keywords of sudoers.
    UserName,
    "a user name",
    "1 to 32 lower-case letters, digits, `_` and `-`, not starting with a digit or `-`",
    All(&[Bytes("a-z_", 1, 1), Bytes("a-z0-9_-", 0, 31)])
);

number!(
    /// Number of cores of a container, 1 to 999.
    Cores,
    "a number of cores",
    "a whole number from 1 to 999",
    All(&[Bytes("1-9", 1, 1), Bytes("0-9", 0, 2)])
);

number!(
    /// Memory limit of a container in MiB, 16 (PVE's least) to 9999999.
    MemoryMib,
    "a memory limit",
    "a whole number of MiB from 16 to 9999999",
    Any(&[
        All(&[Text("1"), Bytes("6-9", 1, 1)]),
        All(&[Bytes("2-9", 1, 1), Bytes("0-9", 1, 1)]),
        All(&[Bytes("1-9", 1, 1), Bytes("0-9", 2, 6)]),
    ])
);

number!(
    /// Size of a root filesystem in GiB, 1 to 9999. PVE takes a plain number only: `STORAGE:1G` fails, and late.
    RootfsGib,
    "a root filesystem size",
    "a whole number of GiB from 1 to 9999",
    All(&[Bytes("1-9", 1, 1), Bytes("0-9", 0, 3)])
);

impl From<Disk> for BlockDevice {
    fn from(disk: Disk) -> Self {
        Self(disk.0)
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    /// Of these texts, cut at bars, the type accepts the good ones alone.
    fn assert_accepts<T: FromStr>(good: &str, bad: &str) {
        let texts = format!("{good}|{bad}");
        let accepted: Vec<_> = texts.split('|').filter(|text| text.parse::<T>().is_ok()).collect();
        assert_eq!(accepted, good.split('|').collect::<Vec<_>>());
    }

    #[test]
    fn names_and_volumes_are_plain() {
        let label = "a".repeat(63);
        assert_accepts::<Hostname>(
            &format!("golden|G1|a-b.c|1.2.3.4|{label}.{label}.{label}.{label}"),
            &format!("|-a|a-|a_b|a..b|.a|a.|a b|a.b.c.d.e|a\n|{label}a|--rootfs=x"),
        );
        assert_accepts::<TemplateVolume>(
            "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst|a1:vztmpl/x.tar.gz|nfs.x:vztmpl/a+b.tar.xz",
            "local:vztmpl/../../x.tar.gz|local:vztmpl/a/b.tar.gz|local:vztmpl/.tar.gz|local:vztmpl/-x.tar.gz|\
             local:vztmpl/x.tar.bz2|local:vztmpl/x.tar.gz |local:vztmpl/x y.tar.gz|local:backup/x.tar.gz|\
             /var/lib/vz/template/cache/x.tar.gz|-:vztmpl/x.tar.gz|-|",
        );
        assert_accepts::<UserName>("felhom|_x|felhom-agent", "|ALL|%sudo|#0|1a|-a|a b|a,b|a=b|a\n|!a|+g");
    }

    #[test]
    fn filesystem_uuids_keep_the_spelling_of_blkid() {
        assert_accepts::<FsUuid>(
            "1eb2d69a-3f9f-4098-a928-68706a2d5f86|ABCD-1234|303C1917625920E9",
            "1EB2D69A-3F9F-4098-A928-68706A2D5F86|abcd-1234|303c1917625920e9|1eb2d69a-3f9f-4098-a928-68706a2d5f8|\
             ABCD-12345|ABCD-1234 -o bind|../../sda|",
        );
    }

    #[test]
    fn mount_targets_lie_right_below_one_directory() {
        let longest = format!("/mnt/felhom/{}", "a".repeat(32));
        let bad = "/mnt/felhom|/mnt/felhom/|/mnt/felhom/..|/mnt/felhom/a/b|/mnt/felhom/../etc|/mnt/felhom/-a|\
                   /mnt/felhom/_a|/mnt/felhom/A|/mnt/felhom/a b|/mnt/felhom/a\n|mnt/felhom/a";
        assert_accepts::<MountTarget>(
            &format!("/mnt/felhom/usb|/mnt/felhom/1-a_b|{longest}"),
            &format!("{bad}|{longest}a"),
        );
    }

    #[test]
    fn disks_are_whole_and_block_devices_may_be_partitions() {
        let disks = "/dev/sda|/dev/sdzz|/dev/vda|/dev/hda|/dev/nvme0n1|/dev/nvme10n99|/dev/mmcblk0";
        let partitions = "/dev/sda1|/dev/sdb99|/dev/vda2|/dev/nvme0n1p3|/dev/mmcblk0p1";
        let bad = "/dev/|/dev/sd|/dev/sdaaa|/dev/sda0|/dev/sda100|/dev/sda |/dev/sda;rm|/dev/../etc/shadow|/dev/nvme0|\
                   /dev/nvme00n1|/dev/nvme0n0|/dev/nvme0n1p|/dev/mmcblk0boot0|/dev/loop0|/dev/dm-0|/dev/sr0|sda|-o";
        assert_accepts::<Disk>(disks, &format!("{partitions}|{bad}"));
        assert_accepts::<BlockDevice>(&format!("{disks}|{partitions}"), bad);
    }

    #[test]
    fn numbers_are_bounded_and_plain() {
        let bad = "01|+1|1G|1 ||0";
        assert_accepts::<Cores>("1|15|16|99|100|999", &format!("{bad}|1000"));
        assert_accepts::<RootfsGib>("1|15|16|99|100|999|1000|9999", &format!("{bad}|10000"));
        assert_accepts::<MemoryMib>("16|99|100|9999999", &format!("{bad}|1|15|10000000|016|+16|16G"));
    }

    #[test]
    fn a_malformed_argument_quotes_the_text_and_the_rule() {
        let error = "1G".parse::<RootfsGib>().unwrap_err().to_string();
        assert_eq!(error, "\"1G\" is not a root filesystem size: a whole number of GiB from 1 to 9999");
    }

    proptest! {
        #[test]
        fn the_grammars_of_foreign_types_are_theirs(text in "[a-bA0-1._-]{0,17}") {
            prop_assert_eq!(StorageId::GRAMMAR.accepts(&text), text.parse::<StorageId>().is_ok());
            prop_assert_eq!(Bridge::GRAMMAR.accepts(&text), text.parse::<Bridge>().is_ok());
        }

        #[test]
        fn the_grammar_of_a_vmid_is_its_own(text in "[0-9]{0,11}") {
            prop_assert_eq!(Vmid::GRAMMAR.accepts(&text), text.parse::<Vmid>().is_ok());
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            drop((text.parse::<Hostname>(), text.parse::<TemplateVolume>(), text.parse::<FsUuid>()));
            drop((text.parse::<MountTarget>(), text.parse::<BlockDevice>(), text.parse::<MemoryMib>()));
        }
    }
}

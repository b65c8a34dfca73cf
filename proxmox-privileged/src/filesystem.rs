//! Which filesystem a device holds, by probing it or from udev's data.
//!
//! A copied disk has the UUID of its original, and `mount UUID=` then takes either. So every device is asked before a
//! mount. The probe reads the device itself: udev and the cache of `blkid` can be out of date, and the cache has led
//! `mount` to a device that was gone.
//!
//! **What runs.** `blkid -p -o export DEVICE`, as root, once per device. Exit status 2 is "nothing there" (also for a
//! device that does not exist, and with an error text for one that cannot be opened), 8 "more than one answer", which
//! no mount by UUID finds either.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use serde::Serialize;
use snafu::{ResultExt, Snafu};

use crate::argument::{BlockDevice, FsUuid};
use crate::table::BLKID;
use crate::{End, RunError, Runner};

/// A filesystem on a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Filesystem {
    /// Path of the device.
    pub device: String,
    /// UUID; `None` if it has none or one of a kind that is never mounted (ISO 9660, LVM).
    pub uuid: Option<FsUuid>,
    /// Type, in the words of libblkid: `ext4`, `ntfs`, `LVM2_member`.
    pub kind: String,
    /// Label, which whoever formatted the disk chose freely.
    pub label: Option<String>,
}

/// The types of filesystem that are mounted.
///
/// Btrfs is not among them: all disks of a Btrfs share one UUID, so a copy cannot be told from a member. Neither is
/// anything that needs a second disk or a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FsType {
    /// ext4.
    Ext4,
    /// XFS.
    Xfs,
    /// FAT.
    Vfat,
    /// exFAT.
    Exfat,
    /// NTFS, by whichever driver the node has: the mount table says `ntfs3`, `ntfs` or `fuseblk`.
    Ntfs,
}

impl FsType {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Ext4, Self::Xfs, Self::Vfat, Self::Exfat, Self::Ntfs];

    /// Name in libblkid and in fstab.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Vfat => "vfat",
            Self::Exfat => "exfat",
            Self::Ntfs => "ntfs",
        }
    }
}

impl fmt::Display for FsType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a device could not be probed.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
#[snafu(display("{device} cannot be probed"))]
pub struct ProbeError {
    /// The device.
    device: BlockDevice,
    /// What happened.
    source: RunError,
}

impl Filesystem {
    /// The type, if it is one that is mounted.
    pub fn mountable(&self) -> Option<FsType> {
        FsType::ALL.into_iter().find(|kind| kind.as_str() == self.kind)
    }

    /// Reads udev's data on a block device: `/run/udev/data/bMAJOR:MINOR` or what `udevadm info` prints.
    ///
    /// `None` if udev saw no filesystem there. It lists devices that no [`BlockDevice`] names, such as `/dev/dm-3`.
    pub fn from_udev(device: &str, text: &str) -> Option<Self> {
        let value = |key: &str| {
            let mut pairs =
                text.lines().filter_map(|line| line.strip_prefix("E:")?.trim_start().split_once('='));
            pairs.find(|(found, _)| *found == key).map(|(_, value)| value.to_owned())
        };
        let label = value("ID_FS_LABEL");
        Some(Self {
            device: device.to_owned(),
            uuid: value("ID_FS_UUID").and_then(|uuid| uuid.parse().ok()),
            kind: value("ID_FS_TYPE")?,
            label,
        })
    }

    /// Reads the `export` form of blkid, in which a backslash stands before what a shell would not take literally.
    fn from_blkid(device: &BlockDevice, text: &str) -> Option<Self> {
        let value = |key: &str| {
            let mut pairs = text.lines().filter_map(|line| line.split_once('='));
            pairs.find(|(found, _)| *found == key).map(|(_, value)| unescaped(value))
        };
        Some(Self {
            device: device.as_str().to_owned(),
            uuid: value("UUID").and_then(|uuid| uuid.parse().ok()),
            kind: value("TYPE")?,
            label: value("LABEL"),
        })
    }
}

/// Probes a device for a filesystem. `None` if it holds none, or more than one.
pub async fn probe(runner: &dyn Runner, device: &BlockDevice) -> Result<Option<Filesystem>, ProbeError> {
    let output =
        runner.run(&BLKID.command(device)).await.with_context(|_| ProbeSnafu { device: device.clone() })?;
    let text = output.last_words();
    let could_not_open = text.starts_with("blkid: error") && !text.ends_with("No medium found");
    match output.end {
        End::Exit(0) => Ok(Filesystem::from_blkid(device, &String::from_utf8_lossy(&output.stdout))),
        End::Exit(2) if !could_not_open => Ok(None),
        End::Exit(8) => Ok(None),
        _ => Err(ProbeError { device: device.clone(), source: RunError::Io { message: text } }),
    }
}

/// The text without the backslashes that quote the character after them.
fn unescaped(text: &str) -> String {
    let mut quoted = false;
    let keep = |c: &char| {
        quoted = *c == '\\' && !quoted;
        !quoted
    };
    text.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;
    use crate::script::{Step, exited, now, recording, scripted};

    fn probed(end: Step<'_>) -> Result<Option<Filesystem>, ProbeError> {
        now(probe(&scripted(vec![end]), &"/dev/sdb1".parse().unwrap()))
    }

    fn answer(status: i32, stdout: &str) -> Step<'_> {
        ("/usr/sbin/blkid -p -o export /dev/sdb1", Ok(exited(status, stdout, "")))
    }

    fn filesystem(kind: &str, uuid: &str, label: Option<&str>) -> Filesystem {
        Filesystem {
            device: "/dev/sdb1".into(),
            uuid: Some(uuid.parse().unwrap()),
            kind: kind.into(),
            label: label.map(ToString::to_string),
        }
    }

    #[test]
    fn every_recorded_filesystem_is_read() {
        let rows = [
            filesystem("ext4", "1eb2d69a-3f9f-4098-a928-68706a2d5f86", Some("my label$(x)")),
            filesystem("xfs", "6a150a31-e6ff-49ae-b585-e6ddfba919af", None),
            filesystem("vfat", "ABCD-1234", Some("USB")),
            filesystem("exfat", "FBF5-FA98", None),
            filesystem("ntfs", "303C1917625920E9", None),
            filesystem("btrfs", "8a7a0d44-8876-474a-b35b-311cdd79d167", None),
        ];
        for row in rows {
            let text = recording(&alloc::format!("host/blkid/{}.txt", row.kind));
            assert_eq!(probed(answer(0, &text)), Ok(Some(row)));
        }
    }

    #[test]
    fn a_device_without_one_filesystem_has_none() {
        let partitioned = recording("host/blkid/gpt.txt");
        let probed = [answer(0, &partitioned), answer(2, ""), answer(8, "")].map(probed);
        assert_eq!(probed, [Ok(None), Ok(None), Ok(None)]);
    }

    #[test]
    fn five_types_are_mounted() {
        let mountable = ["ext4", "xfs", "vfat", "exfat", "ntfs", "btrfs", "LVM2_member", "iso9660"]
            .map(|kind| filesystem(kind, "ABCD-1234", None).mountable());
        let [ext4, xfs, vfat, exfat, ntfs] = FsType::ALL.map(Some);
        assert_eq!(mountable, [ext4, xfs, vfat, exfat, ntfs, None, None, None]);
    }

    #[test]
    fn udev_is_read_from_its_database_and_from_udevadm() {
        let database = "S:disk/by-uuid/ABCD-1234\nI:12345\nE:ID_FS_LABEL=USB\nE:ID_FS_UUID=ABCD-1234\nE:ID_FS_TYPE=vfat\n";
        let printed =
            "P: /devices/x\nN: sdb1\nE: ID_FS_LABEL=USB\nE: ID_FS_UUID=ABCD-1234\nE: ID_FS_TYPE=vfat\n";
        let read = [database, printed, "E:ID_PART_TABLE_TYPE=gpt\n"]
            .map(|text| Filesystem::from_udev("/dev/sdb1", text));
        let usb = filesystem("vfat", "ABCD-1234", Some("USB"));
        assert_eq!(read, [Some(usb.clone()), Some(usb), None]);
    }

    #[test]
    fn an_empty_card_reader_holds_no_filesystem() {
        let line = "/usr/sbin/blkid -p -o export /dev/sdb1";
        let stderr = "blkid: error: /dev/sdb1: No medium found\n";
        assert_eq!(probed((line, Ok(exited(2, "", stderr)))), Ok(None));
    }

    #[test]
    fn a_device_that_cannot_be_read_is_an_error() {
        let line = "/usr/sbin/blkid -p -o export /dev/sdb1";
        let errors = [(4, "blkid: bad usage"), (2, "blkid: error: /dev/sdb1: Operation not permitted")].map(
            |(status, stderr)| {
                snafu::Report::from_error(probed((line, Ok(exited(status, "", stderr)))).unwrap_err())
                    .to_string()
            },
        );
        assert_eq!(
            errors,
            ["blkid: bad usage", "blkid: error: /dev/sdb1: Operation not permitted"].map(
                |text| alloc::format!("/dev/sdb1 cannot be probed\n\nCaused by this error:\n  1: {text}\n")
            )
        );
    }
}

//! Which filesystem a device holds, by probing it or from udev's data.
//!
//! A copied disk has the UUID of its original, and `mount UUID=` then takes either. So every device is asked before a
//! mount, by itself: udev and the cache of `blkid` can be out of date.
//!
//! **What runs.** `blkid -p -o export DEVICE`, as root, once per device. Exit status 2 is "nothing there" (also for a
//! device that does not exist, and with an error text for one that cannot be opened), 8 "more than one answer": the
//! device holds the marks of several filesystems, and no mount by UUID finds it.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;
use snafu::Snafu;

use crate::command::argument::{BlockDevice, FsUuid};
use crate::command::grammar::{
    Argument,
    Grammar::{self, Any, Text as Literal},
};
use crate::command::shape::Part::Text;
use crate::command::shape::{Shape, slot};
use crate::command::{Privilege, Program};
use crate::mount::escape::{unhexed, unquoted};
use crate::{CommandEnd, RunError, Runner};

impl Program {
    /// util-linux `blkid`.
    pub const BLKID: Self = Self::new("/usr/sbin/blkid", "util-linux");
}

/// `blkid`, probing the device itself.
pub(crate) static BLKID: Shape<BlockDevice> = Shape {
    program: Program::BLKID,
    privilege: Privilege::RootAlone,
    changes: false,
    seconds: 30,
    purpose: "read which filesystem a disk or partition holds, to find two with one UUID",
    words: &[&[Text("-p")], &[Text("-o")], &[Text("export")], &[slot::<BlockDevice, _>(|device| device)]],
};

/// A filesystem on a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Filesystem {
    /// Path of the device.
    pub device: String,
    /// UUID; `None` if it has none or one of a kind that is never mounted (ISO 9660, LVM).
    pub uuid: Option<FsUuid>,
    /// Type, in the words of libblkid: `ext4`, `ntfs`, `LVM2_member`.
    pub kind: String,
    /// Label, which whoever formatted the disk chose freely.
    pub label: Option<String>,
    /// What else fstab may call it: `LABEL=usb`, `PARTUUID=4f0a0c5e-01`, `/dev/disk/by-id/usb-x-part1`.
    #[serde(skip)]
    pub names: Vec<String>,
}

/// What a device holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probed {
    /// No filesystem.
    Nothing,
    /// This one.
    Filesystem(Filesystem),
    /// The marks of more than one; which of them counts is unknown.
    Ambivalent,
}

/// What the devices hold, as far as they could be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// The filesystems.
    pub filesystems: Vec<Filesystem>,
    /// The devices that hold the marks of more than one.
    pub ambivalent: Vec<BlockDevice>,
    /// The devices that could not be probed, each with the reason.
    pub unprobed: Vec<ProbeError>,
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

impl Argument for FsType {
    const GRAMMAR: &'static Grammar =
        &Any(&[Literal("ext4"), Literal("xfs"), Literal("vfat"), Literal("exfat"), Literal("ntfs")]);
}

impl fmt::Display for FsType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a device could not be probed.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
#[snafu(display("{device} cannot be probed: {reason}"))]
pub struct ProbeError {
    /// The device.
    pub device: BlockDevice,
    /// What happened.
    pub reason: RunError,
}

/// How the words of blkid end where there is nothing to read: a reader without a card, a stick that was pulled out.
const ABSENT: [&str; 4] =
    ["No medium found", "No such file or directory", "No such device", "No such device or address"];

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
        let links = text.lines().filter_map(|line| line.strip_prefix("S:"));
        Some(Self {
            device: device.to_owned(),
            uuid: value("ID_FS_UUID").and_then(|uuid| uuid.parse().ok()),
            kind: value("ID_FS_TYPE")?,
            label: value("ID_FS_LABEL"),
            names: links
                .map(|link| alloc::format!("/dev/{}", link.trim_start()))
                .chain(tags(&UDEV, |key| value(key).map(|value| unhexed(&value))))
                .collect(),
        })
    }

    /// Reads the `export` form of blkid: a backslash stands before what a shell would not take literally.
    fn from_blkid(device: &BlockDevice, text: &str) -> Option<Self> {
        let value = |key: &str| {
            let mut pairs = text.lines().filter_map(|line| line.split_once('='));
            pairs.find(|(found, _)| *found == key).map(|(_, value)| unquoted(value))
        };
        Some(Self {
            device: device.as_str().to_owned(),
            uuid: value("UUID").and_then(|uuid| uuid.parse().ok()),
            kind: value("TYPE")?,
            label: value("LABEL"),
            names: tags(&BLKID_TAGS, value).collect(),
        })
    }
}

/// The tags of fstab and where udev keeps their values, the characters that a file name cannot have as `\x20`. Source: systemd `src/udev/udev-builtin-blkid.c`.
const UDEV: [(&str, &str); 4] = [
    ("LABEL", "ID_FS_LABEL"),
    ("LABEL", "ID_FS_LABEL_ENC"),
    ("PARTUUID", "ID_PART_ENTRY_UUID"),
    ("PARTLABEL", "ID_PART_ENTRY_NAME"),
];
const BLKID_TAGS: [(&str, &str); 3] =
    [("LABEL", "LABEL"), ("PARTUUID", "PART_ENTRY_UUID"), ("PARTLABEL", "PART_ENTRY_NAME")];

/// What fstab can call a device for which these values are known.
fn tags(
    keys: &'static [(&'static str, &'static str)],
    value: impl Fn(&str) -> Option<String>,
) -> impl Iterator<Item = String> {
    keys.iter().filter_map(move |(tag, key)| value(key).map(|value| alloc::format!("{tag}={value}")))
}

impl Survey {
    /// Asks the devices, and keeps what udev knows of the others.
    ///
    /// What cannot be started for one device is not started for the next: each would be a complaint of sudo.
    pub async fn of(runner: &dyn Runner, devices: &[BlockDevice], udev: Vec<Filesystem>) -> Self {
        let mut survey = Self { filesystems: udev, ..Self::default() };
        let mut refusal: Option<RunError> = None;
        for device in devices {
            let probed = match &refusal {
                Some(reason) => Err(ProbeError { device: device.clone(), reason: reason.clone() }),
                None => probe(runner, device).await,
            };
            if let Err(error) = &probed {
                refusal = Some(error.reason.clone()).filter(|reason| !reason.may_have_happened());
            }
            survey.add(device, probed);
        }
        survey
    }

    fn add(&mut self, device: &BlockDevice, probed: Result<Probed, ProbeError>) {
        let content = match probed {
            Ok(content) => content,
            Err(error) => return self.unprobed.push(error),
        };
        let known = self.filesystems.iter().position(|known| known.device == device.as_str());
        let known = known.map(|place| self.filesystems.remove(place));
        match content {
            Probed::Nothing => (),
            Probed::Ambivalent => self.ambivalent.push(device.clone()),
            Probed::Filesystem(mut found) => {
                found.names.extend(known.into_iter().flat_map(|known| known.names));
                self.filesystems.push(found);
            }
        }
    }

    /// Those with this UUID.
    pub fn holders(&self, uuid: &FsUuid) -> Vec<&Filesystem> {
        self.filesystems.iter().filter(|known| known.uuid.as_ref() == Some(uuid)).collect()
    }
}

/// Probes a device for a filesystem.
///
/// ```
/// # mod now { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/now.rs")); }
/// # use now::now;
/// # use proxmox_privileged::{Command, CommandOutput, mount::filesystem::{Probed, probe}};
/// let runner = |_: &Command| Ok(CommandOutput::from("UUID=ABCD-1234\nTYPE=vfat\nLABEL=USB\n"));
/// let Probed::Filesystem(found) = now(probe(&runner, &"/dev/sdb1".parse()?))? else { panic!("nothing") };
/// assert_eq!(found.label.as_deref(), Some("USB"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn probe(runner: &dyn Runner, device: &BlockDevice) -> Result<Probed, ProbeError> {
    let failed = |reason| ProbeError { device: device.clone(), reason };
    let output = runner.run(&BLKID.command(device)).await.map_err(failed)?;
    let text = output.last_words();
    let is_absent = !text.starts_with("blkid: error") || ABSENT.iter().any(|end| text.ends_with(end));
    match output.end {
        CommandEnd::Exit(0) => {
            let found = Filesystem::from_blkid(device, &String::from_utf8_lossy(&output.stdout));
            Ok(found.map_or(Probed::Nothing, Probed::Filesystem))
        }
        CommandEnd::Exit(2) if is_absent => Ok(Probed::Nothing),
        CommandEnd::Exit(8) => Ok(Probed::Ambivalent),
        _ => Err(failed(RunError::Io { message: text })),
    }
}

/// The devices that could not be probed, those with one reason together.
pub fn unprobed(errors: &[ProbeError]) -> String {
    let mut groups: Vec<(&RunError, Vec<&str>)> = Vec::new();
    for error in errors {
        match groups.iter_mut().find(|(reason, _)| **reason == error.reason) {
            Some((_, devices)) => devices.push(error.device.as_str()),
            None => groups.push((&error.reason, alloc::vec![error.device.as_str()])),
        }
    }
    let said = groups
        .iter()
        .map(|(reason, devices)| alloc::format!("{} cannot be probed: {reason}", devices.join(" and ")));
    said.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;

//! Why a filesystem is not mounted or not unmounted, and what can be at a mount target.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;
use snafu::Snafu;

use crate::RunError;
use crate::command::argument::{FsUuid, MountTarget};
use crate::mount::filesystem::{ProbeError, unprobed};
use crate::mount::findmnt::{Mount, TableError};

/// What is at a mount target, looked at without following symbolic links (`openat2` with `RESOLVE_NO_SYMLINKS`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum TargetPlace {
    /// Nothing; `mount` creates the directory.
    Absent,
    /// A directory. It and its parents are real directories that only root can write to.
    Directory,
    /// A directory on which something is mounted, its parents as above. Who can write to what is mounted does not
    /// matter: it is that filesystem's own, and sticks commonly belong to whoever formatted them.
    MountPoint,
    /// A symbolic link, here or on the way here.
    Symlink,
    /// A directory that someone else than root can write to, here or on the way here.
    Writable,
    /// A file or something else that is no directory.
    NotDirectory,
}

/// Why a filesystem was not mounted or not unmounted.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(super)))]
#[non_exhaustive]
pub enum MountError {
    /// The mount table could not be read. After the command it is unknown whether the command did its work.
    #[snafu(display("{target}: what is mounted there is unknown"))]
    Unknown {
        /// The directory.
        target: MountTarget,
        /// Whether `mount` or `umount` had run by then.
        may_have_happened: bool,
        /// What happened.
        source: TableError,
    },
    /// Devices could not be probed, so it is unknown whether one of them holds the filesystem, or a copy of it.
    #[snafu(display("{}: {}", doubt(uuid, *is_found), unprobed(errors)))]
    NotProbed {
        /// The filesystem.
        uuid: FsUuid,
        /// Whether a device is known to hold it.
        is_found: bool,
        /// The devices, and what happened.
        errors: Vec<ProbeError>,
    },
    /// No device is known to hold the filesystem, and one that may be mounted holds the marks of several.
    #[snafu(display(
        "no device is known to hold filesystem {uuid}, and {} holds more than one signature",
        devices.join(" and ")
    ))]
    Ambivalent {
        /// The filesystem.
        uuid: FsUuid,
        /// The devices.
        devices: Vec<String>,
    },
    /// The target is no place to mount on.
    #[snafu(display("{target} is no place to mount on: {place:?}"))]
    Unsafe {
        /// The directory.
        target: MountTarget,
        /// What is there.
        place: TargetPlace,
    },
    /// No device holds the filesystem.
    #[snafu(display("no device holds filesystem {uuid}"))]
    NotFound {
        /// The filesystem.
        uuid: FsUuid,
    },
    /// Two or more devices hold it: one is a copy.
    #[snafu(display("filesystem {uuid} is on {}", devices.join(" and on ")))]
    Duplicate {
        /// The filesystem.
        uuid: FsUuid,
        /// The devices.
        devices: Vec<String>,
    },
    /// The only device that holds it is no disk or partition of the node: a volume that may be a guest's.
    #[snafu(display("filesystem {uuid} is on {device}, which is no disk of the host and may be a guest's"))]
    Foreign {
        /// The filesystem.
        uuid: FsUuid,
        /// The device.
        device: String,
    },
    /// The only device that holds it is not on USB, and nobody insists on it.
    #[snafu(display("filesystem {uuid} is on {device}, which is not on USB"))]
    NotUsb {
        /// The filesystem.
        uuid: FsUuid,
        /// The device.
        device: String,
    },
    /// Its type is not mounted here.
    #[snafu(display("filesystem {uuid} is of type {kind}, which is not mounted here"))]
    Unsupported {
        /// The filesystem.
        uuid: FsUuid,
        /// Its type.
        kind: String,
    },
    /// Another filesystem is mounted on the target.
    #[snafu(display("{} holds {}, not filesystem {uuid}", mount.target, mount.source))]
    Occupied {
        /// The filesystem.
        uuid: FsUuid,
        /// What is there.
        mount: Box<Mount>,
    },
    /// The filesystem is mounted in another place.
    #[snafu(display("filesystem {uuid} is already mounted on {}", mount.target))]
    Elsewhere {
        /// The filesystem.
        uuid: FsUuid,
        /// Where it is.
        mount: Box<Mount>,
    },
    /// After the command something is mounted on the target, and it is not the device that was found to hold the
    /// filesystem: the links of udev are out of date, or another device has got the UUID meanwhile.
    #[snafu(display("{} holds {}, which is not known to be filesystem {uuid}", mount.target, mount.source))]
    Unrecognised {
        /// The filesystem.
        uuid: FsUuid,
        /// What is there.
        mount: Box<Mount>,
    },
    /// The command ran, and the mount table does not show its effect.
    #[snafu(display("{target}: {text}"))]
    NoEffect {
        /// The directory.
        target: MountTarget,
        /// The error text of the command, or its exit status.
        text: String,
    },
    /// The command could not be run or did not end, and the mount table does not show its effect.
    #[snafu(display("{target} is as it was{}", yet(source)))]
    NotRun {
        /// The directory.
        target: MountTarget,
        /// What happened.
        source: RunError,
    },
}

impl MountError {
    /// Whether `mount` or `umount` may have done its work, or may do it yet.
    pub const fn may_have_happened(&self) -> bool {
        match self {
            Self::Unknown { may_have_happened, .. } => *may_have_happened,
            Self::Unrecognised { .. } => true,
            Self::NotRun { source, .. } => source.may_have_happened(),
            _ => false,
        }
    }
}

/// What is added to "as it was" where that may not be for long.
const fn yet(error: &RunError) -> &'static str {
    match error {
        RunError::StillRunning { .. } => " so far, and the command that was to change it has not ended",
        _ => "",
    }
}

/// What is unknown as long as a device could not be probed.
fn doubt(uuid: &FsUuid, is_found: bool) -> String {
    if is_found {
        alloc::format!("a second filesystem {uuid} cannot be ruled out")
    } else {
        alloc::format!("no device is known to hold filesystem {uuid}")
    }
}

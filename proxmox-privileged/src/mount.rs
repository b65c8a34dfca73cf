//! Root exception 2: mount a USB disk by its UUID, and unmount it.
//!
//! **Why not the API.** PVE's API can only *format* a disk (`POST disks/directory`) or use a directory that something
//! else has mounted; no endpoint mounts an existing filesystem.
//!
//! **What runs.** `mount -o nosuid,nodev,noexec,X-mount.mkdir -t TYPE UUID=UUID /mnt/felhom/NAME` and `umount
//! /mnt/felhom/NAME`. The type is the one that was probed: without it `mount` would start `mount.TYPE` for whatever
//! type the disk claims to have.
//!
//! **What success is.** What the mount table says afterwards. The exit status and the text decide nothing: `mount`
//! exits 32 for a busy target and for a missing one, follows symbolic links, and with util-linux 2.41 mounts the same
//! disk on the same target a second time and exits 0.
//!
//! Every mount here has setuid files, devices and programs switched off, since whoever plugs in the disk chose what is
//! on it.

pub mod alias;
mod error;
mod escape;
pub mod filesystem;
pub mod findmnt;
pub mod fstab;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Serialize;
use snafu::{OptionExt, ResultExt, ensure};

use crate::command::argument::{BlockDevice, FsUuid, MountTarget};
use crate::command::shape::Part::Text;
use crate::command::shape::{Shape, slot};
use crate::command::{Privilege, Program};
use crate::mount::alias::Aliases;
use crate::mount::filesystem::{Filesystem, FsType, Survey};
use crate::mount::findmnt::{Mount, mount_table};
use crate::mount::fstab::{AtBoot, at_boot};
use crate::{CommandOutput, RunError, Runner};
use error::{
    AmbivalentSnafu, DuplicateSnafu, ElsewhereSnafu, ForeignSnafu, NotFoundSnafu, NotProbedSnafu,
    NotUsbSnafu, OccupiedSnafu, UnknownSnafu, UnrecognisedSnafu, UnsafeSnafu, UnsupportedSnafu,
};

pub use error::{MountError, TargetPlace};

/// What to mount where, and what the caller knows that only the file system can tell.
#[derive(Clone, Debug)]
pub struct MountRequest {
    /// The filesystem.
    pub uuid: FsUuid,
    /// The directory.
    pub target: MountTarget,
    /// What is at the target now.
    pub place: TargetPlace,
    /// The disks and partitions of the node.
    pub candidates: Candidates,
    /// What is in `/etc/fstab`, which may have an automount wait on the target.
    pub fstab: Vec<u8>,
    /// Whether a path below `/dev` is, or leads to, a device.
    pub is_same: fn(&str, &str) -> bool,
    /// What udev knows of other devices. May be empty, and may repeat the candidates.
    pub udev: Vec<Filesystem>,
}

/// What fills the command line of `mount`.
#[derive(Debug)]
pub(crate) struct MountLine {
    pub(crate) kind: FsType,
    pub(crate) uuid: FsUuid,
    pub(crate) target: MountTarget,
}

impl Program {
    /// util-linux `mount`.
    pub const MOUNT: Self = Self::new("/usr/bin/mount", "mount");

    /// util-linux `umount`.
    pub const UMOUNT: Self = Self::new("/usr/bin/umount", "mount");
}

/// `mount`. The type is named, since it chooses the `mount.TYPE` that is started as root.
pub(crate) static MOUNT: Shape<MountLine> = Shape {
    program: Program::MOUNT,
    privilege: Privilege::Root,
    changes: true,
    seconds: 60,
    purpose: "mount a filesystem below /mnt/felhom, its setuid files, devices and programs switched off",
    words: &[
        &[Text("-o")],
        &[Text("nosuid,nodev,noexec,X-mount.mkdir")],
        &[Text("-t")],
        &[slot::<FsType, _>(|line| &line.kind)],
        &[Text("UUID="), slot::<FsUuid, _>(|line| &line.uuid)],
        &[slot::<MountTarget, _>(|line| &line.target)],
    ],
};

/// `umount`.
pub(crate) static UMOUNT: Shape<MountTarget> = Shape {
    program: Program::UMOUNT,
    privilege: Privilege::Root,
    changes: true,
    seconds: 60,
    purpose: "unmount what is mounted below /mnt/felhom",
    words: &[&[slot::<MountTarget, _>(|target| target)]],
};

/// The disks and partitions of the node, and which of them may be mounted.
///
/// Whoever runs a guest writes what they like to its disks, so also the UUID of a stick that is not plugged in. udev and
/// `mount UUID=` see those disks on the node as well: volumes of LVM and ZFS, loop and network devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Every disk and partition ([`disks`](crate::disks)). Each one is probed.
    pub devices: Vec<BlockDevice>,
    /// Those of them that may be mounted: the ones on USB, or all of them if somebody insists.
    pub allowed: Vec<BlockDevice>,
}

impl Candidates {
    /// Refuses the device that alone holds a filesystem, unless it is one that may be mounted.
    pub fn permit(&self, uuid: &FsUuid, device: &str) -> Result<(), MountError> {
        let is_in = |devices: &[BlockDevice]| devices.iter().any(|known| known.as_str() == device);
        ensure!(is_in(&self.devices), ForeignSnafu { uuid: uuid.clone(), device });
        ensure!(is_in(&self.allowed), NotUsbSnafu { uuid: uuid.clone(), device });
        Ok(())
    }
}

/// A filesystem is mounted on the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mounted {
    /// The mount, as the table has it now. One that was there before may lack the protective options
    /// ([`Mount::is_harmless`]).
    pub mount: Mount,
    /// Whether it was there before.
    pub was_mounted: bool,
}

/// Nothing is mounted on the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Unmounted {
    /// Whether something was.
    pub was_mounted: bool,
}

/// Mounts a filesystem by its UUID, unless it is mounted there already.
///
/// Refuses a target that is not safe or holds something else, a UUID that is on two devices, on none or on one that may
/// not be mounted, a type not in [`FsType`], and a filesystem that is mounted in another place.
///
/// ```
/// # mod now { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/now.rs")); }
/// # use now::now;
/// # use proxmox_privileged::{Command, CommandOutput};
/// # use proxmox_privileged::mount::{Candidates, MountRequest, TargetPlace, mount_by_uuid};
/// let runner = |_: &Command| Ok(CommandOutput::from(r#"{"filesystems": []}"#));
/// let request = MountRequest {
///     uuid: "ABCD-1234".parse()?,
///     target: "/mnt/felhom/usb".parse()?,
///     place: TargetPlace::Absent,
///     candidates: Candidates::default(),
///     fstab: Vec::new(),
///     is_same: |_, _| false,
///     udev: Vec::new(),
/// };
/// let error = now(mount_by_uuid(&runner, &request)).unwrap_err();
/// assert_eq!(error.to_string(), "no device holds filesystem ABCD-1234");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn mount_by_uuid(runner: &dyn Runner, request: &MountRequest) -> Result<Mounted, MountError> {
    let MountRequest { uuid, target, place, .. } = request;
    let no_place = UnsafeSnafu { target: target.clone(), place: *place };
    ensure!(
        matches!(place, TargetPlace::Absent | TargetPlace::Directory | TargetPlace::MountPoint),
        no_place
    );
    let unknown =
        |may_have_happened| move |_: &mut _| UnknownSnafu { target: target.clone(), may_have_happened };
    let table = mount_table(runner).await.with_context(unknown(false))?;
    // What was seen there has gone since, and what is below it was not seen.
    ensure!(*place != TargetPlace::MountPoint || table.at(target).is_some(), no_place);
    if let Some(mount) = table.at(target).filter(|mount| mount.root == "/" && mount.uuid == uuid.as_str()) {
        request.candidates.permit(uuid, &mount.source)?;
        return Ok(Mounted { mount: mount.clone(), was_mounted: true });
    }
    let survey = Survey::of(runner, &request.candidates.devices, request.udev.clone()).await;
    let (device, kind) = sole_holder(&survey, uuid, &request.candidates)?;
    let aliases = Aliases::new(uuid, &survey, request.is_same);
    let is_awaited = at_boot(&request.fstab, target, &aliases) == AtBoot::Awaited;
    let is_waiting = |mount: &Mount| is_awaited && mount.is_automount();
    match table.at(target).filter(|mount| !is_waiting(mount)).cloned() {
        Some(mount) if is_whole(&mount, &device) => return Ok(Mounted { mount, was_mounted: true }),
        Some(mount) => return OccupiedSnafu { uuid: uuid.clone(), mount: Box::new(mount) }.fail(),
        None => (),
    }
    if let Some(mount) = table.of(uuid, &device).cloned() {
        return ElsewhereSnafu { uuid: uuid.clone(), mount: Box::new(mount) }.fail();
    }
    let line = MountLine { kind, uuid: uuid.clone(), target: target.clone() };
    let end = runner.run(&MOUNT.command(&line)).await;
    let table = mount_table(runner).await.with_context(unknown(true))?;
    match table.at(target).cloned() {
        Some(mount) if is_whole(&mount, &device) => Ok(Mounted { mount, was_mounted: false }),
        Some(mount) if !is_waiting(&mount) => {
            UnrecognisedSnafu { uuid: uuid.clone(), mount: Box::new(mount) }.fail()
        }
        _ => Err(without_effect(target, end)),
    }
}

/// Unmounts whatever is mounted on the target, mounts on top of each other one by one. An automount that waits below them
/// or alone goes on waiting.
///
/// ```
/// # mod now { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/now.rs")); }
/// # use now::now;
/// # use proxmox_privileged::{Command, CommandOutput, mount::unmount};
/// let runner = |_: &Command| Ok(CommandOutput::from(r#"{"filesystems": []}"#));
/// assert!(!now(unmount(&runner, &"/mnt/felhom/usb".parse()?))?.was_mounted);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn unmount(runner: &dyn Runner, target: &MountTarget) -> Result<Unmounted, MountError> {
    let unknown =
        |may_have_happened| move |_: &mut _| UnknownSnafu { target: target.clone(), may_have_happened };
    let mut table = mount_table(runner).await.with_context(unknown(false))?;
    let was_mounted = table.is_mounted(target);
    while table.is_mounted(target) {
        let end = runner.run(&UMOUNT.command(target)).await;
        let left = mount_table(runner).await.with_context(unknown(true))?;
        if left.depth(target) >= table.depth(target) {
            return Err(without_effect(target, end));
        }
        table = left;
    }
    Ok(Unmounted { was_mounted })
}

/// Whether the mount is the filesystem on this device, and all of it. That another device has the same UUID by now does
/// not make it the one that was asked for.
fn is_whole(mount: &Mount, device: &str) -> bool {
    mount.root == "/" && mount.source == device
}

fn without_effect(target: &MountTarget, end: Result<CommandOutput, RunError>) -> MountError {
    let target = target.clone();
    match end {
        Ok(output) => MountError::NoEffect { target, text: output.last_words() },
        Err(source) => MountError::NotRun { target, source },
    }
}

/// The one device that holds the filesystem, and its type; or why it is not to be mounted, also not after a reboot.
pub fn sole_holder(
    survey: &Survey,
    uuid: &FsUuid,
    candidates: &Candidates,
) -> Result<(String, FsType), MountError> {
    let (uuid, holders) = (uuid.clone(), survey.holders(uuid));
    let doubt =
        NotProbedSnafu { uuid: uuid.clone(), is_found: !holders.is_empty(), errors: &*survey.unprobed };
    let [holder] = holders.as_slice() else {
        let devices: Vec<_> = holders.iter().map(|holder| holder.device.clone()).collect();
        ensure!(devices.is_empty(), DuplicateSnafu { uuid, devices });
        let ambivalent = survey.ambivalent.iter().filter(|device| candidates.allowed.contains(device));
        let devices: Vec<_> = ambivalent.map(ToString::to_string).collect();
        ensure!(devices.is_empty(), AmbivalentSnafu { uuid, devices });
        ensure!(survey.unprobed.is_empty(), doubt);
        return NotFoundSnafu { uuid }.fail();
    };
    candidates.permit(&uuid, &holder.device)?;
    let kind = holder.mountable().context(UnsupportedSnafu { uuid, kind: &holder.kind })?;
    ensure!(survey.unprobed.is_empty(), doubt);
    Ok((holder.device.clone(), kind))
}

#[cfg(test)]
mod tests;

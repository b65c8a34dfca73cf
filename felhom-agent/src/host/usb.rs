//! Whether the USB disks of the configuration are there, mounted where they should be, and again after a reboot.

use std::path::Path;

use proxmox_privileged::Runner;
use proxmox_privileged::mount::alias::Aliases;
use proxmox_privileged::mount::filesystem::{FsType, Survey};
use proxmox_privileged::mount::findmnt::{Mount, TableError, mount_of, mount_state};
use proxmox_privileged::mount::fstab::{AtBoot, FstabConflict, at_boot, in_the_way};
use proxmox_privileged::mount::{Candidates, MountError, TargetPlace, sole_holder};
use serde::{Serialize, Serializer};
use serde_json::json;

use super::device::{Devices, is_same};
use super::place::place_of;
use crate::config::UsbDisk;
use crate::report::finding::{Finding, Remedy, Status};

/// What is known of a disk.
#[derive(Clone, Debug, Serialize)]
pub struct UsbState {
    /// Its name.
    pub name: String,
    /// The file system that it should hold.
    pub uuid: String,
    /// Where it should be mounted.
    pub target: String,
    /// The devices that hold the file system, as far as it is known.
    pub devices: Vec<String>,
    /// What is mounted at the target.
    pub mount: Option<Mount>,
    /// Whether it is mounted, and nothing can be written to it.
    pub read_only: bool,
    /// The verdict, why, and the command that repairs it or shows more of it.
    #[serde(flatten, serialize_with = "judged")]
    pub finding: Finding,
}

/// The finding as the document has it: no command, or one.
fn judged<S: Serializer>(finding: &Finding, serializer: S) -> Result<S::Ok, S::Error> {
    let of =
        |wanted: &str| finding.commands().find(|(label, _)| *label == wanted).map(|(_, command)| command);
    let (fix, look) = (of("fix"), of("look"));
    json!({ "status": finding.status, "summary": finding.summary, "fix": fix, "look": look })
        .serialize(serializer)
}

/// Looks at a disk of the configuration.
pub async fn examine(
    runner: &dyn Runner,
    devices: &Devices,
    fstab: &[u8],
    disk: &UsbDisk,
) -> Result<UsbState, TableError> {
    let UsbDisk { target, uuid, .. } = disk;
    let candidates = devices.candidates(disk.any_disk);
    let survey = devices.survey(runner, disk.any_disk).await;
    let holders: Vec<String> = survey.holders(uuid).iter().map(|known| known.device.clone()).collect();
    let mount = mount_state(runner, target).await?;
    let elsewhere = match (&mount, holders.first()) {
        (None, Some(device)) => mount_of(runner, uuid, device).await?,
        _ => None,
    };
    let aliases = Aliases::new(uuid, &survey, is_same);
    let facts = DiskFacts {
        place: place_of(target),
        holder: holder(runner, devices, disk, &survey, mount.is_some()).await,
        candidates,
        devices: &holders,
        mount: mount.as_ref(),
        unwritable: mount.as_ref().and_then(|mount| unwritable(devices, &disk.name, mount)),
        elsewhere: elsewhere.as_ref(),
        at_boot: at_boot(fstab, target, &aliases),
        in_the_way: in_the_way(fstab, target, &aliases),
        is_pulled: mount.as_ref().is_some_and(is_pulled),
    };
    Ok(UsbState {
        name: disk.name.clone(),
        uuid: uuid.to_string(),
        target: target.to_string(),
        read_only: facts.unwritable.is_some(),
        finding: facts.judge(disk),
        mount,
        devices: holders,
    })
}

/// Who holds the file system, as `usb mount` would find. Of a disk that is mounted already, or not there, the other disks
/// are not asked, since that wakes those that sleep.
async fn holder(
    runner: &dyn Runner,
    devices: &Devices,
    disk: &UsbDisk,
    survey: &Survey,
    is_mounted: bool,
) -> Result<(String, FsType), MountError> {
    let candidates = devices.candidates(disk.any_disk);
    let found = sole_holder(survey, &disk.uuid, &candidates)?;
    if is_mounted {
        return Ok(found);
    }
    let survey = Survey::of(runner, &candidates.devices, devices.filesystems()).await;
    sole_holder(&survey, &disk.uuid, &candidates)
}

/// What decides.
struct DiskFacts<'a> {
    place: TargetPlace,
    holder: Result<(String, FsType), MountError>,
    candidates: Candidates,
    devices: &'a [String],
    mount: Option<&'a Mount>,
    unwritable: Option<(String, Remedy)>,
    elsewhere: Option<&'a Mount>,
    at_boot: AtBoot,
    in_the_way: Option<FstabConflict>,
    is_pulled: bool,
}

/// Whether the device of a mount is no longer there. Its mount stays, and whatever reads from it fails.
fn is_pulled(mount: &Mount) -> bool {
    mount.source.starts_with("/dev/") && matches!(Path::new(&mount.source).try_exists(), Ok(false))
}

/// Why nothing can be written to what is mounted for the disk of that name, if that is so, and what to do about it.
///
/// NTFS is mounted read-only while Windows hibernates on it; only Windows can end that.
pub fn unwritable(devices: &Devices, name: &str, mount: &Mount) -> Option<(String, Remedy)> {
    let (text, device) = (mount.unwritable()?, &mount.source);
    if devices.is_write_protected(device) {
        let look = format!("lsblk -o NAME,RO,MODEL,SERIAL {device}");
        return Some((format!("{text}: {device} is write-protected"), Remedy::Look(look)));
    }
    let remedy = match mount.kind.as_str() {
        "ntfs" | "ntfs3" | "fuseblk" => Remedy::look("journalctl -b | grep -i ntfs | tail"),
        _ => Remedy::Fix(format!(
            "felhom-agent usb unmount {name} && fsck -p {device}; felhom-agent usb mount {name}"
        )),
    };
    Some((text.into(), remedy))
}

/// The command that shows why a disk is not mounted, where one does.
pub fn look(error: &MountError) -> Option<String> {
    Some(match error {
        MountError::Ambivalent { devices, .. } => {
            let lines: Vec<_> = devices.iter().map(|device| format!("wipefs -n {device}")).collect();
            lines.join(" && ")
        }
        MountError::NotProbed { errors, .. } => {
            format!("blkid -p {}", errors.first().map(|error| error.device.to_string()).unwrap_or_default())
        }
        MountError::NotFound { .. } | MountError::Unsupported { .. } => "lsblk -f".into(),
        MountError::Duplicate { .. } => "blkid".into(),
        MountError::Foreign { .. } | MountError::NotUsb { .. } => {
            "lsblk -o NAME,TRAN,FSTYPE,UUID,MOUNTPOINTS".into()
        }
        _ => return None,
    })
}

/// A disk that `usb mount` and `usb persist` refuse.
fn refused(error: &MountError) -> Finding {
    let (status, text) = match error {
        MountError::NotFound { .. } => (Status::Warn, "not plugged in".into()),
        MountError::Ambivalent { .. } | MountError::NotProbed { .. } => (Status::Warn, error.to_string()),
        MountError::Duplicate { devices, .. } => {
            (Status::Fail, format!("it is on {}: one is a copy", devices.join(" and on ")))
        }
        _ => (Status::Fail, error.to_string()),
    };
    look(error).into_iter().fold(Finding::new(status, text), Finding::look)
}

impl DiskFacts<'_> {
    fn judge(&self, disk: &UsbDisk) -> Finding {
        let target = &disk.target;
        match (self.place, self.mount) {
            (TargetPlace::Symlink, _) => Finding::fail(
                format!("{target} is a symbolic link"),
                Remedy::look(format!("ls -ld {target}")),
            ),
            (TargetPlace::NotDirectory, _) => {
                Finding::fail(format!("{target} is no directory"), Remedy::look(format!("ls -ld {target}")))
            }
            (TargetPlace::Writable, _) => Finding::fail(
                format!("somebody but root can write to {target}"),
                Remedy::fix(format!(
                    "chown root:root /mnt /mnt/felhom {target} && chmod go-w /mnt /mnt/felhom {target}"
                )),
            ),
            (_, Some(mount)) if mount.is_automount() && self.at_boot == AtBoot::Awaited => self.waiting(disk),
            (_, Some(mount)) => self.mounted(disk, mount),
            (_, None) => self.not_mounted(disk),
        }
    }

    /// An automount on the target is for this disk: what comes of it shows when somebody looks there.
    fn waiting(&self, disk: &UsbDisk) -> Finding {
        match &self.holder {
            Ok(_) => Finding::skip(format!("waits for first use at {}", disk.target)),
            Err(error) => refused(error),
        }
    }

    fn mounted(&self, disk: &UsbDisk, mount: &Mount) -> Finding {
        let UsbDisk { name, target, uuid, .. } = disk;
        let is_ours = mount.uuid == uuid.as_str() || self.devices.contains(&mount.source);
        if self.is_pulled {
            let text = format!("{} was pulled out while it was mounted at {target}", mount.source);
            return Finding::warn(text).fix(format!("felhom-agent usb unmount {name}"));
        }
        if !is_ours {
            return Finding::fail(
                format!("{target} holds {}", mount.source),
                Remedy::look(format!("findmnt {target}")),
            );
        }
        if let Err(error) = self.candidates.permit(uuid, &mount.source) {
            let fix = Remedy::fix(format!("felhom-agent usb unmount {name}"));
            return Finding::fail(format!("mounted at {target}: {error}"), fix);
        }
        if let Err(error @ MountError::Duplicate { .. }) = &self.holder {
            return refused(error);
        }
        if let Some((why, remedy)) = &self.unwritable {
            return Finding::fail(format!("mounted at {target}, but {why}"), remedy.clone());
        }
        if !mount.is_harmless() {
            let fix = format!("felhom-agent usb unmount {name} && felhom-agent usb mount {name}");
            return Finding::warn(format!("mounted at {target} without nosuid, nodev and noexec")).fix(fix);
        }
        self.persistent(disk)
    }

    fn not_mounted(&self, disk: &UsbDisk) -> Finding {
        if let Some(mount) = self.elsewhere {
            return Finding::fail(
                format!("it is mounted at {}", mount.target),
                Remedy::fix(format!("umount {}", mount.target)),
            );
        }
        match &self.holder {
            Ok(_) => Finding::warn("not mounted").fix(format!("felhom-agent usb mount {}", disk.name)),
            Err(error) => refused(error),
        }
    }

    /// Mounted as it should be; whether also after a reboot.
    fn persistent(&self, disk: &UsbDisk) -> Finding {
        let target = &disk.target;
        match (self.at_boot, &self.in_the_way) {
            (AtBoot::Mounted, _) => Finding::ok(format!("mounted at {target}, and again after a reboot")),
            (AtBoot::Awaited, _) => {
                Finding::ok(format!("mounted at {target}, and again after a reboot, on first use"))
            }
            (AtBoot::Nothing, None) => {
                let fix = format!("felhom-agent usb persist {}", disk.name);
                Finding::warn(format!("mounted at {target}, but not after a reboot")).fix(fix)
            }
            (AtBoot::Nothing, Some(conflict)) => {
                let look = format!("sed -n {}p /etc/fstab", conflict.line);
                Finding::warn(format!("mounted at {target}, but not after a reboot: {conflict}")).look(look)
            }
        }
    }
}

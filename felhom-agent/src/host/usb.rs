//! Whether the USB disks of the configuration are there, mounted where they should be, and again after a reboot.

use std::path::Path;

use proxmox_privileged::Runner;
use proxmox_privileged::findmnt::{Mount, TableError, mount_of, mount_state};
use proxmox_privileged::fstab::{FstabEntry, find};
use proxmox_privileged::mount::Place;
use serde::Serialize;

use super::device::Devices;
use super::place::place_of;
use crate::config::usb::UsbDisk;
use crate::finding::Status;

/// What is known of a disk.
#[derive(Clone, Debug, Serialize)]
pub struct UsbState {
    /// Its name.
    pub name: String,
    /// The file system that it should hold.
    pub uuid: String,
    /// Where it should be mounted.
    pub target: String,
    /// The devices that hold the file system, as udev knows them.
    pub devices: Vec<String>,
    /// What is mounted at the target.
    pub mount: Option<Mount>,
    /// The verdict.
    pub status: Status,
    /// Why.
    pub summary: String,
    /// The command that repairs it.
    pub fix: Option<String>,
}

/// Looks at a disk of the configuration.
pub async fn examine(
    runner: &dyn Runner,
    devices: &Devices,
    fstab: &[u8],
    disk: &UsbDisk,
) -> Result<UsbState, TableError> {
    let known = devices.filesystems().into_iter().filter(|known| known.uuid.as_ref() == Some(&disk.uuid));
    let devices: Vec<String> = known.map(|known| known.device).collect();
    let mount = mount_state(runner, &disk.target).await?;
    let elsewhere = match (&mount, devices.first()) {
        (None, Some(device)) => mount_of(runner, &disk.uuid, device).await?,
        _ => None,
    };
    let facts = Facts {
        place: place_of(&disk.target),
        devices: &devices,
        mount: mount.as_ref(),
        elsewhere: elsewhere.as_ref(),
        entry: find(fstab, &disk.target),
        is_pulled: mount.as_ref().is_some_and(is_pulled),
    };
    let (status, summary, fix) = facts.judge(disk);
    Ok(UsbState {
        name: disk.name.clone(),
        uuid: disk.uuid.to_string(),
        target: disk.target.to_string(),
        mount,
        status,
        summary,
        fix,
        devices,
    })
}

/// What decides.
struct Facts<'a> {
    place: Place,
    devices: &'a [String],
    mount: Option<&'a Mount>,
    elsewhere: Option<&'a Mount>,
    entry: Option<FstabEntry>,
    is_pulled: bool,
}

/// Whether the device of a mount is no longer there. Its mount stays, and whatever reads from it fails.
fn is_pulled(mount: &Mount) -> bool {
    mount.source.starts_with("/dev/") && matches!(Path::new(&mount.source).try_exists(), Ok(false))
}

impl Facts<'_> {
    fn judge(&self, disk: &UsbDisk) -> (Status, String, Option<String>) {
        let UsbDisk { name, target, uuid } = disk;
        let fail = |text: String, fix: String| (Status::Fail, text, Some(fix));
        let warn = |text: String, fix: String| (Status::Warn, text, Some(fix));
        let is_ours = |mount: &Mount| mount.uuid == uuid.as_str() || self.devices.contains(&mount.source);
        match (self.place, self.mount, self.elsewhere) {
            (Place::Symlink, ..) => fail(format!("{target} is a symbolic link"), format!("ls -ld {target}")),
            (Place::NotDirectory, ..) => {
                fail(format!("{target} is no directory"), format!("ls -ld {target}"))
            }
            (Place::Writable, ..) => fail(
                format!("somebody but root can write to {target}"),
                format!("ls -ld /mnt /mnt/felhom {target}"),
            ),
            (_, Some(mount), _) if self.is_pulled => {
                let text = format!("{} was pulled out while it was mounted at {target}", mount.source);
                warn(text, format!("felhom-agent usb unmount {name}"))
            }
            (_, Some(mount), _) if !is_ours(mount) => {
                fail(format!("{target} holds {}", mount.source), format!("findmnt {target}"))
            }
            (_, None, Some(mount)) => {
                fail(format!("it is mounted at {}", mount.target), format!("umount {}", mount.target))
            }
            _ if self.devices.len() > 1 => {
                fail(format!("it is on {}: one is a copy", self.devices.join(" and on ")), "blkid".into())
            }
            (_, Some(mount), _) if !mount.is_harmless() => {
                let fix = format!("felhom-agent usb unmount {name} && felhom-agent usb mount {name}");
                warn(format!("mounted at {target} without nosuid, nodev and noexec"), fix)
            }
            (_, Some(_), _) => self.persistent(disk),
            (_, None, None) if self.devices.is_empty() => {
                (Status::Warn, "not plugged in".into(), Some("lsblk -f".into()))
            }
            (_, None, None) => warn("not mounted".into(), format!("felhom-agent usb mount {name}")),
        }
    }

    /// Mounted as it should be; whether also after a reboot.
    fn persistent(&self, disk: &UsbDisk) -> (Status, String, Option<String>) {
        let target = &disk.target;
        match &self.entry {
            Some(entry) if entry.uuid == disk.uuid => {
                (Status::Ok, format!("mounted at {target}, and again after a reboot"), None)
            }
            _ => {
                let fix = format!("felhom-agent usb persist {}", disk.name);
                (Status::Warn, format!("mounted at {target}, but not after a reboot"), Some(fix))
            }
        }
    }
}

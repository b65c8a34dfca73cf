//! Whether the USB disks of the configuration are there, mounted where they should be, and again after a reboot.

use std::path::Path;

use proxmox_privileged::Runner;
use proxmox_privileged::findmnt::{Mount, TableError, mount_of, mount_state};
use proxmox_privileged::fstab::{FstabEntry, find};
use proxmox_privileged::mount::{Candidates, Place};
use serde::Serialize;

use super::device::Devices;
use super::place::place_of;
use crate::config::usb::UsbDisk;
use crate::finding::{Remedy, Status};

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
    /// The command that only shows more of it.
    pub look: Option<String>,
}

/// Looks at a disk of the configuration.
pub async fn examine(
    runner: &dyn Runner,
    devices: &Devices,
    fstab: &[u8],
    disk: &UsbDisk,
) -> Result<UsbState, TableError> {
    let candidates = devices.candidates(disk.any_disk);
    let known = devices.filesystems().into_iter().filter(|known| known.uuid.as_ref() == Some(&disk.uuid));
    let devices: Vec<String> = known.map(|known| known.device).collect();
    let mount = mount_state(runner, &disk.target).await?;
    let elsewhere = match (&mount, devices.first()) {
        (None, Some(device)) => mount_of(runner, &disk.uuid, device).await?,
        _ => None,
    };
    let facts = Facts {
        place: place_of(&disk.target),
        candidates,
        devices: &devices,
        mount: mount.as_ref(),
        elsewhere: elsewhere.as_ref(),
        entry: find(fstab, &disk.target),
        is_pulled: mount.as_ref().is_some_and(is_pulled),
    };
    let (status, summary, remedy) = facts.judge(disk);
    let (fix, look) = match remedy {
        Some(Remedy::Fix(fix)) => (Some(fix), None),
        Some(Remedy::Look(look)) => (None, Some(look)),
        None => (None, None),
    };
    Ok(UsbState {
        name: disk.name.clone(),
        uuid: disk.uuid.to_string(),
        target: disk.target.to_string(),
        mount,
        status,
        summary,
        fix,
        look,
        devices,
    })
}

/// What decides.
struct Facts<'a> {
    place: Place,
    candidates: Candidates,
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

/// A verdict, why, and the command against it.
type Judged = (Status, String, Option<Remedy>);

fn fail(text: String, remedy: Remedy) -> Judged {
    (Status::Fail, text, Some(remedy))
}

fn warn(text: String, remedy: Remedy) -> Judged {
    (Status::Warn, text, Some(remedy))
}

impl Facts<'_> {
    fn judge(&self, disk: &UsbDisk) -> Judged {
        let target = &disk.target;
        match (self.place, self.mount) {
            (Place::Symlink, _) => {
                fail(format!("{target} is a symbolic link"), Remedy::look(format!("ls -ld {target}")))
            }
            (Place::NotDirectory, _) => {
                fail(format!("{target} is no directory"), Remedy::look(format!("ls -ld {target}")))
            }
            (Place::Writable, _) => fail(
                format!("somebody but root can write to {target}"),
                Remedy::fix(format!(
                    "chown root:root /mnt /mnt/felhom {target} && chmod go-w /mnt /mnt/felhom {target}"
                )),
            ),
            (_, Some(mount)) => self.mounted(disk, mount),
            (_, None) => self.not_mounted(disk),
        }
    }

    fn mounted(&self, disk: &UsbDisk, mount: &Mount) -> Judged {
        let UsbDisk { name, target, uuid, .. } = disk;
        let is_ours = mount.uuid == uuid.as_str() || self.devices.contains(&mount.source);
        if self.is_pulled {
            let text = format!("{} was pulled out while it was mounted at {target}", mount.source);
            return warn(text, Remedy::fix(format!("felhom-agent usb unmount {name}")));
        }
        if !is_ours {
            return fail(
                format!("{target} holds {}", mount.source),
                Remedy::look(format!("findmnt {target}")),
            );
        }
        if let Err(error) = self.candidates.permit(uuid, &mount.source) {
            let fix = Remedy::fix(format!("felhom-agent usb unmount {name}"));
            return fail(format!("mounted at {target}: {error}"), fix);
        }
        if self.devices.len() > 1 {
            return self.copied();
        }
        if !mount.is_harmless() {
            let fix = format!("felhom-agent usb unmount {name} && felhom-agent usb mount {name}");
            return warn(format!("mounted at {target} without nosuid, nodev and noexec"), Remedy::Fix(fix));
        }
        self.persistent(disk)
    }

    fn not_mounted(&self, disk: &UsbDisk) -> Judged {
        if let Some(mount) = self.elsewhere {
            return fail(
                format!("it is mounted at {}", mount.target),
                Remedy::fix(format!("umount {}", mount.target)),
            );
        }
        match self.devices {
            [] => warn("not plugged in".into(), Remedy::look("lsblk -f")),
            [device] => match self.candidates.permit(&disk.uuid, device) {
                Ok(()) => {
                    warn("not mounted".into(), Remedy::fix(format!("felhom-agent usb mount {}", disk.name)))
                }
                Err(error) => {
                    fail(error.to_string(), Remedy::look("lsblk -o NAME,TRAN,FSTYPE,UUID,MOUNTPOINTS"))
                }
            },
            _ => self.copied(),
        }
    }

    fn copied(&self) -> Judged {
        fail(format!("it is on {}: one is a copy", self.devices.join(" and on ")), Remedy::look("blkid"))
    }

    /// Mounted as it should be; whether also after a reboot.
    fn persistent(&self, disk: &UsbDisk) -> Judged {
        let target = &disk.target;
        match &self.entry {
            Some(entry) if entry.uuid == disk.uuid => {
                (Status::Ok, format!("mounted at {target}, and again after a reboot"), None)
            }
            _ => {
                let fix = Remedy::fix(format!("felhom-agent usb persist {}", disk.name));
                (Status::Warn, format!("mounted at {target}, but not after a reboot"), Some(fix))
            }
        }
    }
}

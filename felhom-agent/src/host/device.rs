//! Block devices, as the kernel and udev know them.
//!
//! Source: Linux `Documentation/ABI/testing/sysfs-block`, systemd `src/libsystemd/sd-device`: udev keeps what it knows of
//! a device in `/run/udev/data/bMAJOR:MINOR`.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use proxmox_privileged::Runner;
use proxmox_privileged::argument::{BlockDevice, Disk};
use proxmox_privileged::disks::{block_devices, disks};
use proxmox_privileged::mount::Candidates;
use proxmox_privileged::mount::filesystem::{Filesystem, Survey};

/// Where the kernel and udev tell.
#[derive(Clone, Debug)]
pub struct Devices {
    class: PathBuf,
    disks: PathBuf,
    udev: PathBuf,
}

/// A disk or a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostDevice {
    /// Its node.
    pub device: BlockDevice,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Whether it hangs on a USB port.
    pub is_usb: bool,
    /// What udev saw on it.
    pub filesystem: Option<Filesystem>,
    /// Whether udev saw a table of partitions on it.
    pub has_table: bool,
}

/// Whether a path is, or leads to, the device: both have its number.
pub fn is_same(path: &str, device: &str) -> bool {
    let number = |path: &str| {
        let facts = fs::metadata(path).ok().filter(|facts| facts.file_type().is_block_device())?;
        Some(facts.rdev())
    };
    number(path).is_some_and(|found| number(device) == Some(found))
}

impl Devices {
    /// Those of this host.
    pub fn of_host() -> Self {
        Self::below(Path::new("/"))
    }

    /// Those of a file system tree, for tests.
    pub fn below(root: &Path) -> Self {
        Self {
            class: root.join("sys/class/block"),
            disks: root.join("sys/block"),
            udev: root.join("run/udev/data"),
        }
    }

    /// The disks.
    pub fn disks(&self) -> Vec<Disk> {
        disks(names(&self.disks).iter().map(String::as_str))
    }

    /// The disks and partitions that can be asked for a file system.
    pub fn list(&self) -> Vec<HostDevice> {
        let devices = block_devices(names(&self.class).iter().map(String::as_str));
        devices.into_iter().map(|device| self.describe(device)).collect()
    }

    /// What udev knows of every block device, also of those that cannot be asked.
    pub fn filesystems(&self) -> Vec<Filesystem> {
        let known = names(&self.class).into_iter().filter_map(|name| self.udev_of(&name));
        known.collect()
    }

    /// The disks and partitions, and which of them may be mounted: those on USB, or any.
    pub fn candidates(&self, any_disk: bool) -> Candidates {
        let listed = self.list();
        let allowed = listed.iter().filter(|device| any_disk || device.is_usb);
        Candidates {
            allowed: allowed.map(|device| device.device.clone()).collect(),
            devices: listed.into_iter().map(|device| device.device).collect(),
        }
    }

    /// What udev knows, and what those devices hold that may be mounted and of which it knows nothing.
    pub async fn survey(&self, runner: &dyn Runner, any_disk: bool) -> Survey {
        let is_unknown = |device: &HostDevice| device.filesystem.is_none() && !device.has_table;
        let unknown =
            self.list().into_iter().filter(|device| is_unknown(device) && (any_disk || device.is_usb));
        let unknown: Vec<_> = unknown.map(|device| device.device).collect();
        Survey::of(runner, &unknown, self.filesystems()).await
    }

    /// Whether nobody can write to a device, as the kernel says.
    pub fn is_write_protected(&self, device: &str) -> bool {
        let name = device.trim_start_matches("/dev/");
        read(&self.class.join(name).join("ro")).is_some_and(|text| text == "1")
    }

    fn describe(&self, device: BlockDevice) -> HostDevice {
        let name = device.as_str().trim_start_matches("/dev/").to_string();
        let folder = self.class.join(&name);
        let sectors = read(&folder.join("size")).and_then(|text| text.parse().ok()).unwrap_or(0_u64);
        let way = fs::canonicalize(&folder).unwrap_or_default();
        let is_usb = way.iter().any(|part| part.to_string_lossy().starts_with("usb"));
        // The kernel counts in sectors of 512 bytes, whatever the disk does.
        let size_bytes = sectors.saturating_mul(512);
        let known = self.known(&name).unwrap_or_default();
        let has = |key: &str| known.lines().any(|line| line.starts_with(key));
        // A partition has a copy of what is known of its disk.
        let has_table = has("E:ID_PART_TABLE_TYPE=") && !has("E:ID_PART_ENTRY_");
        HostDevice { filesystem: self.udev_of(&name), device, size_bytes, is_usb, has_table }
    }

    fn udev_of(&self, name: &str) -> Option<Filesystem> {
        Filesystem::from_udev(&format!("/dev/{name}"), &self.known(name)?)
    }

    /// What udev has written down of a device.
    fn known(&self, name: &str) -> Option<String> {
        let number = read(&self.class.join(name).join("dev"))?;
        read(&self.udev.join(format!("b{number}")))
    }
}

/// The names in a folder; none if it cannot be read.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn read(path: &Path) -> Option<String> {
    // What udev read from a disk may hold any byte.
    fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).trim().to_string())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn device(root: &Path, way: &str, number: &str, size: &str, udev: &[u8]) {
        let name = way.rsplit('/').next().unwrap();
        let folder = root.join("sys/devices").join(way);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("dev"), format!("{number}\n")).unwrap();
        fs::write(folder.join("size"), format!("{size}\n")).unwrap();
        fs::write(root.join(format!("run/udev/data/b{number}")), udev).unwrap();
        symlink(&folder, root.join("sys/class/block").join(name)).unwrap();
    }

    #[test]
    fn devices_have_a_size_a_port_and_what_udev_saw() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["sys/class/block", "sys/block", "run/udev/data"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let stick = b"E:ID_MODEL=\xe9\nE:ID_FS_UUID=1A2B-3C4D\nE:ID_FS_TYPE=vfat\nE:ID_FS_LABEL=CAF\xc9\n";
        device(root.path(), "pci0/usb2/2-1/block/sdb/sdb1", "8:17", "2048", stick);
        device(root.path(), "pci0/ata1/block/sda", "8:0", "4096", b"E:ID_BUS=ata\n");
        device(
            root.path(),
            "virtual/block/dm-0",
            "252:0",
            "8",
            b"E:ID_FS_UUID=1A2B-3C4D\nE:ID_FS_TYPE=vfat\n",
        );
        let devices = Devices::below(root.path());
        let listed = devices.list();
        let facts: Vec<_> = listed
            .iter()
            .map(|device| {
                (device.device.as_str(), device.size_bytes, device.is_usb, device.filesystem.is_some())
            })
            .collect();
        assert_eq!(facts, [("/dev/sda", 2 << 20, false, false), ("/dev/sdb1", 1 << 20, true, true)]);
        let allowed = [false, true].map(|any_disk| {
            let candidates = devices.candidates(any_disk);
            (candidates.devices.len(), candidates.allowed.iter().map(ToString::to_string).collect::<Vec<_>>())
        });
        assert_eq!(
            allowed,
            [(2, vec!["/dev/sdb1".into()]), (2, vec!["/dev/sda".into(), "/dev/sdb1".into()])]
        );
        // A copy on a device that cannot be asked is seen all the same.
        let known: Vec<String> = devices.filesystems().into_iter().map(|known| known.device).collect();
        assert_eq!(known.len(), 2, "{known:?}");
    }

    #[test]
    fn a_host_without_sysfs_has_no_devices() {
        let root = tempfile::tempdir().unwrap();
        let devices = Devices::below(root.path());
        assert_eq!((devices.disks().len(), devices.list().len()), (0, 0));
    }
}

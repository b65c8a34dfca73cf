//! Which of the block devices of the node are disks.
//!
//! `smartctl --scan` would tell as well, but it is one more command for root.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt::Display;
use core::str::FromStr;

use crate::command::argument::{BlockDevice, Disk};

/// The real disks among the names in `/sys/block`: `sd*`, `vd*`, `hd*`, `nvme*n*` and `mmcblk*`, short names first.
///
/// Loop devices, device-mapper, md, zvols, optical and RAM disks are none, and neither are the boot partitions of an
/// eMMC.
///
/// ```
/// # use proxmox_privileged::disks::{block_devices, disks};
/// assert_eq!(disks(["sdaa", "sdb", "loop0"]), ["/dev/sdb".parse()?, "/dev/sdaa".parse()?]);
/// assert_eq!(block_devices(["sdb1", "dm-0"]), ["/dev/sdb1".parse()?]);
/// # Ok::<(), proxmox_privileged::Malformed>(())
/// ```
pub fn disks<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<Disk> {
    devices(names)
}

/// The disks and partitions among the names in `/sys/class/block`, short names first.
pub fn block_devices<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<BlockDevice> {
    devices(names)
}

/// The names that have the grammar of a device, in the order `sdb`, `sdaa`, once each.
fn devices<'a, T: FromStr + Display>(names: impl IntoIterator<Item = &'a str>) -> Vec<T> {
    let mut devices: Vec<T> =
        names.into_iter().filter_map(|name| format!("/dev/{name}").parse().ok()).collect();
    devices.sort_by_cached_key(|device| (device.to_string().len(), device.to_string()));
    devices.dedup_by_key(|device| device.to_string());
    devices
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn texts<T: Into<String>>(devices: Vec<T>) -> Vec<String> {
        devices.into_iter().map(Into::into).collect()
    }

    #[test]
    fn only_real_disks_are_disks() {
        let names = "sdaa sdb sda nvme0n1 nvme0c0n1 vda mmcblk0 mmcblk0boot0 mmcblk0rpmb hda loop0 dm-0 md127 zd0 sr0 \
                     ram0 rbd0 nbd0 fd0 sda "
            .split(' ');
        assert_eq!(
            texts(disks(names)),
            ["/dev/hda", "/dev/sda", "/dev/sdb", "/dev/vda", "/dev/sdaa", "/dev/mmcblk0", "/dev/nvme0n1"]
        );
    }

    #[test]
    fn block_devices_are_disks_and_partitions() {
        let names = ["sda", "sda1", "sda10", "sda2", "nvme0n1p1", "loop0p1", "dm-1"];
        assert_eq!(
            texts(block_devices(names)),
            ["/dev/sda", "/dev/sda1", "/dev/sda2", "/dev/sda10", "/dev/nvme0n1p1"]
        );
    }
}

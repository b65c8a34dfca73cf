//! Mounting by UUID on real filesystems: loop devices under the names of disks.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, PermissionsExt, chown, symlink};

use felhom_agent::config::PrivilegedMode;
use felhom_agent::host::device::is_same;
use felhom_agent::host::place::place_of;
use felhom_agent::runner::ProcessRunner;
use proxmox_privileged::argument::{FsUuid, MountTarget};
use proxmox_privileged::mount::filesystem::{Filesystem, Probed, probe};
use proxmox_privileged::mount::findmnt::{Mount, mount_state};
use proxmox_privileged::mount::{
    Candidates, MountError, MountRequest, Mounted, TargetPlace, Unmounted, mount_by_uuid, unmount,
};
use rustix::fs::{CWD, FileType, StatVfsMountFlags, makedev, mknodat, statvfs};
use rustix::mount::{MountFlags, mount_bind};

use crate::contained::{UID, contained, contained_as_user, table, tmpfs};
use crate::given::{chain, now};
use crate::loopdev::{Loop, empty_dev, ext4, make};

pub(crate) const UUID: &str = "1eb2d69a-3f9f-4098-a928-68706a2d5f86";
const OTHER: &str = "7d2f7b0c-5b1e-4a64-9d5e-0c4a1f1f2b3d";
const FAT: &str = "1A2B-3C4D";
const IMAGE: &str = "/run/image";
const DEVICE: &str = "/dev/sda1";
const TARGET: &str = "/mnt/felhom/usb";

fn target() -> MountTarget {
    TARGET.parse().unwrap()
}

fn direct() -> ProcessRunner {
    ProcessRunner::new(PrivilegedMode::Direct)
}

/// A host with no disk but one that holds an ext4.
pub(crate) fn disk() -> Loop {
    empty_dev();
    ext4(IMAGE, UUID, &[]);
    Loop::attach(IMAGE, DEVICE)
}

/// What a caller asks for who has looked at the target and knows these devices.
fn request(uuid: &str, devices: &[&str]) -> MountRequest {
    let devices: Vec<_> = devices.iter().map(|device| device.parse().unwrap()).collect();
    MountRequest {
        uuid: uuid.parse().unwrap(),
        target: target(),
        place: place_of(&target()),
        candidates: Candidates { allowed: devices.clone(), devices },
        fstab: Vec::new(),
        is_same,
        udev: Vec::new(),
    }
}

/// The filesystem that the disk holds.
fn probed() -> Filesystem {
    match now(probe(&direct(), &DEVICE.parse().unwrap())).unwrap() {
        Probed::Filesystem(found) => found,
        other => panic!("{other:?}"),
    }
}

fn mounted(uuid: &str, devices: &[&str]) -> Result<Mounted, MountError> {
    now(mount_by_uuid(&direct(), &request(uuid, devices)))
}

/// Why nothing was mounted; and nothing is.
fn refused(uuid: &str, devices: &[&str]) -> String {
    let before = table();
    let error = mounted(uuid, devices).unwrap_err();
    assert_eq!((table(), error.may_have_happened()), (before, false));
    chain(&error)
}

fn state() -> Option<Mount> {
    now(mount_state(&direct(), &target())).unwrap()
}

fn released(was_mounted: bool) {
    assert_eq!(now(unmount(&direct(), &target())).unwrap(), Unmounted { was_mounted });
    assert_eq!(state(), None);
}

#[test]
fn a_disk_is_mounted_by_its_uuid_once_and_unmounted_once() {
    contained(|| {
        let _disk = disk();
        assert_eq!((place_of(&target()), fs::exists("/mnt/felhom").unwrap()), (TargetPlace::Absent, false));
        let first = mounted(UUID, &[DEVICE]).unwrap();
        let Mount { source, target, root, kind, uuid, .. } = &first.mount;
        assert_eq!(
            (first.was_mounted, [source, target, root, kind, uuid].map(String::as_str)),
            (false, [DEVICE, TARGET, "/", "ext4", UUID])
        );
        let before = table();
        let again = Mounted { was_mounted: true, ..first };
        assert_eq!((mounted(UUID, &[DEVICE]).unwrap(), table()), (again, before));
        released(true);
        released(false);
        // mount has made the directory, for root alone.
        let modes =
            ["/mnt/felhom", TARGET].map(|path| fs::metadata(path).unwrap().permissions().mode() & 0o7777);
        assert_eq!((modes, place_of(&self::target())), ([0o755; 2], TargetPlace::Directory));
    });
}

#[test]
fn nothing_on_a_disk_gains_privileges_is_a_device_or_runs() {
    contained(|| {
        let _disk = disk();
        let mount = mounted(UUID, &[DEVICE]).unwrap().mount;
        assert!(mount.is_harmless(), "{mount:?}");
        let flags = statvfs(TARGET).unwrap().f_flag;
        let wanted = StatVfsMountFlags::NOSUID | StatVfsMountFlags::NODEV | StatVfsMountFlags::NOEXEC;
        assert!(flags.contains(wanted), "{flags:?}");
        let device = format!("{TARGET}/zero");
        mknodat(CWD, &device, FileType::CharacterDevice, 0o666.into(), makedev(1, 5)).unwrap();
        let denied = |error: io::Error| error.kind() == io::ErrorKind::PermissionDenied;
        assert!(File::open(&device).is_err_and(denied));
        let program = format!("{TARGET}/true");
        fs::copy("/usr/bin/true", &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o4755)).unwrap();
        assert!(starts(&program).is_err_and(denied));
        fs::remove_file(device).unwrap();
        released(true);
    });
}

#[expect(clippy::disallowed_types, reason = "a program on the disk is no command of the library")]
fn starts(program: &str) -> io::Result<std::process::ExitStatus> {
    std::process::Command::new(program).status()
}

#[test]
fn the_account_alone_cannot_look_at_a_disk() {
    contained_as_user(
        |user| {
            let _disk = disk();
            fs::set_permissions(DEVICE, fs::Permissions::from_mode(0o660)).unwrap();
            user();
        },
        || {
            let cause = "/dev/sda1 cannot be probed: blkid: error: /dev/sda1: Permission denied";
            let text = format!("no device is known to hold filesystem {UUID}: {cause}");
            assert_eq!(refused(UUID, &[DEVICE]), text);
        },
    );
}

#[test]
fn a_uuid_that_no_disk_has_is_not_found() {
    contained(|| {
        let _disk = disk();
        assert_eq!(refused(OTHER, &[DEVICE]), format!("no device holds filesystem {OTHER}"));
        assert_eq!(refused(FAT, &[DEVICE]), format!("no device holds filesystem {FAT}"));
        assert_eq!(refused(UUID, &[]), format!("no device holds filesystem {UUID}"));
    });
}

#[test]
fn a_copied_disk_beside_its_original_is_refused() {
    contained(|| {
        let disk = disk();
        fs::copy(IMAGE, "/run/copy").unwrap();
        let copy = Loop::attach("/run/copy", "/dev/sdb1");
        let text = format!("filesystem {UUID} is on /dev/sda1 and on /dev/sdb1");
        assert_eq!(refused(UUID, &[DEVICE, "/dev/sdb1"]), text);
        // What only udev knows counts as well.
        let hidden = Filesystem {
            device: "/dev/dm-3".into(),
            uuid: Some(UUID.parse().unwrap()),
            kind: "ext4".into(),
            ..Filesystem::default()
        };
        let request = MountRequest { udev: vec![hidden], ..request(UUID, &[DEVICE]) };
        let error = now(mount_by_uuid(&direct(), &request)).unwrap_err();
        assert_eq!(error.to_string(), format!("filesystem {UUID} is on /dev/dm-3 and on /dev/sda1"));
        drop((disk, copy));
    });
}

#[test]
fn a_place_that_is_not_roots_own_directory_is_refused() {
    contained(|| {
        let _disk = disk();
        let refused = || refused(UUID, &[DEVICE]);
        let is = |place: &str| format!("{TARGET} is no place to mount on: {place}");
        fs::create_dir_all("/mnt/elsewhere/usb").unwrap();
        symlink("/mnt/elsewhere", "/mnt/felhom").unwrap();
        assert_eq!(refused(), is("Symlink"), "a parent that is a link");
        fs::remove_file("/mnt/felhom").unwrap();
        fs::create_dir("/mnt/felhom").unwrap();
        symlink("/etc", TARGET).unwrap();
        assert_eq!(refused(), is("Symlink"), "a link");
        fs::remove_file(TARGET).unwrap();
        symlink("/nowhere", TARGET).unwrap();
        assert_eq!(refused(), is("Symlink"), "a link that leads nowhere");
        fs::remove_file(TARGET).unwrap();
        File::create(TARGET).unwrap();
        assert_eq!(refused(), is("NotDirectory"));
        fs::remove_file(TARGET).unwrap();
        fs::create_dir(TARGET).unwrap();
        fs::set_permissions(TARGET, fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(refused(), is("Writable"));
        fs::set_permissions(TARGET, fs::Permissions::from_mode(0o755)).unwrap();
        chown("/mnt/felhom", Some(UID), None).unwrap();
        assert_eq!(refused(), is("Writable"), "a parent of somebody else");
    });
}

#[test]
fn a_stick_whose_root_belongs_to_somebody_and_is_open_to_all_is_mounted_once() {
    contained(|| {
        let _disk = disk();
        mounted(UUID, &[DEVICE]).unwrap();
        chown(TARGET, Some(1000), Some(1000)).unwrap();
        fs::set_permissions(TARGET, fs::Permissions::from_mode(0o777)).unwrap();
        for _ in 0..2 {
            let before = table();
            assert_eq!(place_of(&target()), TargetPlace::MountPoint);
            assert!(mounted(UUID, &[DEVICE]).unwrap().was_mounted);
            assert_eq!(table(), before);
            released(true);
            assert_eq!(place_of(&target()), TargetPlace::Directory);
            assert!(!mounted(UUID, &[DEVICE]).unwrap().was_mounted);
        }
        // Whoever can write to the way could put another directory there.
        chown("/mnt/felhom", Some(UID), None).unwrap();
        let text = format!("{TARGET} is no place to mount on: Writable");
        assert_eq!(refused(UUID, &[DEVICE]), text);
        released(true);
    });
}

#[test]
fn another_filesystem_on_the_target_is_left_there() {
    contained(|| {
        let _disk = disk();
        fs::create_dir_all(TARGET).unwrap();
        tmpfs(TARGET);
        let text = format!("{TARGET} holds tmpfs, not filesystem {UUID}");
        assert_eq!(refused(UUID, &[DEVICE]), text);
        released(true);
        ext4("/run/other", OTHER, &[]);
        let _other = Loop::attach("/run/other", "/dev/sdb1");
        mounted(OTHER, &[DEVICE, "/dev/sdb1"]).unwrap();
        let text = format!("{TARGET} holds /dev/sdb1, not filesystem {UUID}");
        assert_eq!(refused(UUID, &[DEVICE, "/dev/sdb1"]), text);
        released(true);
    });
}

#[test]
fn a_filesystem_that_is_mounted_elsewhere_is_left_there() {
    contained(|| {
        let _disk = disk();
        fs::create_dir_all("/mnt/elsewhere").unwrap();
        rustix::mount::mount(DEVICE, "/mnt/elsewhere", "ext4", MountFlags::empty(), None).unwrap();
        let text = format!("filesystem {UUID} is already mounted on /mnt/elsewhere");
        assert_eq!(refused(UUID, &[DEVICE]), text);
        // A part of it on the target is not the filesystem.
        fs::create_dir_all("/mnt/elsewhere/part").unwrap();
        fs::create_dir_all(TARGET).unwrap();
        mount_bind("/mnt/elsewhere/part", TARGET).unwrap();
        assert_eq!(refused(UUID, &[DEVICE]), format!("{TARGET} holds {DEVICE}, not filesystem {UUID}"));
        released(true);
        rustix::mount::unmount("/mnt/elsewhere", rustix::mount::UnmountFlags::empty()).unwrap();
    });
}

#[test]
fn a_busy_disk_stays_mounted_and_says_so() {
    contained(|| {
        let _disk = disk();
        let mount = mounted(UUID, &[DEVICE]).unwrap().mount;
        let file = File::create(format!("{TARGET}/open")).unwrap();
        let error = now(unmount(&direct(), &target())).unwrap_err();
        assert_eq!(error.to_string(), format!("{TARGET}: umount: {TARGET}: target is busy."));
        assert_eq!((state(), error.may_have_happened()), (Some(mount), false));
        drop(file);
        released(true);
    });
}

#[test]
fn mounts_on_top_of_each_other_are_all_unmounted() {
    contained(|| {
        let _disk = disk();
        mounted(UUID, &[DEVICE]).unwrap();
        tmpfs(TARGET);
        tmpfs(TARGET);
        released(true);
        released(false);
    });
}

/// Where the image of an ext4 with blocks of 1 KiB has its superblock and its group descriptors.
const SUPERBLOCK: u64 = 1024;
const DESCRIPTORS: u64 = 2048;

#[test]
fn a_damaged_disk_is_told_in_the_words_of_mount() {
    contained(|| {
        empty_dev();
        ext4(IMAGE, UUID, &["-b", "1024", "-O", "^metadata_csum"]);
        let image = File::options().write(true).open(IMAGE).unwrap();
        image.write_all_at(&[0xff; 1024], DESCRIPTORS).unwrap();
        let damaged = Loop::attach(IMAGE, DEVICE);
        let error = refused(UUID, &[DEVICE]);
        assert!(error.starts_with(&format!("{TARGET}: ")), "{error}");
        assert!(error.ends_with("Structure needs cleaning."), "{error}");
        drop(damaged);
        image.write_all_at(&[0; 1024], SUPERBLOCK).unwrap();
        let _wiped = Loop::attach(IMAGE, DEVICE);
        assert_eq!(refused(UUID, &[DEVICE]), format!("no device holds filesystem {UUID}"));
    });
}

#[test]
fn a_disk_that_was_pulled_out_without_unmounting_is_mounted_again() {
    contained(|| {
        let disk = disk();
        mounted(UUID, &[DEVICE]).unwrap();
        let mut file = File::create(format!("{TARGET}/file")).unwrap();
        file.write_all(b"kept").unwrap();
        file.sync_all().unwrap();
        fs::copy(IMAGE, "/run/pulled").unwrap();
        drop(file);
        released(true);
        drop(disk);
        // As udev does. The next device may get the same number.
        fs::remove_file(DEVICE).unwrap();
        let _pulled = Loop::attach("/run/pulled", "/dev/sdb1");
        mounted(UUID, &["/dev/sdb1"]).unwrap();
        assert_eq!(fs::read(format!("{TARGET}/file")).unwrap(), b"kept");
        released(true);
    });
}

#[test]
fn a_stale_link_of_udev_does_not_pass_for_the_disk() {
    contained(|| {
        let _disk = disk();
        ext4("/run/other", OTHER, &[]);
        let _other = Loop::attach("/run/other", "/dev/sdb1");
        fs::create_dir_all("/dev/disk/by-uuid").unwrap();
        symlink("../../sdb1", format!("/dev/disk/by-uuid/{UUID}")).unwrap();
        let error = mounted(UUID, &[DEVICE, "/dev/sdb1"]).unwrap_err();
        let text = format!("{TARGET} holds /dev/sdb1, which is not known to be filesystem {UUID}");
        assert_eq!((error.to_string(), error.may_have_happened()), (text, true));
        released(true);
    });
}

#[test]
fn the_uuid_of_a_fat_is_found_and_handed_to_the_kernel() {
    contained(|| {
        empty_dev();
        File::create(IMAGE).unwrap().set_len(8 << 20).unwrap();
        make("/usr/sbin/mkfs.vfat", &["-i", "1A2B3C4D", "-n", "USB", IMAGE]);
        let _disk = Loop::attach(IMAGE, DEVICE);
        let found = probed();
        assert_eq!((found.uuid, found.kind.as_str()), (Some(FAT.parse::<FsUuid>().unwrap()), "vfat"));
        match mounted(FAT, &[DEVICE]) {
            Ok(mounted) => {
                assert_eq!((mounted.mount.is_harmless(), mounted.mount.kind.as_str()), (true, "vfat"));
            }
            Err(error) => {
                let text = format!("{TARGET}: mount: {TARGET}: unknown filesystem type 'vfat'.");
                assert_eq!(error.to_string(), text, "only a kernel without vfat may refuse");
                return;
            }
        }
        released(true);
    });
}

#[test]
fn a_label_that_somebody_chose_freely_is_only_a_text() {
    let label = "a $(x)`'\"\\;\u{e9}\n";
    contained(|| {
        empty_dev();
        ext4(IMAGE, UUID, &["-L", label]);
        let _disk = Loop::attach(IMAGE, DEVICE);
        let found = probed();
        // What is no plain character is written differently by blkid.
        let read = found.label.unwrap();
        assert!(read.starts_with("a $(x)`'\"\\;") && !read.contains(char::is_control), "{read:?}");
        assert_eq!(found.uuid, Some(UUID.parse().unwrap()));
        mounted(UUID, &[DEVICE]).unwrap();
        released(true);
    });
}

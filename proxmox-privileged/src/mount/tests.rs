//! Mounting and unmounting against recorded mount tables, every command line pinned.

use alloc::string::ToString;
use alloc::vec;

use super::*;
use crate::End;
use crate::script::{Step, exited, now, recording, scripted};

const UUID: &str = "1eb2d69a-3f9f-4098-a928-68706a2d5f86";
const FINDMNT: &str = "/usr/bin/findmnt -J -l -v -o SOURCE,TARGET,FSROOT,FSTYPE,OPTIONS,UUID";
const BLKID_A: &str = "/usr/sbin/blkid -p -o export /dev/sda1";
const BLKID_B: &str = "/usr/sbin/blkid -p -o export /dev/sdb1";
const MOUNT: &str = "/usr/bin/mount -o nosuid,nodev,noexec,X-mount.mkdir -t ext4 \
                     UUID=1eb2d69a-3f9f-4098-a928-68706a2d5f86 /mnt/felhom/usb";
const UMOUNT: &str = "/usr/bin/umount /mnt/felhom/usb";

fn request() -> MountRequest {
    MountRequest {
        uuid: UUID.parse().unwrap(),
        target: target(),
        place: Place::Directory,
        candidates: candidates(&["/dev/sda1", "/dev/sdb1"]),
        fstab: Vec::new(),
        is_same: |_, _| false,
        udev: Vec::new(),
    }
}

/// Two disks, of which these may be mounted.
fn candidates(allowed: &[&str]) -> Candidates {
    let devices = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
    Candidates { devices: devices(&["/dev/sda1", "/dev/sdb1"]), allowed: devices(allowed) }
}

fn target() -> MountTarget {
    "/mnt/felhom/usb".parse().unwrap()
}

/// A recorded mount table, its loop device in the part of the USB disk.
fn table(name: &str) -> Step<'static> {
    (
        FINDMNT,
        Ok(exited(
            0,
            &recording(&alloc::format!("host/findmnt/{name}.json")).replace("/dev/loop0", "/dev/sdb1"),
            "",
        )),
    )
}

/// A recorded answer of blkid, or its silence.
fn blkid<'a>(line: &'a str, name: Option<&str>) -> Step<'a> {
    let end = name.map_or_else(
        || exited(2, "", ""),
        |name| exited(0, &recording(&alloc::format!("host/blkid/{name}.txt")), ""),
    );
    (line, Ok(end))
}

fn ran(line: &'static str, status: i32, stderr: &str) -> Step<'static> {
    (line, Ok(exited(status, "", stderr)))
}

fn usb(uuid: &str) -> Mount {
    Mount {
        source: "/dev/sdb1".into(),
        target: "/mnt/felhom/usb".into(),
        root: "/".into(),
        kind: "ext4".into(),
        options: "rw,nosuid,nodev,noexec,relatime".into(),
        uuid: uuid.into(),
    }
}

fn mounted(steps: Vec<Step<'_>>) -> Result<Mounted, MountError> {
    now(mount_by_uuid(&scripted(steps), &request()))
}

fn refused(steps: Vec<Step<'_>>) -> String {
    mounted(steps).unwrap_err().to_string()
}

fn unmounted(steps: Vec<Step<'_>>) -> Result<Unmounted, MountError> {
    now(unmount(&scripted(steps), &target()))
}

#[test]
fn a_filesystem_is_mounted_once_it_is_known_to_be_the_only_one() {
    let steps = vec![
        table("unmounted"),
        blkid(BLKID_A, Some("xfs")),
        blkid(BLKID_B, Some("ext4")),
        ran(MOUNT, 0, ""),
        table("ext4"),
    ];
    assert_eq!(mounted(steps).unwrap(), Mounted { mount: usb(UUID), was_mounted: false });
}

#[test]
fn the_mount_table_outranks_the_exit_status() {
    let probed = || vec![table("unmounted"), blkid(BLKID_A, None), blkid(BLKID_B, Some("ext4"))];
    let works_and_fails = [probed(), vec![ran(MOUNT, 32, "mount: odd"), table("ext4-no-uuid")]];
    let fails_and_claims = [probed(), vec![ran(MOUNT, 0, ""), table("unmounted")]];
    assert_eq!(
        (
            mounted(works_and_fails.into_iter().flatten().collect()).unwrap(),
            refused(fails_and_claims.into_iter().flatten().collect())
        ),
        (Mounted { mount: usb(""), was_mounted: false }, "/mnt/felhom/usb: exit status 0".into())
    );
}

#[test]
fn a_mounted_filesystem_is_left_as_it_is() {
    assert_eq!(mounted(vec![table("ext4")]).unwrap(), Mounted { mount: usb(UUID), was_mounted: true });
}

#[test]
fn a_mounted_filesystem_is_known_by_its_device_where_udev_knows_no_uuid() {
    let steps = vec![table("ext4-no-uuid"), blkid(BLKID_A, None), blkid(BLKID_B, Some("ext4"))];
    assert_eq!(mounted(steps).unwrap(), Mounted { mount: usb(""), was_mounted: true });
}

#[test]
fn a_target_with_another_filesystem_is_refused() {
    let steps = vec![table("ntfs"), blkid(BLKID_A, None), blkid(BLKID_B, Some("ext4"))];
    assert_eq!(
        refused(steps),
        "/mnt/felhom/usb holds /dev/loop3, not filesystem 1eb2d69a-3f9f-4098-a928-68706a2d5f86"
    );
}

#[test]
fn a_target_with_a_part_of_the_filesystem_is_refused() {
    let steps = vec![table("subdirectory"), blkid(BLKID_A, None), blkid(BLKID_B, Some("ext4"))];
    assert_eq!(
        refused(steps),
        "/mnt/felhom/usb holds /dev/sdb1, not filesystem 1eb2d69a-3f9f-4098-a928-68706a2d5f86"
    );
}

#[test]
fn a_filesystem_that_is_mounted_elsewhere_is_refused() {
    let (_, elsewhere) = table("ext4");
    let json = String::from_utf8(elsewhere.unwrap().stdout).unwrap().replace("/mnt/felhom/usb", "/");
    let steps = vec![(FINDMNT, Ok(exited(0, &json, ""))), blkid(BLKID_A, None), blkid(BLKID_B, Some("ext4"))];
    assert_eq!(refused(steps), "filesystem 1eb2d69a-3f9f-4098-a928-68706a2d5f86 is already mounted on /");
}

#[test]
fn a_copy_of_the_filesystem_is_refused() {
    let steps = vec![table("unmounted"), blkid(BLKID_A, Some("ext4")), blkid(BLKID_B, Some("ext4"))];
    assert_eq!(
        refused(steps),
        "filesystem 1eb2d69a-3f9f-4098-a928-68706a2d5f86 is on /dev/sda1 and on /dev/sdb1"
    );
}

#[test]
fn a_copy_that_only_udev_knows_is_refused() {
    let text = alloc::format!("S:mapper/x\nE:ID_FS_UUID={UUID}\nE:ID_FS_TYPE=ext4\n");
    let udev = vec![
        Filesystem::from_udev("/dev/dm-3", &text).unwrap(),
        Filesystem::from_udev("/dev/sdb1", &text).unwrap(),
    ];
    let steps = vec![table("unmounted"), blkid(BLKID_A, None), blkid(BLKID_B, Some("ext4"))];
    let refused = now(mount_by_uuid(&scripted(steps), &MountRequest { udev, ..request() })).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "filesystem 1eb2d69a-3f9f-4098-a928-68706a2d5f86 is on /dev/dm-3 and on /dev/sdb1"
    );
}

#[test]
fn a_guests_volume_that_alone_has_the_uuid_is_refused() {
    let text = alloc::format!("E:ID_FS_UUID={UUID}\nE:ID_FS_TYPE=ext4\n");
    for device in ["/dev/dm-3", "/dev/zd0p1", "/dev/loop0", "/dev/nbd0"] {
        let udev = vec![Filesystem::from_udev(device, &text).unwrap()];
        let steps = vec![table("unmounted"), blkid(BLKID_A, None), blkid(BLKID_B, None)];
        let refused = now(mount_by_uuid(&scripted(steps), &MountRequest { udev, ..request() })).unwrap_err();
        assert_eq!(
            refused.to_string(),
            alloc::format!(
                "filesystem {UUID} is on {device}, which is no disk of the host and may be a guest's"
            )
        );
    }
}

#[test]
fn a_guests_volume_that_is_mounted_already_is_not_the_disk() {
    let (_, recorded) = table("ext4");
    let json = String::from_utf8(recorded.unwrap().stdout).unwrap().replace("/dev/sdb1", "/dev/mapper/x");
    assert_eq!(
        refused(vec![(FINDMNT, Ok(exited(0, &json, "")))]),
        alloc::format!(
            "filesystem {UUID} is on /dev/mapper/x, which is no disk of the host and may be a guest's"
        )
    );
}

#[test]
fn a_guests_volume_that_comes_first_is_not_passed_off_as_the_disk() {
    let (_, recorded) = table("ext4");
    let json = String::from_utf8(recorded.unwrap().stdout).unwrap().replace("/dev/sdb1", "/dev/mapper/x");
    let steps = vec![
        table("unmounted"),
        blkid(BLKID_A, None),
        blkid(BLKID_B, Some("ext4")),
        ran(MOUNT, 0, ""),
        (FINDMNT, Ok(exited(0, &json, ""))),
    ];
    let error = mounted(steps).unwrap_err();
    assert!(matches!(error, MountError::Unrecognised { .. }) && error.may_have_happened(), "{error}");
}

#[test]
fn a_disk_that_may_not_be_mounted_is_refused_also_if_it_is() {
    let refused = |steps| {
        let request = MountRequest { candidates: candidates(&["/dev/sda1"]), ..request() };
        now(mount_by_uuid(&scripted(steps), &request)).unwrap_err().to_string()
    };
    let plugged_in = vec![table("unmounted"), blkid(BLKID_A, None), blkid(BLKID_B, Some("ext4"))];
    let text = alloc::format!("filesystem {UUID} is on /dev/sdb1, which is not on USB");
    assert_eq!([plugged_in, vec![table("ext4")]].map(refused), [text.clone(), text]);
}

#[test]
fn what_udev_remembers_of_a_probed_device_does_not_count() {
    let text = alloc::format!("E:ID_FS_UUID={UUID}\nE:ID_FS_TYPE=ext4\n");
    let udev = vec![Filesystem::from_udev("/dev/sda1", &text).unwrap()];
    let steps = vec![table("unmounted"), blkid(BLKID_A, None), blkid(BLKID_B, None)];
    let refused = now(mount_by_uuid(&scripted(steps), &MountRequest { udev, ..request() })).unwrap_err();
    assert_eq!(refused.to_string(), "no device holds filesystem 1eb2d69a-3f9f-4098-a928-68706a2d5f86");
}

/// A device that holds the filesystem, as udev or blkid tell.
fn holder(device: &str, kind: &str) -> Filesystem {
    Filesystem {
        device: device.into(),
        uuid: Some(UUID.parse().unwrap()),
        kind: kind.into(),
        ..Filesystem::default()
    }
}

#[test]
fn types_that_are_not_mounted_here_are_refused() {
    let refused = |kind: &str| {
        let survey = Survey { filesystems: vec![holder("/dev/sdb1", kind)], ..Survey::default() };
        sole_holder(&survey, &UUID.parse().unwrap(), &candidates(&["/dev/sdb1"])).unwrap_err().to_string()
    };
    let kinds = [
        "btrfs",
        "swap",
        "crypto_LUKS",
        "LVM2_member",
        "zfs_member",
        "iso9660",
        "linux_raid_member",
        "bcache",
        "hfsplus",
        "f2fs",
        "ext3",
        "ntfs3",
        "auto",
        "",
    ];
    for kind in kinds {
        let text = alloc::format!("filesystem {UUID} is of type {kind}, which is not mounted here");
        assert_eq!(refused(kind), text);
    }
}

#[test]
fn who_holds_a_filesystem_is_judged_in_one_place() {
    let error = |device: &str, reason: &str| ProbeError {
        device: device.parse().unwrap(),
        reason: RunError::Io { message: reason.into() },
    };
    let (usb, fixed) = (holder("/dev/sdb1", "ext4"), holder("/dev/sda1", "ext4"));
    let (not_permitted, broken) =
        (error("/dev/vda", "Operation not permitted"), error("/dev/sdc", "I/O error"));
    let several: Vec<BlockDevice> = ["/dev/sdb1", "/dev/sda1"].map(|device| device.parse().unwrap()).into();
    let judged = |filesystems: &[&Filesystem], ambivalent: &[BlockDevice], errors: &[&ProbeError]| {
        let survey = Survey {
            filesystems: filesystems.iter().copied().cloned().collect(),
            ambivalent: ambivalent.into(),
            unprobed: errors.iter().copied().cloned().collect(),
        };
        let found = sole_holder(&survey, &UUID.parse().unwrap(), &candidates(&["/dev/sdb1"]));
        found.map_err(|error| error.to_string().replace(UUID, "U"))
    };
    let is = |text: &str| Err(text.into());
    let found = Ok(("/dev/sdb1".into(), FsType::Ext4));
    assert_eq!(judged(&[&usb], &[], &[]), found);
    assert_eq!(judged(&[&usb], &several, &[]), found, "no mount by UUID finds an ambivalent one");
    assert_eq!(judged(&[], &[], &[]), is("no device holds filesystem U"));
    assert_eq!(judged(&[&usb, &fixed], &[], &[&broken]), is("filesystem U is on /dev/sdb1 and on /dev/sda1"));
    let text = "no device is known to hold filesystem U, and /dev/sdb1 holds more than one signature";
    assert_eq!(judged(&[], &several, &[&broken]), is(text), "one that may be mounted comes first");
    assert_eq!(judged(&[], &several[1..], &[]), is("no device holds filesystem U"));
    let text =
        "a second filesystem U cannot be ruled out: /dev/vda cannot be probed: Operation not permitted";
    assert_eq!(judged(&[&usb], &[], &[&not_permitted]), is(text));
    let text = "no device is known to hold filesystem U: /dev/vda cannot be probed: Operation not permitted; \
                /dev/sdc cannot be probed: I/O error";
    assert_eq!(judged(&[], &[], &[&not_permitted, &broken]), is(text));
    let text = "filesystem U is on /dev/sda1, which is not on USB";
    assert_eq!(judged(&[&fixed], &[], &[&broken]), is(text), "what is certain comes first");
}

#[test]
fn an_unsafe_target_is_refused_before_anything_runs() {
    let refused = [Place::Symlink, Place::Writable, Place::NotDirectory].map(|place| {
        let request = MountRequest { place, ..request() };
        now(mount_by_uuid(&scripted(vec![]), &request)).unwrap_err().to_string()
    });
    assert_eq!(
        refused,
        ["Symlink", "Writable", "NotDirectory"]
            .map(|place| alloc::format!("/mnt/felhom/usb is no place to mount on: {place}"))
    );
}

#[test]
fn a_target_that_is_mounted_on_is_never_mounted_on_again() {
    let at_mount_point = |steps| {
        let request = MountRequest { place: Place::MountPoint, ..request() };
        now(mount_by_uuid(&scripted(steps), &request))
    };
    assert_eq!(
        (
            at_mount_point(vec![table("ext4")]).unwrap(),
            at_mount_point(vec![table("unmounted")]).unwrap_err().to_string()
        ),
        (
            Mounted { mount: usb(UUID), was_mounted: true },
            "/mnt/felhom/usb is no place to mount on: MountPoint".into()
        )
    );
}

#[test]
fn devices_that_cannot_be_probed_stop_the_mount_and_are_named() {
    let denied = "blkid: error: /dev/sda1: Operation not permitted\n";
    let steps = vec![table("unmounted"), (BLKID_A, Ok(exited(2, "", denied))), blkid(BLKID_B, Some("ext4"))];
    let doubt = alloc::format!("a second filesystem {UUID} cannot be ruled out");
    assert_eq!(refused(steps), alloc::format!("{doubt}: /dev/sda1 cannot be probed: {}", denied.trim()));
    // What sudo refuses once is not asked for again.
    let steps = vec![table("unmounted"), (BLKID_A, Err(RunError::PasswordWanted))];
    let text = "/dev/sda1 and /dev/sdb1 cannot be probed: sudo asks for a password";
    assert_eq!(refused(steps), alloc::format!("no device is known to hold filesystem {UUID}: {text}"));
}

/// A mount table with these mounts on the target, the last one on top.
fn stack(mounts: &[(&str, &str)]) -> Step<'static> {
    let rows = mounts.iter().map(|(source, kind)| {
        alloc::format!(
            "{{\"source\":\"{source}\",\"target\":\"/mnt/felhom/usb\",\"fsroot\":\"/\",\"fstype\":\"{kind}\",\
             \"options\":\"rw\",\"uuid\":null}}"
        )
    });
    let rows = rows.collect::<Vec<_>>().join(",");
    (FINDMNT, Ok(exited(0, &alloc::format!("{{\"filesystems\":[{rows}]}}"), "")))
}

const AUTOFS: (&str, &str) = ("systemd-1", "autofs");
const USB: (&str, &str) = ("/dev/sdb1", "ext4");

#[test]
fn an_automount_that_waits_for_the_disk_is_mounted_upon() {
    let probes = || [blkid(BLKID_A, None), blkid(BLKID_B, Some("ext4"))];
    let mounted = |is_awaited, before: Step<'static>, rest: Vec<Step<'static>>| {
        let steps = core::iter::once(before).chain(probes()).chain(rest).collect();
        let line = if is_awaited { "x-systemd.automount" } else { "defaults" };
        let fstab = alloc::format!("UUID={UUID} /mnt/felhom/usb ext4 {line} 0 0\n").into_bytes();
        let request = MountRequest { fstab, place: Place::MountPoint, ..request() };
        let done = now(mount_by_uuid(&scripted(steps), &request));
        done.map(|done| (done.mount.source, done.was_mounted)).map_err(|error| error.to_string())
    };
    let done = |was_mounted| Ok(("/dev/sdb1".into(), was_mounted));
    let works = vec![ran(MOUNT, 0, ""), stack(&[AUTOFS, USB])];
    assert_eq!(mounted(true, stack(&[AUTOFS]), works), done(false));
    assert_eq!(mounted(true, stack(&[AUTOFS, USB]), vec![]), done(true));
    assert_eq!(mounted(false, stack(&[AUTOFS, USB]), vec![]), done(true), "what is on top counts");
    let fails = vec![ran(MOUNT, 32, "mount: no\n"), stack(&[AUTOFS])];
    assert_eq!(mounted(true, stack(&[AUTOFS]), fails), Err("/mnt/felhom/usb: mount: no".into()));
    let holds = |source: &str| Err(alloc::format!("/mnt/felhom/usb holds {source}, not filesystem {UUID}"));
    assert_eq!(mounted(false, stack(&[AUTOFS]), vec![]), holds("systemd-1"));
    assert_eq!(mounted(true, stack(&[("x", "tmpfs")]), vec![]), holds("x"));
    assert_eq!(mounted(true, stack(&[AUTOFS, ("x", "tmpfs")]), vec![]), holds("x"));
}

#[test]
fn an_automount_goes_on_waiting_after_an_unmount() {
    let done = |was_mounted| Unmounted { was_mounted };
    assert_eq!(unmounted(vec![stack(&[AUTOFS])]).unwrap(), done(false));
    let steps = vec![stack(&[AUTOFS, USB]), ran(UMOUNT, 0, ""), stack(&[AUTOFS])];
    assert_eq!(unmounted(steps).unwrap(), done(true));
    // One that has come on top hides what is mounted.
    let steps =
        vec![stack(&[USB, AUTOFS]), ran(UMOUNT, 0, ""), stack(&[USB]), ran(UMOUNT, 0, ""), stack(&[])];
    assert_eq!(unmounted(steps).unwrap(), done(true));
}

#[test]
fn a_mount_that_did_not_end_stays_in_doubt() {
    let steps = vec![
        table("unmounted"),
        blkid(BLKID_A, None),
        blkid(BLKID_B, Some("ext4")),
        (MOUNT, Err(RunError::StillRunning { pid: 7 })),
        table("unmounted"),
    ];
    assert!(mounted(steps).unwrap_err().may_have_happened());
}

#[test]
fn a_mount_without_a_table_afterwards_stays_in_doubt() {
    let steps = vec![
        table("unmounted"),
        blkid(BLKID_A, None),
        blkid(BLKID_B, Some("ext4")),
        ran(MOUNT, 0, ""),
        ran(FINDMNT, 1, "findmnt: can't read"),
    ];
    let error = mounted(steps).unwrap_err();
    assert_eq!(
        (error.may_have_happened(), error.to_string()),
        (true, "/mnt/felhom/usb: what is mounted there is unknown".into())
    );
}

#[test]
fn a_mount_that_cannot_be_recognised_stays_in_doubt() {
    let (_, recorded) = table("ext4-no-uuid");
    let json = String::from_utf8(recorded.unwrap().stdout).unwrap().replace("/dev/sdb1", "/dev/mapper/x");
    let steps = vec![
        table("unmounted"),
        blkid(BLKID_A, None),
        blkid(BLKID_B, Some("ext4")),
        ran(MOUNT, 0, ""),
        (FINDMNT, Ok(exited(0, &json, ""))),
    ];
    let error = mounted(steps).unwrap_err();
    assert_eq!(
        (error.may_have_happened(), error.to_string()),
        (
            true,
            "/mnt/felhom/usb holds /dev/mapper/x, which is not known to be filesystem \
             1eb2d69a-3f9f-4098-a928-68706a2d5f86"
                .into()
        )
    );
}

#[test]
fn an_unmounted_target_stays_unmounted() {
    assert_eq!(unmounted(vec![table("unmounted")]).unwrap(), Unmounted { was_mounted: false });
}

#[test]
fn mounts_on_top_of_each_other_are_all_taken_off() {
    let steps =
        vec![table("stacked"), ran(UMOUNT, 0, ""), table("ext4"), ran(UMOUNT, 0, ""), table("unmounted")];
    assert_eq!(unmounted(steps).unwrap(), Unmounted { was_mounted: true });
}

#[test]
fn a_busy_target_stays_mounted() {
    let steps =
        vec![table("ext4"), ran(UMOUNT, 32, "umount: /mnt/felhom/usb: target is busy.\n"), table("ext4")];
    assert_eq!(
        unmounted(steps).unwrap_err().to_string(),
        "/mnt/felhom/usb: umount: /mnt/felhom/usb: target is busy."
    );
}

#[test]
fn an_unmount_that_does_not_end_is_told_as_one_that_may_happen_yet() {
    let ended = |error| {
        let error = unmounted(vec![table("ext4"), (UMOUNT, Err(error)), table("ext4")]).unwrap_err();
        (error.may_have_happened(), snafu::Report::from_error(error).to_string())
    };
    let limit = core::time::Duration::from_mins(1);
    let caused = |text: &str, cause: &str| {
        (true, alloc::format!("/mnt/felhom/usb is as it was{text}\n\nCaused by this error:\n  1: {cause}\n"))
    };
    assert_eq!(
        [RunError::StillRunning { pid: 7 }, RunError::TimedOut { limit }].map(ended),
        [
            caused(
                " so far, and the command that was to change it has not ended",
                "still running as process 7"
            ),
            caused("", "ended at its time limit of 60 s"),
        ]
    );
}

#[test]
fn an_unmount_that_was_killed_after_its_work_is_done() {
    let killed = Output { end: End::Signal(9), ..exited(0, "", "") };
    let steps = vec![table("ext4"), (UMOUNT, Ok(killed)), table("unmounted")];
    assert_eq!(unmounted(steps).unwrap(), Unmounted { was_mounted: true });
}

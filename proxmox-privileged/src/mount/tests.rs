//! What real mounts cannot stage: races, doubt, tables that contradict the command. The rest is proven on real disks, in
//! the agent's host tests. Every command line is pinned.

use alloc::format;
use alloc::string::ToString;
use alloc::vec;

use super::*;
use crate::CommandEnd;
use crate::mount::filesystem::ProbeError;
use crate::script::{Step, assert_cases, exited, now, recording, scripted};

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
        place: TargetPlace::Directory,
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

/// A recorded mount table, its loop device replaced by this device.
fn table_of(name: &str, device: &str) -> Step<'static> {
    let json = recording(&format!("host/findmnt/{name}.json")).replace("/dev/loop0", device);
    (FINDMNT, Ok(exited(0, &json, "")))
}

/// Likewise, by the USB disk.
fn table(name: &str) -> Step<'static> {
    table_of(name, "/dev/sdb1")
}

fn ran(line: &'static str, status: i32, stderr: &str) -> Step<'static> {
    (line, Ok(exited(status, "", stderr)))
}

/// The one disk holds nothing, and the other the filesystem.
fn probes() -> [Step<'static>; 2] {
    [ran(BLKID_A, 2, ""), (BLKID_B, Ok(exited(0, &recording("host/blkid/ext4.txt"), "")))]
}

/// Nothing is mounted, the disk is found, and then come these.
fn unmounted_and(rest: Vec<Step<'static>>) -> Vec<Step<'static>> {
    core::iter::once(table("unmounted")).chain(probes()).chain(rest).collect()
}

/// The device that is mounted and whether it was before, or the error with its causes and whether something may have
/// happened.
type Told = Result<(String, bool), (String, bool)>;

fn told(done: Result<Mounted, MountError>) -> Told {
    let done = done.map(|done| (done.mount.source, done.was_mounted));
    done.map_err(|error| (error.to_string().replace(UUID, "U"), error.may_have_happened()))
}

fn mounted(steps: Vec<Step<'_>>) -> Told {
    told(now(mount_by_uuid(&scripted(steps), &request())))
}

fn done(was_mounted: bool) -> (String, bool) {
    ("/dev/sdb1".into(), was_mounted)
}

fn refused(text: &str) -> Told {
    Err((text.into(), false))
}

#[test]
fn the_mount_table_outranks_what_the_command_says() {
    let doubt = |text: &str| Err((text.into(), true));
    let unrecognised = "/mnt/felhom/usb holds /dev/mapper/x, which is not known to be filesystem U";
    let still = (MOUNT, Err(RunError::StillRunning { pid: 7 }));
    let rows = [
        ("success", vec![ran(MOUNT, 0, ""), table("ext4")], Ok(done(false))),
        ("fails and is mounted", vec![ran(MOUNT, 32, "mount: odd"), table("ext4-no-uuid")], Ok(done(false))),
        (
            "succeeds and is not mounted",
            vec![ran(MOUNT, 0, ""), table("unmounted")],
            refused("/mnt/felhom/usb: exit status 0"),
        ),
        (
            "a guest's volume with the UUID comes first",
            vec![ran(MOUNT, 0, ""), table_of("ext4", "/dev/mapper/x")],
            doubt(unrecognised),
        ),
        (
            "a device without a known UUID comes first",
            vec![ran(MOUNT, 0, ""), table_of("ext4-no-uuid", "/dev/mapper/x")],
            doubt(unrecognised),
        ),
        (
            "no table afterwards",
            vec![ran(MOUNT, 0, ""), ran(FINDMNT, 1, "findmnt: can't read")],
            doubt("/mnt/felhom/usb: what is mounted there is unknown"),
        ),
        (
            "the command does not end",
            vec![still, table("unmounted")],
            doubt("/mnt/felhom/usb is as it was so far, and the command that was to change it has not ended"),
        ),
    ];
    for (name, steps, expected) in rows {
        assert_eq!(mounted(unmounted_and(steps)), expected, "{name}");
    }
}

#[test]
fn a_mounted_filesystem_is_known_by_its_device_where_udev_knows_no_uuid() {
    let steps = core::iter::once(table("ext4-no-uuid")).chain(probes()).collect();
    assert_eq!(mounted(steps), Ok(done(true)));
}

#[test]
fn what_udev_remembers_of_a_probed_device_does_not_count() {
    let udev = vec![holder("/dev/sda1", "ext4")];
    let steps = vec![table("unmounted"), ran(BLKID_A, 2, ""), ran(BLKID_B, 2, "")];
    let done = now(mount_by_uuid(&scripted(steps), &MountRequest { udev, ..request() }));
    assert_eq!(told(done), refused("no device holds filesystem U"));
}

#[test]
fn an_unsafe_target_is_refused_before_anything_runs() {
    let request = MountRequest { place: TargetPlace::Symlink, ..request() };
    let done = now(mount_by_uuid(&scripted(vec![]), &request));
    assert_eq!(told(done), refused("/mnt/felhom/usb is no place to mount on: Symlink"));
}

#[test]
fn a_mount_that_is_gone_when_the_table_is_read_is_not_replaced() {
    let request = MountRequest { place: TargetPlace::MountPoint, ..request() };
    let done = now(mount_by_uuid(&scripted(vec![table("unmounted")]), &request));
    assert_eq!(told(done), refused("/mnt/felhom/usb is no place to mount on: MountPoint"));
}

#[test]
fn what_sudo_refuses_once_is_not_asked_for_again() {
    let steps = vec![table("unmounted"), (BLKID_A, Err(RunError::PasswordWanted))];
    let text = "no device is known to hold filesystem U: /dev/sda1 and /dev/sdb1 cannot be probed: sudo asks for a \
                password";
    assert_eq!(mounted(steps), refused(text));
}

/// A device that holds the filesystem, as udev or blkid say.
fn holder(device: &str, kind: &str) -> Filesystem {
    Filesystem {
        device: device.into(),
        uuid: Some(UUID.parse().unwrap()),
        kind: kind.into(),
        ..Filesystem::default()
    }
}

/// Who holds the filesystem, where only `/dev/sdb1` may be mounted.
#[test]
fn the_one_device_that_holds_a_filesystem_is_told_from_a_doubt() {
    let told = |error: MountError| error.to_string().replace(UUID, "U");
    assert_cases("holders.txt", |facts| {
        let mut survey = Survey::default();
        for fact in facts.split(" | ") {
            let [what, device, rest] = fact.splitn(3, ' ').collect::<Vec<_>>()[..] else { continue };
            match what {
                "holds" => survey.filesystems.push(holder(device, rest)),
                "ambivalent" => survey.ambivalent.push(device.parse().unwrap()),
                _ => survey.unprobed.push(ProbeError {
                    device: device.parse().unwrap(),
                    reason: RunError::Io { message: rest.into() },
                }),
            }
        }
        let found = sole_holder(&survey, &UUID.parse().unwrap(), &candidates(&["/dev/sdb1"]));
        found.map_or_else(told, |(device, kind)| format!("{kind} on {device}"))
    });
}

/// A mount table with these mounts on the target, the last one on top.
fn stack(mounts: &[(&str, &str)]) -> Step<'static> {
    let row = |(source, kind): &(&str, &str)| serde_json::json!({"source": source, "target": "/mnt/felhom/usb", "fsroot": "/", "fstype": kind});
    let rows: Vec<_> = mounts.iter().map(row).collect();
    (FINDMNT, Ok(exited(0, &serde_json::json!({"filesystems": rows}).to_string(), "")))
}

const AUTOFS: (&str, &str) = ("systemd-1", "autofs");
const USB: (&str, &str) = ("/dev/sdb1", "ext4");
const TMPFS: (&str, &str) = ("x", "tmpfs");

#[test]
fn an_automount_that_waits_for_the_disk_is_mounted_upon() {
    let fails = vec![ran(MOUNT, 32, "mount: no\n"), stack(&[AUTOFS])];
    let holds = refused("/mnt/felhom/usb holds x, not filesystem U");
    let rows: [(&str, bool, &[_], _, _); 4] = [
        ("waits for something else below it", false, &[AUTOFS, USB], vec![], Ok(done(true))),
        ("cannot be mounted upon", true, &[AUTOFS], fails, refused("/mnt/felhom/usb: mount: no")),
        ("another filesystem", true, &[TMPFS], vec![], holds.clone()),
        ("another filesystem upon it", true, &[AUTOFS, TMPFS], vec![], holds),
    ];
    for (name, is_awaited, before, rest, expected) in rows {
        let steps = core::iter::once(stack(before)).chain(probes()).chain(rest).collect();
        let line = if is_awaited { "x-systemd.automount" } else { "defaults" };
        let fstab = format!("UUID={UUID} /mnt/felhom/usb ext4 {line} 0 0\n").into_bytes();
        let request = MountRequest { fstab, place: TargetPlace::MountPoint, ..request() };
        assert_eq!(told(now(mount_by_uuid(&scripted(steps), &request))), expected, "{name}");
    }
}

fn unmounted(steps: Vec<Step<'_>>) -> Result<bool, (String, bool)> {
    let done = now(unmount(&scripted(steps), &target())).map(|done| done.was_mounted);
    done.map_err(|error| (snafu::Report::from_error(&error).to_string(), error.may_have_happened()))
}

#[test]
fn an_unmount_is_judged_by_the_mount_table() {
    let killed = (UMOUNT, Ok(CommandOutput { end: CommandEnd::Signal(9), ..exited(0, "", "") }));
    let hidden =
        vec![stack(&[USB, AUTOFS]), ran(UMOUNT, 0, ""), stack(&[USB]), ran(UMOUNT, 0, ""), stack(&[])];
    let cut = (UMOUNT, Err(RunError::TimedOut { limit: core::time::Duration::from_mins(1) }));
    let cause =
        "/mnt/felhom/usb is as it was\n\nCaused by this error:\n  1: ended at its time limit of 60 s\n";
    let rows = [
        ("killed after its work", vec![table("ext4"), killed, table("unmounted")], Ok(true)),
        ("an automount came on top", hidden, Ok(true)),
        ("cut off", vec![table("ext4"), cut, table("ext4")], Err((cause.into(), true))),
    ];
    for (name, steps, expected) in rows {
        assert_eq!(unmounted(steps), expected, "{name}");
    }
}

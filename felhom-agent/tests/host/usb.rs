//! The command `usb` on real disks.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::time::{Duration, Instant};

use proxmox_privileged::Program;
use serde_json::json;

use crate::contained::{contained, contained_as_user, table, tmpfs, write};
use crate::drop_in::rules;
use crate::given::{CONFIG, agent, assert_problem, document, fine, judged, status, stub};
use crate::loopdev::{Loop, Stuck};
use crate::mounts::{UUID, disk};

pub(crate) const TARGET: &str = "/mnt/felhom/usb";

/// Lets the kernel and udev tell of these disks and no other, all of them on USB.
pub(crate) fn sysfs(names: &[&str]) {
    sysfs_at("usb1", names);
}

/// Likewise, but all of them on this port.
pub(crate) fn sysfs_at(port: &str, names: &[&str]) {
    for folder in ["/sys/class/block", "/sys/block"] {
        tmpfs(folder);
    }
    fs::create_dir_all("/run/udev/data").unwrap();
    for name in names {
        let folder = format!("/run/devices/{port}/{name}");
        fs::create_dir_all(&folder).unwrap();
        let (major, minor) = number(name);
        fs::write(format!("{folder}/dev"), format!("{major}:{minor}\n")).unwrap();
        fs::write(format!("{folder}/size"), "16384\n").unwrap();
        symlink(&folder, format!("/sys/class/block/{name}")).unwrap();
        let known = format!("E:ID_FS_UUID={UUID}\nE:ID_FS_TYPE=ext4\nE:ID_FS_LABEL=\n");
        fs::write(format!("/run/udev/data/b{major}:{minor}"), known).unwrap();
        fs::create_dir_all("/dev/disk/by-uuid").unwrap();
        symlink(format!("../../{name}"), format!("/dev/disk/by-uuid/{UUID}")).unwrap();
    }
}

fn number(name: &str) -> (u32, u32) {
    let device = fs::metadata(format!("/dev/{name}")).unwrap().rdev();
    (rustix::fs::major(device), rustix::fs::minor(device))
}

/// Installs a configuration that names the disk, and nothing else.
pub(crate) fn configured() {
    configured_as(&json!({ "name": "usb", "uuid": UUID }));
}

pub(crate) fn configured_as(disk: &serde_json::Value) {
    fs::create_dir_all("/etc/felhom-agent").unwrap();
    write(CONFIG, &json!({ "usb": [disk] }).to_string(), 0o644);
}

#[test]
fn a_disk_is_listed_mounted_told_of_and_unmounted() {
    contained(|| {
        let _disk = disk();
        sysfs(&["sda1"]);
        configured();
        let listed = format!(
            "DEVICE     PORT  SIZE     TYPE  UUID                                  LABEL\n\
             /dev/sda1  USB   8.0 MiB  ext4  {UUID}\n"
        );
        assert_eq!(agent("usb list"), fine(&listed));
        // Also the second time, when the root of the stick is open to all.
        for _ in 0..2 {
            assert_eq!(agent("usb status"), fine(&status("not mounted", "mount")));
            assert_eq!(agent("usb mount usb"), fine(&format!("/dev/sda1 is mounted at {TARGET}\n")));
            chown(TARGET, Some(1000), Some(1000)).unwrap();
            fs::set_permissions(TARGET, fs::Permissions::from_mode(0o777)).unwrap();
            assert_eq!(agent("usb mount usb"), fine(&format!("/dev/sda1 was mounted already at {TARGET}\n")));
            let what = format!("mounted at {TARGET}, but not after a reboot");
            assert_eq!(agent("usb status"), fine(&status(&what, "persist")));
            assert_eq!(agent("usb unmount usb"), fine(&format!("{TARGET} is unmounted\n")));
        }
        assert_eq!(agent("usb unmount usb"), fine(&format!("{TARGET} was not mounted\n")));
    });
}

#[test]
fn a_guests_disk_that_has_the_uuid_of_the_absent_stick_is_never_mounted() {
    contained(|| {
        crate::loopdev::empty_dev();
        crate::loopdev::ext4("/run/image", UUID, &[]);
        let _volume = Loop::attach("/run/image", "/dev/dm-3");
        sysfs_at("virtual", &["dm-3"]);
        configured();
        let text =
            format!("filesystem {UUID} is on /dev/dm-3, which is no disk of the host and may be a guest's");
        let before = (table(), fs::read("/etc/fstab").unwrap_or_default());
        for flag in ["", " --any-disk"] {
            assert_problem(&format!("usb mount usb{flag}"), 1, &text);
            assert_problem(&format!("usb mount usb --dry-run{flag}"), 1, &text);
            assert_problem(&format!("usb persist usb{flag}"), 1, &text);
        }
        assert_eq!(judged(), (1, "fail".into(), text.clone()));
        assert_eq!((table(), fs::read("/etc/fstab").unwrap_or_default()), before);
        // As a line of fstab does at boot.
        fs::create_dir_all(TARGET).unwrap();
        crate::loopdev::make("/usr/bin/mount", &[&format!("UUID={UUID}"), TARGET]);
        assert_eq!(judged(), (1, "fail".into(), format!("mounted at {TARGET}: {text}")));
        assert_problem("usb mount usb", 1, &text);
        assert_eq!(agent("usb unmount usb"), fine(&format!("{TARGET} is unmounted\n")));
    });
}

#[test]
fn a_disk_that_is_not_on_usb_is_mounted_only_if_somebody_insists() {
    contained(|| {
        let _disk = disk();
        sysfs_at("ata1", &["sda1"]);
        configured();
        let text = format!("filesystem {UUID} is on /dev/sda1, which is not on USB");
        let problem = format!("{text}; --any-disk, or any_disk in the configuration, accepts it");
        for line in
            ["usb mount usb", "usb mount usb --dry-run", "usb persist usb", "usb persist usb --dry-run"]
        {
            assert_problem(line, 1, &problem);
        }
        assert_eq!(judged(), (1, "fail".into(), text.clone()));
        assert_eq!(agent("usb mount usb --any-disk"), fine(&format!("/dev/sda1 is mounted at {TARGET}\n")));
        assert_eq!(judged(), (1, "fail".into(), format!("mounted at {TARGET}: {text}")));
        configured_as(&json!({ "name": "usb", "uuid": UUID, "any_disk": true }));
        assert_eq!(judged(), (0, "warn".into(), format!("mounted at {TARGET}, but not after a reboot")));
        assert_eq!(agent("usb mount usb"), fine(&format!("/dev/sda1 was mounted already at {TARGET}\n")));
        assert_eq!(agent("usb persist usb --dry-run").exit, 0);
        assert_eq!(agent("usb unmount usb"), fine(&format!("{TARGET} is unmounted\n")));
        let named = format!("usb mount usb --uuid {UUID}");
        assert_eq!(agent(&named), fine(&format!("/dev/sda1 is mounted at {TARGET}\n")));
        assert_eq!(agent("usb unmount usb"), fine(&format!("{TARGET} is unmounted\n")));
    });
}

#[test]
fn the_documents_hold_the_same() {
    contained(|| {
        let _disk = disk();
        sysfs(&["sda1"]);
        configured();
        let filesystem = json!({ "device": "/dev/sda1", "uuid": UUID, "kind": "ext4", "label": "" });
        let listed =
            json!({ "device": "/dev/sda1", "is_usb": true, "size_bytes": 8 << 20, "filesystem": filesystem });
        let list = json!({
            "schema": "felhom.usb-list/1", "filesystems": [listed], "ambivalent": [], "unprobed": [],
        });
        assert_eq!(document("usb list"), (0, list));
        let (exit, mounted) = document("usb mount usb");
        let mount = &mounted["mounted"]["mount"];
        assert_eq!(
            (exit, &mounted["schema"], &mount["target"], &mount["uuid"]),
            (0, &json!("felhom.usb-mount/1"), &json!(TARGET), &json!(UUID))
        );
        let (exit, status) = document("usb status");
        let state = &status["disks"][0];
        assert_eq!(
            (exit, &status["schema"], &state["status"], &state["devices"], &state["mount"]),
            (0, &json!("felhom.usb-status/1"), &json!("warn"), &json!(["/dev/sda1"]), mount)
        );
        let unmounted = json!({
            "schema": "felhom.usb-unmount/1", "target": TARGET, "unmounted": { "was_mounted": true },
        });
        assert_eq!(document("usb unmount usb"), (0, unmounted));
    });
}

#[test]
fn a_dry_run_shows_the_command_and_runs_nothing() {
    contained(|| {
        let _disk = disk();
        sysfs(&["sda1"]);
        let before = table();
        let mount = format!(
            "sudo -n -- /usr/bin/mount -o nosuid,nodev,noexec,X-mount.mkdir -t ext4 UUID={UUID} /mnt/felhom/new"
        );
        let line = format!("usb mount new --uuid {UUID} --dry-run");
        assert_eq!(agent(&line), fine(&format!("{mount}\n")));
        assert_eq!(document(&line), (0, json!({ "schema": "felhom.usb-mount/1", "would_run": [mount] })));
        assert_eq!((table(), fs::exists("/mnt/felhom").unwrap()), (before, false));
        agent(&line.replace(" --dry-run", ""));
        let before = table();
        assert_eq!(agent("usb unmount new --dry-run"), fine("sudo -n -- /usr/bin/umount /mnt/felhom/new\n"));
        assert_eq!(table(), before);
        agent("usb unmount new");
    });
}

#[test]
fn what_cannot_be_done_is_one_line_and_one_document() {
    contained(|| {
        let disk = disk();
        sysfs(&["sda1"]);
        configured();
        let other = "7d2f7b0c-5b1e-4a64-9d5e-0c4a1f1f2b3d";
        assert_problem(
            &format!("usb mount usb --uuid {other}"),
            1,
            &format!("no device holds filesystem {other}"),
        );
        assert_problem(
            "usb mount other",
            2,
            "the configuration has no USB disk `other`; give --uuid, or see felhom-agent usb list",
        );
        let rule = "/mnt/felhom/NAME with 1 to 32 lower-case letters, digits, `_` and `-` in NAME, not starting with `_` or `-`";
        let text = format!("\"/mnt/felhom/../etc\" is not a mount target: {rule}");
        assert_problem("usb unmount ../etc", 2, &text);
        fs::copy("/run/image", "/run/copy").unwrap();
        let copy = Loop::attach("/run/copy", "/dev/sdb1");
        fs::write("/run/devices/usb1/other", "").unwrap();
        symlink("/run/devices/usb1/sda1", "/sys/class/block/sdb1").unwrap();
        let text = format!("filesystem {UUID} is on /dev/sda1 and on /dev/sdb1");
        assert_problem("usb mount usb", 1, &text);
        drop((disk, copy));
        write(CONFIG, "{\"usb\": 7}", 0o644);
        let run = agent("usb list");
        assert_eq!((run.exit, run.stdout.as_str()), (4, ""));
        assert_eq!(document("usb list").1["exit"], 4);
    });
}

#[test]
fn the_account_uses_sudo_and_is_told_when_it_may_not() {
    contained_as_user(
        |user| {
            let _disk = disk();
            sysfs(&["sda1"]);
            configured();
            rules();
            user();
            assert_eq!(table().iter().filter(|mount| mount.contains("/mnt/felhom")).count(), 0);
        },
        || {
            assert_eq!(agent("usb mount usb"), fine(&format!("/dev/sda1 is mounted at {TARGET}\n")));
            assert!(agent("usb status").stdout.contains(", but not after a reboot"));
            assert_eq!(agent("usb mount usb"), fine(&format!("/dev/sda1 was mounted already at {TARGET}\n")));
            assert_eq!(agent("usb unmount usb"), fine(&format!("{TARGET} is unmounted\n")));
            assert_eq!(agent("usb unmount usb"), fine(&format!("{TARGET} was not mounted\n")));
        },
    );
}

#[test]
fn without_a_rule_the_account_is_told_that_sudo_wants_a_password() {
    contained_as_user(
        |user| {
            let _disk = disk();
            sysfs(&["sda1"]);
            configured();
            user();
        },
        || {
            let cause = "/dev/sda1 cannot be probed: sudo asks for a password";
            let text = format!("a second filesystem {UUID} cannot be ruled out: {cause}");
            assert_problem("usb mount usb", 1, &text);
            assert_eq!(agent("usb list").exit, 0, "udev knows");
        },
    );
}

#[test]
fn a_list_of_what_nobody_may_ask_is_no_empty_list() {
    contained_as_user(
        |user| {
            let _disk = disk();
            sysfs(&["sda1"]);
            fs::remove_dir_all("/run/udev").unwrap();
            let probed = format!("/dev/sda1  USB   8.0 MiB  ext4  {UUID}  -\n");
            assert!(agent("usb list").stdout.ends_with(&probed));
            user();
        },
        || {
            let text = "/dev/sda1 cannot be probed: sudo asks for a password";
            assert_problem("usb list", 5, text);
        },
    );
}

#[test]
fn a_disk_that_is_pulled_out_while_it_is_mounted_is_told() {
    contained(|| {
        let _disk = disk();
        sysfs(&["sda1"]);
        configured();
        assert_eq!(agent("usb mount usb").exit, 0);
        // What udev does when a disk goes.
        fs::remove_file("/dev/sda1").unwrap();
        fs::remove_file("/sys/class/block/sda1").unwrap();
        let what = format!("/dev/sda1 was pulled out while it was mounted at {TARGET}");
        assert_eq!(agent("usb status"), fine(&status(&what, "unmount")));
        assert_eq!(agent("usb unmount usb"), fine(&format!("{TARGET} is unmounted\n")));
        assert!(agent("usb status").stdout.contains("not plugged in"));
    });
}

#[test]
fn a_disk_whose_reads_fail_is_told_of_without_waiting_for_it() {
    contained(|| {
        let _disk = disk();
        sysfs(&["sda1"]);
        configured();
        assert_eq!(agent("usb mount usb").exit, 0);
        // The disk below the filesystem is cut away: whatever reads it gets an error.
        fs::File::options().write(true).open("/run/image").unwrap().set_len(0).unwrap();
        let start = Instant::now();
        let status = agent("usb status");
        assert!(status.exit == 0 && status.stdout.contains("mounted at"), "{status:?}");
        assert!(start.elapsed() < Duration::from_secs(5));
        assert_eq!(agent("usb unmount usb"), fine(&format!("{TARGET} is unmounted\n")));
    });
}

#[test]
fn a_disk_that_does_not_answer_keeps_nobody_waiting() {
    contained(|| {
        let _disk = disk();
        sysfs(&["sda1"]);
        configured();
        if !fs::read_to_string("/proc/filesystems").unwrap().contains("\tfuse\n") {
            writeln!(std::io::stderr(), "SKIPPED a_disk_that_does_not_answer: the kernel has no FUSE")
                .unwrap();
            return;
        }
        fs::create_dir_all(TARGET).unwrap();
        let stuck = Stuck::mount("/dev/sda1", TARGET);
        let start = Instant::now();
        let status = agent("usb status");
        assert!(status.exit == 0 && status.stdout.contains("mounted at"), "{status:?}");
        assert_eq!(agent("usb mount usb"), fine(&format!("/dev/sda1 was mounted already at {TARGET}\n")));
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        // umount(8) does ask it, and is bounded by the time limit of its command.
        drop(stuck);
        assert_eq!(agent("usb unmount usb"), fine(&format!("{TARGET} is unmounted\n")));
    });
}

#[test]
fn an_unmount_that_cannot_be_ended_is_told_as_still_running() {
    contained(|| {
        let _disk = disk();
        sysfs(&["sda1"]);
        configured();
        assert_eq!(agent("usb mount usb").exit, 0);
        let real = "/usr/bin/umount";
        fs::copy(real, "/run/umount").unwrap();
        stub(Program::UMOUNT, "trap '' TERM; echo $$ >> /run/pids; while :; do sleep infinity; done");
        let start = Instant::now();
        // The text and the document at once, since each takes as long as the limit of the command.
        let (text, (exit, document)) = std::thread::scope(|scope| {
            let text = scope.spawn(|| agent("usb unmount usb"));
            let document = document("usb unmount usb");
            (text.join().unwrap(), document)
        });
        assert!((60..80).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
        let pids: Vec<String> = fs::read_to_string("/run/pids").unwrap().lines().map(Into::into).collect();
        let told = |pid: &String| {
            format!(
                "{TARGET} is as it was so far, and the command that was to change it has not ended: \
                 still running as process {pid}"
            )
        };
        let is_told = |said: &str| pids.iter().any(|pid| said == told(pid));
        // The runner has logged a warning before.
        let line = text.stderr.lines().last().unwrap().strip_prefix("felhom-agent: ").unwrap();
        assert!(text.exit == 1 && text.stdout.is_empty() && is_told(line), "{text:?}");
        assert_eq!(
            (exit, &document["schema"], &document["exit"]),
            (1, &json!("felhom.problem/1"), &json!(1))
        );
        assert!(is_told(document["problem"].as_str().unwrap()), "{document}");
        // What is mounted is still told of, and unmounted by the next one that can.
        assert_eq!(judged().1, "warn");
        fs::remove_file(real).unwrap();
        fs::copy("/run/umount", real).unwrap();
        assert_eq!(agent("usb unmount usb"), fine(&format!("{TARGET} is unmounted\n")));
    });
}

#[test]
fn an_empty_host_has_nothing_to_list() {
    contained(|| {
        crate::loopdev::empty_dev();
        sysfs(&[]);
        assert_eq!(agent("usb list"), fine("no file system is plugged in\n"));
        assert_eq!(agent("usb status"), fine("the configuration names no USB disk\n"));
    });
}

//! Disks and mounts as customers have them: read-only, waiting, without one filesystem, known by other names.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::mount::{MountFlags, mount, mount_remount};
use serde_json::json;

use crate::contained::{contained, write};
use crate::given::{agent, assert_problem, document, fine, judged, status};
use crate::loopdev::{Loop, Stuck, empty_dev, ext4, make};
use crate::mounts::{UUID, disk};
use crate::usb::{TARGET, configured, sysfs};

const IMAGE: &str = "/run/image";

#[test]
fn a_mount_whose_name_is_no_utf8_hinders_nobody() {
    contained(|| {
        let _disk = disk();
        sysfs(&["sda1"]);
        configured();
        for name in [b"caf\xe9".as_slice(), b"\xff", b"\xe2\x82 x"] {
            let place = [b"/mnt/", name].concat();
            let place = Path::new(OsStr::from_bytes(&place));
            fs::create_dir(place).unwrap();
            mount(place, place, "tmpfs", MountFlags::empty(), None).unwrap();
        }
        assert_eq!(agent("usb status"), fine(&status("not mounted", "mount")));
        assert_eq!(agent("usb mount usb"), fine(&format!("/dev/sda1 is mounted at {TARGET}\n")));
        assert_eq!(judged().1, "warn");
        assert_eq!(agent("usb unmount usb"), fine(&format!("{TARGET} is unmounted\n")));
    });
}

/// A mounted disk is told to be read-only by every command, in both forms.
fn assert_read_only(why: &str) {
    let (exit, status, summary) = judged();
    assert_eq!((exit, status.as_str(), summary), (1, "fail", format!("mounted at {TARGET}, but {why}")));
    assert_eq!(document("usb status").1["disks"][0]["read_only"], true);
    let run = agent("usb mount usb");
    let text = format!("/dev/sda1 was mounted already at {TARGET}, but {why}\n");
    assert_eq!((run.exit, run.stdout.as_str()), (1, text.as_str()), "{run:?}");
    let (exit, told) = document("usb mount usb");
    assert_eq!((exit, &told["read_only"]), (1, &json!(true)));
}

#[test]
fn a_disk_that_became_read_only_is_told_and_repaired() {
    contained(|| {
        let _disk = disk();
        sysfs(&["sda1"]);
        configured();
        assert_eq!(agent("usb mount usb"), fine(&format!("/dev/sda1 is mounted at {TARGET}\n")));
        assert_eq!(document("usb status").1["disks"][0]["read_only"], false);
        let protective = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
        // Of the mount alone, then of the whole filesystem, as after an error.
        for flags in [MountFlags::BIND | MountFlags::RDONLY, MountFlags::RDONLY] {
            mount_remount(TARGET, flags | protective, "").unwrap();
            assert_read_only("read-only");
        }
        let fix = document("usb status").1["disks"][0]["fix"].as_str().unwrap().to_owned();
        make("/bin/sh", &["-c", &fix.replace("felhom-agent", crate::contained::AGENT)]);
        assert_eq!(judged().2, format!("mounted at {TARGET}, but not after a reboot"));
        assert_eq!(agent("usb unmount usb").exit, 0);
    });
}

#[test]
fn a_filesystem_that_the_kernel_gave_up_after_an_error_is_told() {
    contained(|| {
        empty_dev();
        ext4(IMAGE, UUID, &["-e", "remount-ro"]);
        let _disk = Loop::attach(IMAGE, "/dev/sda1");
        sysfs(&["sda1"]);
        configured();
        assert_eq!(agent("usb mount usb").exit, 0);
        let device = rustix::fs::stat("/dev/sda1").unwrap().st_rdev;
        let trigger = format!("/sys/fs/ext4/loop{}/trigger_fs_error", rustix::fs::minor(device));
        fs::write(trigger, "made for a test").unwrap();
        let (exit, status, summary) = judged();
        assert_eq!(
            (exit, status.as_str(), summary.contains("but read-only")),
            (1, "fail", true),
            "{summary}"
        );
        assert_eq!(agent("usb mount usb").exit, 1);
        assert_eq!(agent("usb unmount usb").exit, 0);
    });
}

#[test]
fn a_disk_that_is_write_protected_is_told_when_it_is_mounted() {
    contained(|| {
        empty_dev();
        ext4(IMAGE, UUID, &[]);
        let _disk = Loop::attach_read_only(IMAGE, "/dev/sda1");
        sysfs(&["sda1"]);
        configured();
        fs::write("/run/devices/usb1/sda1/ro", "1\n").unwrap();
        let why = "read-only: /dev/sda1 is write-protected";
        let run = agent("usb mount usb");
        assert_eq!(
            (run.exit, run.stdout.as_str(), run.stderr.as_str()),
            (
                1,
                format!("/dev/sda1 is mounted at {TARGET}, but {why}\n").as_str(),
                format!("felhom-agent: {TARGET} is {why}\n  look lsblk -o NAME,RO,MODEL,SERIAL /dev/sda1\n")
                    .as_str()
            )
        );
        assert_read_only(why);
        assert_eq!(agent("usb unmount usb").exit, 0);
    });
}

#[test]
fn an_automount_waits_for_its_disk_and_is_mounted_upon() {
    contained(|| {
        let _disk = disk();
        sysfs(&["sda1"]);
        configured();
        fs::create_dir_all(TARGET).unwrap();
        let _waiting = Stuck::automount("systemd-1", TARGET);
        let fstab = |source: &str, options: &str| {
            write("/etc/fstab", &format!("{source} {TARGET} ext4 {options} 0 2\n"), 0o644);
        };
        let holds = format!("{TARGET} holds systemd-1");
        for (source, options) in
            [("UUID=ABCD-1234", "x-systemd.automount"), (&format!("UUID={UUID}"), "noauto"), ("#", "x")]
        {
            fstab(source, options);
            assert_eq!(judged(), (1, "fail".into(), holds.clone()), "{source} {options}");
            assert_problem("usb mount usb", 1, &format!("{holds}, not filesystem {UUID}"));
        }
        let sources =
            [format!("UUID={UUID}"), format!("UUID=\"{}\"", UUID.to_uppercase()), "/dev/sda1".into()];
        for source in sources {
            fstab(&source, "noauto,x-systemd.automount,nofail");
            assert_eq!(judged(), (0, "skip".into(), format!("waits for first use at {TARGET}")), "{source}");
            assert_eq!(agent("usb mount usb"), fine(&format!("/dev/sda1 is mounted at {TARGET}\n")));
            let summary = format!("mounted at {TARGET}, and again after a reboot, on first use");
            assert_eq!(judged(), (0, "ok".into(), summary));
            assert_eq!(agent("usb unmount usb"), fine(&format!("{TARGET} is unmounted\n")));
            assert_eq!(agent("usb unmount usb"), fine(&format!("{TARGET} was not mounted\n")));
        }
    });
}

#[test]
fn a_line_for_the_disk_or_the_target_by_any_name_is_refused() {
    contained(|| {
        empty_dev();
        ext4(IMAGE, UUID, &["-L", "my backup"]);
        let _disk = Loop::attach(IMAGE, "/dev/sda1");
        sysfs(&["sda1"]);
        configured();
        for (folder, name) in [("by-partuuid", "4f0a0c5e-01"), ("by-partlabel", "data"), ("by-id", "usb-x")] {
            fs::create_dir_all(format!("/dev/disk/{folder}")).unwrap();
            symlink("../../sda1", format!("/dev/disk/{folder}/{name}")).unwrap();
        }
        fs::create_dir("/dev/mapper").unwrap();
        symlink("../sda1", "/dev/mapper/stick").unwrap();
        let number = rustix::fs::stat("/dev/sda1").unwrap().st_rdev;
        mknodat(CWD, "/dev/node", FileType::BlockDevice, Mode::from_raw_mode(0o600), number).unwrap();
        let sources = [
            r"LABEL=my\040backup",
            r#"LABEL="my\040backup""#,
            "PARTUUID=4f0a0c5e-01",
            "PARTUUID=4F0A0C5E-01",
            "PARTLABEL=data",
            "ID=usb-x",
            "/dev/disk/by-id/usb-x",
            "/dev/mapper/stick",
            "/dev/node",
            "/dev/sda1",
            "//dev/./disk/../sda1",
            "\"/dev/sda1\"",
        ];
        for source in sources {
            let line = format!("{source} /mnt/other ext4 defaults 0 2");
            write("/etc/fstab", &format!("{line}\n"), 0o644);
            let text = format!("/etc/fstab cannot be changed: line 1 of fstab is not ours: {line:?}");
            for flag in ["", " --dry-run"] {
                assert_problem(&format!("usb persist usb{flag}"), 1, &text);
            }
        }
        write("/etc/fstab", "LABEL=other /mnt/other ext4 defaults 0 2\n/dev/sdb1 /mnt/x ext4\n", 0o644);
        assert_eq!(agent("usb persist usb").exit, 0);
    });
}

/// `mount`, `persist` and `status` refuse the disk in the same words.
fn assert_refused_alike(text: &str) {
    write("/etc/fstab", "", 0o644);
    for verb in ["mount", "persist", "persist --dry-run"] {
        let run = agent(&format!("usb {verb} usb"));
        let first = run.stderr.lines().next().unwrap_or_default();
        assert_eq!((run.exit, first), (1, format!("felhom-agent: {text}").as_str()), "{verb}");
    }
    assert_eq!((judged().2.as_str(), fs::read("/etc/fstab").unwrap().len()), (text, 0));
}

#[test]
fn what_is_not_mounted_here_is_refused_alike_by_every_command() {
    contained(|| {
        empty_dev();
        configured();
        for kind in ["swap", "crypto_LUKS"] {
            let image = File::create(IMAGE).unwrap();
            image.set_len(8 << 20).unwrap();
            if kind == "swap" {
                make("/usr/sbin/mkswap", &["-q", "-U", UUID, IMAGE]);
            } else {
                // Source: cryptsetup, on-disk format of LUKS1.
                image.write_all_at(b"LUKS\xba\xbe\x00\x01", 0).unwrap();
                image.write_all_at(UUID.as_bytes(), 168).unwrap();
            }
            let _disk = Loop::attach(IMAGE, "/dev/sda1");
            sysfs(&["sda1"]);
            // Both with what udev knows and without.
            let udev = format!(
                "/run/udev/data/b7:{}",
                rustix::fs::minor(rustix::fs::stat("/dev/sda1").unwrap().st_rdev)
            );
            let text = format!("filesystem {UUID} is of type {kind}, which is not mounted here");
            write(&udev, &format!("E:ID_FS_UUID={UUID}\nE:ID_FS_TYPE={kind}\n"), 0o644);
            assert_refused_alike(&text);
            fs::remove_file(udev).unwrap();
            assert_refused_alike(&text);
            fs::remove_file(format!("/dev/disk/by-uuid/{UUID}")).unwrap();
        }
    });
}

#[test]
fn a_disk_with_two_signatures_is_told_as_such() {
    contained(|| {
        empty_dev();
        ext4(IMAGE, UUID, &[]);
        // That of an ISO 9660. Source: ECMA-119, 8.
        File::options().write(true).open(IMAGE).unwrap().write_all_at(b"\x01CD001\x01", 32768).unwrap();
        let _disk = Loop::attach(IMAGE, "/dev/sda1");
        sysfs(&["sda1"]);
        fs::remove_dir_all("/run/udev").unwrap();
        configured();
        let text = format!(
            "no device is known to hold filesystem {UUID}, and /dev/sda1 holds more than one signature"
        );
        assert_refused_alike(&text);
        assert_eq!(document("usb status").1["disks"][0]["look"], "wipefs -n /dev/sda1");
        let list = agent("usb list");
        let warning = "felhom-agent: warning: /dev/sda1 holds more than one signature; wipefs -n /dev/sda1 shows them\n";
        assert_eq!((list.exit, list.stdout.as_str(), list.stderr.as_str()), (0, "", warning));
        assert_eq!(document("usb list").1["ambivalent"], json!(["/dev/sda1"]));
    });
}

#[test]
fn one_device_that_cannot_be_probed_hides_no_other() {
    contained(|| {
        let _disk = disk();
        // Not even root may open it, as in a container.
        fs::create_dir("/run/nodev").unwrap();
        mount("none", "/run/nodev", "tmpfs", MountFlags::NODEV, None).unwrap();
        mknodat(CWD, "/run/nodev/vda", FileType::BlockDevice, Mode::from_raw_mode(0o660), 0x700).unwrap();
        symlink("/run/nodev/vda", "/dev/vda").unwrap();
        sysfs(&["sda1"]);
        // Not on USB: what is not to be mounted may hold a copy all the same.
        fs::create_dir_all("/run/devices/virtio/vda").unwrap();
        fs::write("/run/devices/virtio/vda/dev", "254:0\n").unwrap();
        symlink("/run/devices/virtio/vda", "/sys/class/block/vda").unwrap();
        fs::remove_dir_all("/run/udev").unwrap();
        configured();
        let why = "/dev/vda cannot be probed: blkid: error: /dev/vda: Permission denied";
        let list = agent("usb list");
        assert_eq!((list.exit, list.stderr), (0, format!("felhom-agent: warning: {why}\n")));
        assert!(list.stdout.contains("/dev/sda1") && !list.stdout.contains("vda"), "{}", list.stdout);
        let told = document("usb list").1;
        assert_eq!(
            (&told["unprobed"][0]["device"], told["filesystems"].as_array().unwrap().len()),
            (&json!("/dev/vda"), 1)
        );
        assert_refused_alike(&format!("a second filesystem {UUID} cannot be ruled out: {why}"));
        // One that is mounted is judged all the same.
        fs::remove_file("/dev/vda").unwrap();
        assert_eq!(agent("usb mount usb").exit, 0);
        symlink("/run/nodev/vda", "/dev/vda").unwrap();
        assert_eq!(
            agent("usb status"),
            fine(&status(&format!("mounted at {TARGET}, but not after a reboot"), "persist"))
        );
        assert_eq!(agent("usb unmount usb").exit, 0);
    });
}

//! The commands `usb persist` and `usb forget` on a real `/etc/fstab`: as a whole or not at all.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::mount::{MountFlags, mount, mount_bind, mount_remount};
use serde_json::json;

use crate::contained::{UID, contained, contained_as_user, write};
use crate::drop_in::rules;
use crate::given::{Run, agent, assert_problem, command, document, fine};
use crate::loopdev::Loop;
use crate::mounts::{UUID, disk};
use crate::usb::{configured, sysfs};

const FSTAB: &str = "/etc/fstab";
const OLD: &str = "# first\r\ntmpfs /run/x tmpfs noauto 0 0\n\n# last, without an end";
const TARGET: &str = "/mnt/felhom/usb";

/// A host whose table is the old one, with a disk.
fn host() -> Loop {
    let disk = disk();
    sysfs(&["sda1"]);
    configured();
    fs::create_dir("/run/x").unwrap();
    write(FSTAB, OLD, 0o640);
    chown(FSTAB, Some(0), Some(UID)).unwrap();
    disk
}

fn line(kind: &str) -> String {
    let options = "nosuid,nodev,noexec,nofail,X-mount.mkdir,x-systemd.device-timeout=10s";
    format!("UUID={UUID} {TARGET} {kind} {options} 0 0")
}

fn text() -> String {
    fs::read_to_string(FSTAB).unwrap()
}

/// The names in `/etc` that have to do with the table.
fn names() -> Vec<String> {
    let names = fs::read_dir("/etc").unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains("fstab")).collect()
}

/// A run, its warning about PVE looked at and taken away.
fn ran(line: &str) -> Run {
    let mut run = agent(line);
    let warning = format!(
        "felhom-agent: warning: PVE was not asked whether a storage on {TARGET} needs is_mountpoint: "
    );
    if line.starts_with("usb persist") && run.exit == 0 {
        let rest = run.stderr.strip_prefix(&warning).unwrap_or_else(|| panic!("{run:?}"));
        run.stderr = rest.split_once('\n').unwrap().1.into();
    }
    run
}

#[test]
fn a_line_is_added_and_removed_and_everything_else_stays() {
    contained(|| {
        let _disk = host();
        let new = format!("{OLD}\n{}", line("ext4"));
        assert_eq!(ran("usb persist usb"), fine(&format!("+{}\n", line("ext4"))));
        assert_eq!((text(), names()), (new.clone(), vec!["fstab".into()]));
        let facts = fs::metadata(FSTAB).unwrap();
        assert_eq!((facts.mode() & 0o7777, facts.uid(), facts.gid()), (0o640, 0, UID));
        let inode = facts.ino();
        assert_eq!(ran("usb persist usb"), fine(&format!("{TARGET} is mounted after a reboot already\n")));
        assert_eq!((text(), fs::metadata(FSTAB).unwrap().ino()), (new, inode));
        assert_eq!(ran("usb forget usb"), fine(&format!("-{}\n", line("ext4"))));
        assert_eq!((text(), names()), (OLD.into(), vec!["fstab".into()]));
        assert_eq!(ran("usb forget usb"), fine(&format!("{TARGET} is not in /etc/fstab\n")));
    });
}

#[test]
fn a_disk_that_is_plugged_in_gives_its_type_and_mount_knows_the_line() {
    contained(|| {
        let _disk = disk();
        sysfs(&["sda1"]);
        configured();
        write(FSTAB, "", 0o644);
        assert_eq!(ran("usb persist usb"), fine(&format!("+{}\n", line("ext4"))));
        crate::loopdev::make("/usr/bin/mount", &[TARGET]);
        let told = document("usb status").1["disks"][0].clone();
        let summary = json!(format!("mounted at {TARGET}, and again after a reboot"));
        assert_eq!((&told["status"], &told["summary"]), (&json!("ok"), &summary));
        assert_eq!(agent("usb unmount usb").exit, 0);
    });
}

#[test]
fn a_dry_run_shows_the_line_to_everybody_and_writes_nothing() {
    contained_as_user(
        |user| {
            let _disk = host();
            rules();
            fs::set_permissions(FSTAB, fs::Permissions::from_mode(0o644)).unwrap();
            let before = fs::metadata(FSTAB).unwrap().ino();
            user();
            assert_eq!((text(), fs::metadata(FSTAB).unwrap().ino()), (OLD.into(), before));
        },
        || {
            let added = format!("+{}", line("ext4"));
            assert_eq!(ran("usb persist usb --dry-run"), fine(&format!("{added}\n")));
            let (exit, told) = document("usb persist usb --dry-run");
            assert_eq!(
                (exit, &told["schema"], &told["changed"], &told["lines"]),
                (0, &json!("felhom.usb-persist/1"), &json!(false), &json!([added]))
            );
            let text = "only root can change /etc/fstab; run this as root";
            assert_problem("usb persist usb", 1, text);
            assert_problem("usb forget usb", 1, text);
        },
    );
}

#[test]
fn the_document_tells_what_changed() {
    contained(|| {
        let _disk = host();
        let (exit, told) = document("usb persist usb");
        let warnings = told["warnings"].as_array().unwrap().len();
        assert_eq!((exit, &told["changed"], warnings), (0, &json!(true), 1));
        let forgotten = json!({
            "schema": "felhom.usb-forget/1", "changed": true, "lines": [format!("-{}", line("ext4"))],
            "warnings": [],
        });
        assert_eq!(document("usb forget usb"), (0, forgotten));
    });
}

#[test]
fn what_must_not_be_replaced_is_told_and_stays() {
    contained(|| {
        let _disk = host();
        let conflict = format!("LABEL=x {TARGET} ext4 defaults 0 0");
        write(FSTAB, &conflict, 0o644);
        let text = format!("/etc/fstab cannot be changed: line 1 of fstab is not ours: \"{conflict}\"");
        assert_problem("usb persist usb", 1, &text);
        assert_problem("usb forget usb", 1, &text);
        fs::rename(FSTAB, "/etc/real").unwrap();
        symlink("real", FSTAB).unwrap();
        assert_problem("usb persist usb", 1, "/etc/fstab is a symbolic link");
        assert_eq!(fs::read_link(FSTAB).unwrap().to_str(), Some("real"));
        fs::remove_file(FSTAB).unwrap();
        let absent = "/etc/fstab cannot be opened: No such file or directory (os error 2)";
        assert_problem("usb persist usb", 1, absent);
        fs::create_dir_all("/mnt/felhom").unwrap();
        symlink("/", TARGET).unwrap();
        assert_problem("usb persist usb", 1, &format!("{TARGET} is no place to mount on: Symlink"));
        fs::remove_file(TARGET).unwrap();
        fs::create_dir(TARGET).unwrap();
        fs::set_permissions(TARGET, fs::Permissions::from_mode(0o777)).unwrap();
        assert_problem("usb persist usb", 1, &format!("{TARGET} is no place to mount on: Writable"));
        assert_eq!(names(), [""; 0]);
    });
}

#[test]
fn errors_in_the_rest_of_the_table_are_told() {
    contained(|| {
        let _disk = host();
        write(FSTAB, "garbage\n/dev/none /mnt/nowhere ext4 defaults 0 0\n", 0o644);
        let run = ran("usb persist usb");
        let wrong: Vec<_> = run.stderr.lines().collect();
        assert_eq!((run.exit, wrong.len()), (0, 2), "{run:?}");
        assert!(wrong[0].starts_with("felhom-agent: warning: /mnt/nowhere: unreachable"), "{wrong:?}");
        assert!(wrong[1].ends_with(": parse error at line 1 -- ignored"), "{wrong:?}");
    });
}

#[test]
fn a_full_disk_leaves_the_old_table_and_nothing_else() {
    contained(|| {
        let _disk = host();
        fs::create_dir_all("/run/config").unwrap();
        fs::copy("/etc/felhom-agent/config.json", "/run/config/config.json").unwrap();
        mount("tmpfs", "/etc", "tmpfs", MountFlags::empty(), c"size=32k").unwrap();
        let old = "# 123456789\n".repeat(1500);
        write(FSTAB, &old, 0o644);
        let text = "/etc/.fstab.felhom-agent cannot be written: No space left on device (os error 28)";
        assert_problem("usb persist usb --config /run/config/config.json", 1, text);
        assert_eq!((self::text(), names()), (old, vec!["fstab".into()]));
    });
}

#[test]
fn a_folder_that_cannot_be_written_to_leaves_the_old_table() {
    contained(|| {
        let _disk = host();
        mount_bind("/etc", "/etc").unwrap();
        mount_remount("/etc", MountFlags::BIND | MountFlags::RDONLY, "").unwrap();
        let text = "/etc/.fstab.felhom-agent cannot be made: Read-only file system (os error 30)";
        assert_problem("usb persist usb", 1, text);
        assert_eq!(self::text(), OLD);
    });
}

/// A number below the limit.
fn random(limit: u128) -> u128 {
    let mut bytes = [0; 16];
    File::open("/dev/urandom").unwrap().read_exact(&mut bytes).unwrap();
    u128::from_ne_bytes(bytes) % limit
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_table_or_the_new_one() {
    contained(|| {
        let _disk = host();
        let tables = [OLD.to_owned(), format!("{OLD}\n{}", line("ext4"))];
        let verbs = [["usb", "persist", "usb"], ["usb", "forget", "usb"]];
        let run = |verb: &[&str]| {
            let mut command = command(verb);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().unwrap()
        };
        let start = Instant::now();
        assert!(run(&verbs[0]).wait().unwrap().success() && run(&verbs[1]).wait().unwrap().success());
        let longest = start.elapsed().as_nanos() / 2;
        let mut seen = [0; 4];
        for _ in 0..300 {
            let is_new = usize::from(text() == tables[1]);
            let start = Instant::now();
            let mut child = run(&verbs[is_new]);
            let moment = Duration::from_nanos(u64::try_from(random(longest)).unwrap());
            while start.elapsed() < moment {
                std::hint::spin_loop();
            }
            child.kill().unwrap();
            let is_killed = !child.wait().unwrap().success();
            let after = text();
            assert!(tables.contains(&after), "{after:?}");
            let facts = fs::metadata(FSTAB).unwrap();
            assert_eq!((facts.mode() & 0o7777, facts.uid(), facts.gid()), (0o640, 0, UID));
            seen[usize::from(after != tables[is_new]) * 2 + usize::from(is_killed)] += 1;
            seen[0] += usize::from(names().len() > 1);
        }
        println!("killed before: {}, after: {}, new file left: {}", seen[1], seen[3], seen[0]);
        assert!(seen[1] > 20 && seen[3] > 20, "{seen:?}");
        // What is left of a killed run hinders nobody.
        let verb = verbs[usize::from(text() == tables[1])];
        assert!(run(&verb).wait().unwrap().success());
        assert_eq!(names(), ["fstab"]);
    });
}

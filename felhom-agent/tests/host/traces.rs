//! What a test leaves on the host: nothing, also if it is killed in the middle.

use std::env::{var, var_os};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use proxmox_privileged::Program;
use rustix::fs::{CWD, FileType, mknodat};

use crate::agent::agent;
use crate::contained::{AGENT, PROGRAM, STAGE, account, contained, inside, is_wanted, name_of, write};
use crate::drop_in::{PATH, text};
use crate::loopdev::{Loop, empty_dev, ext4};
use crate::mounts::UUID;
use crate::process::stub;
use crate::usb::{configured, sysfs};

/// Says which image is used, and whether the test goes on until it is killed.
const IMAGE: &str = "FELHOM_HOST_IMAGE";
const IS_ENDLESS: &str = "FELHOM_HOST_ENDLESS";
/// How long the kernel may take to clean up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything that tests do to a host: an account, rules, a disk, a mount, a changed table, a root process.
fn everything() -> (Loop, Child) {
    let image = var(IMAGE).unwrap();
    empty_dev();
    ext4(&image, UUID, &[]);
    let disk = Loop::attach(&image, "/dev/sda1");
    sysfs(&["sda1"]);
    configured();
    write("/etc/fstab", "# none\n", 0o644);
    for line in ["usb mount usb", "usb persist usb"] {
        assert_eq!(agent(line).exit, 0, "{line}");
    }
    write(PATH, &text(), 0o440);
    mknodat(CWD, "/run/never", FileType::Fifo, 0o600.into(), 0).unwrap();
    stub(Program::SMARTCTL, "echo started; read _ <> /run/never");
    let mut sudo = account(&["/usr/bin/sudo", "-n", "--", "/usr/sbin/smartctl", "-a", "-j", "-n", "standby"]);
    let mut root = sudo.arg("/dev/sda").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(root.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "started\n");
    (disk, root)
}

/// The namespace that a process runs in.
fn namespace(process: &str) -> Option<String> {
    fs::read_link(format!("/proc/{process}/ns/pid")).ok()?.to_str().map(Into::into)
}

/// What must be as it was: the mounts, the accounts, the rules, the table of filesystems.
fn host() -> Vec<String> {
    let files =
        ["/proc/self/mountinfo", "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/sudoers", "/etc/fstab"];
    let texts = files.map(|path| fs::read_to_string(path).unwrap_or_default());
    let folders = ["/etc/sudoers.d", "/etc", "/mnt"].map(|folder| {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        format!("{folder}: {names:?}")
    });
    let programs = [PROGRAM, AGENT].map(|path| format!("{path}: {}", fs::exists(path).unwrap()));
    texts.into_iter().chain(folders).chain(programs).collect()
}

/// The processes in a namespace, and the loop devices with this image.
fn left(space: &str, image: &str) -> (Vec<String>, Vec<String>) {
    let names = |folder: &str| -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        entries.filter_map(|name| name.into_string().ok()).collect()
    };
    let holds = |device: &String| {
        let path = format!("/sys/block/{device}/loop/backing_file");
        fs::read_to_string(path).is_ok_and(|file| file.contains(image))
    };
    let processes = names("/proc").into_iter().filter(|pid| namespace(pid).as_deref() == Some(space));
    (processes.collect(), names("/sys/block").into_iter().filter(holds).collect())
}

/// Starts the test, and tells the namespace that it runs in once everything is done.
fn start(name: &str, image: &str, is_endless: bool) -> (Child, String) {
    let mut command = inside(name);
    command.env(IMAGE, image).stdout(Stdio::piped());
    if is_endless {
        command.env(IS_ENDLESS, "1");
    }
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut spaces = lines.filter_map(|line| line.strip_prefix("ready ").map(Into::into));
    let space = spaces.next().expect("the test gets ready");
    if !is_endless {
        spaces.for_each(drop);
    }
    (child, space)
}

/// Runs the test once to its end and once to the middle, and compares.
fn compared(name: &str) {
    for is_endless in [false, true] {
        let image = format!("/run/image-{}-{is_endless}", std::process::id());
        let before = host();
        let (mut child, space) = start(name, &image, is_endless);
        if is_endless {
            let (processes, devices) = left(&space, &image);
            assert!(processes.len() > 4 && devices.len() == 1, "{processes:?} {devices:?}");
            child.kill().unwrap();
        }
        assert_eq!(child.wait().unwrap().success(), !is_endless);
        let start = Instant::now();
        while left(&space, &image) != (vec![], vec![]) && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
        }
        println!("nothing left after {:?}", start.elapsed());
        assert_eq!(left(&space, &image), (vec![], vec![]));
        assert_eq!(host(), before);
    }
}

/// Runs the body where everything goes away, or compares what was before and after.
fn traced<F: FnOnce()>(body: F) {
    let name = name_of::<F>();
    if var_os(STAGE).is_some() {
        contained(body);
    } else if is_wanted(&name) {
        compared(&name);
    }
}

#[test]
fn a_test_leaves_nothing_also_if_it_is_killed() {
    traced(|| {
        let _everything = everything();
        println!("\nready {}", namespace("self").unwrap());
        if var_os(IS_ENDLESS).is_some() {
            std::thread::park();
        }
    });
}

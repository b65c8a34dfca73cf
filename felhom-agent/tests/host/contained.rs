//! Runs a test as root in namespaces of its own, so that nothing of what it does to the host can stay.
//!
//! The test starts itself again behind `unshare`: with its own mounts, where `/etc`, `/usr/bin` and `/usr/sbin` lie below
//! an overlay and `/run` and `/mnt` are empty, and with its own processes. When the first of these ends, the kernel ends
//! the others and drops the mounts, and with them everything that was written. Each link of the chain has asked the
//! kernel to be killed when the one before it dies, so this holds for a test that is killed, too.
//!
//! As root a missing tool is a failure, not a reason to skip. Without root, and where root may have no namespaces, the
//! tests say on stderr that they were skipped. `CI_HOST_TESTS=1` makes that a failure, `CI_HOST_TESTS=0` skips them for root as well.
//!
//! The last test proves it: a test leaves nothing on the host, also if it is killed in the middle.
#![expect(clippy::disallowed_types, reason = "the tests start themselves again")]

use std::any::type_name;
use std::env::{var, var_os};
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use rustix::mount::{MountFlags, mount, mount_bind};

/// Says how far a test is on its way in: not set, `root`, `user`.
pub(crate) const STAGE: &str = "FELHOM_HOST_STAGE";
/// Names the row of a table that runs.
const ROW: &str = "FELHOM_HOST_ROW";
/// Says whether the tests must run (1) or must not (0).
const WANTED: &str = "CI_HOST_TESTS";
/// Longest that one test may take, in seconds.
const LONGEST: &str = "120";
/// The program of the tests, where every account can run it.
pub(crate) const PROGRAM: &str = "/run/host-tests";
/// The agent's binary, where every account can run it.
pub(crate) const AGENT: &str = "/run/felhom-agent";

/// The words for the shell, and where it finds them.
const WORDS: &str = "/run/host.sh";

/// The account that stands for the agent's.
pub(crate) const USER: &str = "felhom-test";
/// Its number. Debian gives none between 60000 and 64999 to anybody.
pub(crate) const UID: u32 = 64077;

/// What the tests call, and the packages that it comes in.
const TOOLS: [(&str, &str); 12] = [
    ("/usr/bin/unshare", "util-linux"),
    ("/usr/bin/setpriv", "util-linux"),
    ("/usr/bin/findmnt", "util-linux"),
    ("/usr/sbin/blkid", "util-linux"),
    ("/usr/bin/mount", "mount"),
    ("/usr/bin/perl", "perl-base"),
    ("/usr/bin/sudo", "sudo"),
    ("/usr/sbin/visudo", "sudo"),
    ("/usr/sbin/smartctl", "smartmontools"),
    ("/usr/bin/sensors", "lm-sensors"),
    ("/usr/sbin/mkfs.ext4", "e2fsprogs"),
    ("/usr/sbin/mkfs.vfat", "dosfstools"),
];

/// Runs the body as root in namespaces of its own.
pub(crate) fn contained<F: FnOnce()>(body: F) {
    contained_with(&[], body);
}

/// Runs the body likewise, with more in its environment.
pub(crate) fn contained_with<F: FnOnce()>(environment: &[(&str, &str)], body: F) {
    let name = name_of::<F>();
    if var_os(STAGE).is_some() {
        prepare();
        body();
    } else if is_wanted(&name) {
        succeed(inside(&name).envs(environment.iter().copied()));
    }
}

/// Runs a body as root that can run another one as the agent's account, in the same namespaces.
pub(crate) fn contained_as_user<F: FnOnce(&dyn Fn())>(as_root: F, as_user: impl FnOnce()) {
    contained_as(&name_of::<F>(), &[], as_root, as_user);
}

/// Runs the bodies of the named test likewise, the account's behind these words.
pub(crate) fn contained_as(
    name: &str,
    behind: &[&str],
    as_root: impl FnOnce(&dyn Fn()),
    as_user: impl FnOnce(),
) {
    match var(STAGE).as_deref() {
        Ok("user") => as_user(),
        Ok(_) => {
            prepare();
            as_root(&|| succeed(account(behind).arg(PROGRAM).args(only(name)).env(STAGE, "user")));
        }
        Err(_) if is_wanted(name) => succeed(&mut inside(name)),
        Err(_) => (),
    }
}

/// How a row of a table ended.
pub(crate) struct End {
    pub(crate) name: String,
    pub(crate) said: String,
    has_passed: bool,
}

/// Runs the body for each row of a table, in namespaces of its own that the body asks for. Nothing has ended where the
/// body itself runs, or where the test is skipped.
pub(crate) fn each(test: &str, rows: &[&str], body: impl FnOnce(&str)) -> Vec<End> {
    if let Ok(row) = var(ROW) {
        body(&row);
    } else if is_wanted(test) {
        let run = |row: &&str| {
            let output = inside(test).env(ROW, row).output().unwrap();
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            let has_passed = output.status.success() && said.contains("1 passed");
            End { name: (*row).to_owned(), said, has_passed }
        };
        let threads = rows.chunks(rows.len().div_ceil(4).max(1));
        return std::thread::scope(|scope| {
            let threads: Vec<_> =
                threads.map(|rows| scope.spawn(move || rows.iter().map(run).collect::<Vec<_>>())).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
    }
    Vec::new()
}

/// Asserts that every row has passed.
pub(crate) fn assert_passed(ends: &[End]) {
    let failed = ends.iter().filter(|end| !end.has_passed);
    let failed: Vec<_> = failed.map(|end| format!("{}: {}", end.name, end.said)).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Lines for a shell that has the words of `host.sh`.
pub(crate) fn shell(lines: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &format!(". {WORDS}\n{lines}")]).env_clear().current_dir("/").stdin(Stdio::null());
    let node = Path::new(env!("CARGO_BIN_EXE_felhom-agent")).with_file_name("examples/simulated-node");
    shell.env("SIMULATED_NODE", node).env("USER", USER).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    shell.env("FIXTURES", concat!(env!("CARGO_MANIFEST_DIR"), "/../proxmox-privileged/fixtures"));
    shell
}

/// Changes the host with the words of `host.sh`.
pub(crate) fn given(lines: &str) {
    let output = shell(&format!("set -e\n{lines}")).output().unwrap();
    assert!(output.status.success(), "{lines}: {output:?}");
}

/// A command that starts, as the agent's account, what its further arguments name.
pub(crate) fn account(behind: &[&str]) -> Command {
    let uid = UID.to_string();
    let mut command = Command::new("/usr/bin/setpriv");
    command.args(["--reuid", &uid, "--regid", &uid, "--clear-groups", "--"]).args(behind);
    command.stdin(Stdio::null());
    command
}

/// The name of the test that a closure stands in.
pub(crate) fn name_of<F>() -> String {
    let (_, path) = type_name::<F>().split_once("::").unwrap();
    path.strip_suffix("::{{closure}}").unwrap().to_owned()
}

/// Arguments of the test program that run one test in the only thread.
fn only(name: &str) -> [&str; 5] {
    [name, "--exact", "--nocapture", "--test-threads", "1"]
}

/// The command that runs one test inside.
pub(crate) fn inside(name: &str) -> Command {
    let mut command = Command::new("/usr/bin/setpriv");
    command.args(["--pdeathsig", "KILL", "--", "/usr/bin/timeout", "--signal", "KILL", LONGEST]);
    command.args(["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"]);
    command.args(["/usr/bin/unshare", "--mount", "--propagation", "private"]);
    command.args(["--pid", "--fork", "--kill-child", "--mount-proc", "--"]);
    // The shell is the first process, which waits for those whose parents have ended.
    command.args(["/bin/sh", "-c", "\"$@\"; exit $?", "sh"]).arg(std::env::current_exe().unwrap());
    command.args(only(name)).env(STAGE, "root").stdin(Stdio::null());
    command
}

/// Runs a test that must be there and pass.
fn succeed(command: &mut Command) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success() && stdout.contains("1 passed"), "{status}\n{stdout}\n{stderr}");
    print!("{stdout}");
}

/// Whether the test shall run; a line on stderr if not.
pub(crate) fn is_wanted(name: &str) -> bool {
    let wanted = var(WANTED).unwrap_or_default();
    let is_root = rustix::process::geteuid().is_root();
    let reason = match wanted.as_str() {
        "0" => format!("{WANTED}=0"),
        "1" if !is_root => panic!("{WANTED}=1, but this is not root"),
        _ if !is_root => "needs root".into(),
        "1" if !is_possible() => panic!("{WANTED}=1, but this root may have no namespaces or loop devices"),
        _ if !is_possible() => "needs namespaces and loop devices, which this root may not have".into(),
        _ => {
            let missing: Vec<_> = TOOLS.iter().filter(|(path, _)| !Path::new(path).exists()).collect();
            assert!(missing.is_empty(), "install {missing:?}, or skip these tests with {WANTED}=0");
            return true;
        }
    };
    // Not by a macro: the output of those is only shown for tests that fail.
    writeln!(std::io::stderr(), "SKIPPED {name}: {reason}").unwrap();
    false
}

/// Whether root may do here what the tests do: have namespaces of its own, mount, and use loop devices. In some containers
/// it may not.
fn is_possible() -> bool {
    static POSSIBLE: LazyLock<bool> = LazyLock::new(|| {
        let probe = "mount -t tmpfs none /mnt && mknod /mnt/loop-control c 10 237 && : < /mnt/loop-control";
        let mut command = Command::new("/usr/bin/unshare");
        command.args(["--mount", "--pid", "--fork", "--mount-proc", "/bin/sh", "-c", probe]);
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    });
    *POSSIBLE
}

/// Makes the host one that can be changed in any way, with the agent's account on it.
pub(crate) fn prepare() {
    // Not by its path: that may lie where the account cannot look, or below one of the mounts made here.
    let agent = fs::File::open(env!("CARGO_BIN_EXE_felhom-agent")).unwrap();
    tmpfs("/run");
    let agent = format!("/proc/self/fd/{}", agent.as_raw_fd());
    for (program, place) in [("/proc/self/exe", PROGRAM), (&agent, AGENT)] {
        fs::write(place, "").unwrap();
        mount_bind(program, place).unwrap();
    }
    for folder in ["/etc", "/usr/bin", "/usr/sbin"] {
        overlay(folder);
    }
    tmpfs("/mnt");
    write(WORDS, include_str!("host.sh"), 0o644);
    symlink(AGENT, "/usr/bin/felhom-agent").unwrap();
    append("/etc/passwd", &format!("{USER}:x:{UID}:{UID}::/nonexistent:/usr/sbin/nologin\n"));
    append("/etc/group", &format!("{USER}:x:{UID}:\n"));
    append("/etc/shadow", &format!("{USER}:*:20000:0:99999:7:::\n"));
    // Nobody shall get mail about what is refused here.
    write("/etc/sudoers.d/00-quiet", "Defaults !mailerpath\n", 0o440);
}

/// Writes a file with exactly these bits.
pub(crate) fn write(path: impl AsRef<Path>, text: &str, mode: u32) {
    // Not in place: a program that is running cannot be written to.
    let _absent = fs::remove_file(&path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn append(path: &str, text: &str) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// Lays an empty filesystem over a folder.
pub(crate) fn tmpfs(folder: &str) {
    mount("tmpfs", folder, "tmpfs", MountFlags::empty(), c"mode=755").unwrap();
}

/// Lets a folder be changed without changing it.
fn overlay(folder: &str) {
    let (upper, work) = (format!("/run/overlay{folder}/upper"), format!("/run/overlay{folder}/work"));
    fs::create_dir_all(&upper).unwrap();
    fs::create_dir_all(&work).unwrap();
    let options = std::ffi::CString::new(format!("lowerdir={folder},upperdir={upper},workdir={work}"));
    mount("overlay", folder, "overlay", MountFlags::empty(), &*options.unwrap()).unwrap();
}

/// Says which image is used, and whether the test goes on until it is killed.
const IMAGE: &str = "FELHOM_HOST_IMAGE";
const IS_ENDLESS: &str = "FELHOM_HOST_ENDLESS";
/// How long the kernel may take to clean up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything that tests do to a host: an account, rules, a disk, a mount, a changed table, a root process.
const EVERYTHING: &str =
    "empty_dev; ext4 $IMAGE $UUID; attach $IMAGE /dev/sda1; sysfs usb1 sda1; configured; rules
    echo '# none' > /etc/fstab; felhom-agent usb mount usb; felhom-agent usb persist usb
    mkfifo -m 600 /run/never; mkfifo -m 666 /run/told
    stub /usr/sbin/smartctl 'echo started > /run/told; read _ <> /run/never'
    exec > /dev/null 2>&1; user sudo -n -- /usr/sbin/smartctl -a -j -n standby /dev/sda & cat /run/told";

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
        given(&format!("IMAGE={}\n{EVERYTHING}", var(IMAGE).unwrap()));
        println!("\nready {}", namespace("self").unwrap());
        if var_os(IS_ENDLESS).is_some() {
            std::thread::park();
        }
    });
}

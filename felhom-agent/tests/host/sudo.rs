//! Why sudo does not run a command, and how a root command ends that would not end by itself: each made on the real thing.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use proxmox_privileged::{Program, RunError, Runner, SudoTrouble};
use rustix::fs::{CWD, FileType, mknodat};
use rustix::mount::{MountFlags, mount_bind, mount_remount};

use crate::contained::{UID, USER, write};
use crate::drop_in::{PATH, RAN, runner, smart, text, under, under_and_behind};
use crate::given::{blkid, now, others, said, stub};

/// The command is not run, and this is why.
fn assert_refused(error: RunError) {
    assert_eq!(now(runner().run(&smart())), Err(error));
    assert_eq!(fs::read_to_string(RAN).unwrap(), "");
}

fn not_permitted() -> RunError {
    RunError::NotPermitted { command: "/usr/sbin/smartctl -a -j -n standby /dev/sda".into() }
}

fn unusable(message: &str) -> RunError {
    RunError::SudoUnusable { trouble: SudoTrouble::Other { message: message.into() } }
}

#[test]
fn without_any_rule_a_password_is_wanted() {
    under(
        || fs::remove_file(PATH).unwrap(),
        || {
            assert_refused(RunError::PasswordWanted);
            assert_eq!(now(runner().permits(&smart())), Err(RunError::PasswordWanted));
            assert_eq!(now(runner().permitted()), Err(RunError::PasswordWanted));
        },
    );
}

#[test]
fn a_rule_with_a_password_wants_one() {
    let rule = format!("{USER} ALL=(root) /usr/sbin/smartctl\n");
    under(|| write(PATH, &rule, 0o440), || assert_refused(RunError::PasswordWanted));
}

/// sudo says that it permits this one: listing needs no password, as another rule needs none.
#[test]
fn a_rule_with_a_password_beside_one_without_wants_one() {
    let rules =
        format!("{USER} ALL=(root) NOPASSWD: /usr/bin/umount\n{USER} ALL=(root) /usr/sbin/smartctl\n");
    under(|| write(PATH, &rules, 0o440), || assert_refused(RunError::PasswordWanted));
}

#[test]
fn rules_for_other_commands_do_not_permit_this_one() {
    let rules = format!("{USER} ALL=(root) NOPASSWD: /usr/bin/umount\n");
    under(
        || write(PATH, &rules, 0o440),
        || {
            assert_refused(not_permitted());
            assert_eq!(now(runner().permits(&smart())), Err(not_permitted()));
            assert!(now(runner().permitted()).unwrap().contains("NOPASSWD: /usr/bin/umount"));
        },
    );
}

#[test]
fn the_status_1_of_a_permitted_command_is_its_own() {
    under(
        || stub(Program::SMARTCTL, "echo out; echo err >&2; exit 1"),
        || {
            assert_eq!(now(runner().run(&smart())), Ok(said(1, "out\n", "err\n")));
        },
    );
}

#[test]
fn a_process_that_cannot_gain_privileges_is_told_so() {
    under_and_behind(
        &["/usr/bin/setpriv", "--no-new-privs", "--"],
        || (),
        || assert_refused(RunError::SudoUnusable { trouble: SudoTrouble::NoNewPrivileges }),
    );
}

#[test]
fn a_sudo_without_its_bit_is_not_setuid() {
    under(
        || chmod("/usr/bin/sudo", 0o755),
        || {
            assert_refused(RunError::SudoUnusable { trouble: SudoTrouble::NotSetuid });
        },
    );
}

#[test]
fn a_sudo_of_another_owner_is_not_setuid() {
    under(
        || {
            chown("/usr/bin/sudo", Some(UID), Some(UID)).unwrap();
            chmod("/usr/bin/sudo", 0o4755);
        },
        || assert_refused(RunError::SudoUnusable { trouble: SudoTrouble::NotSetuid }),
    );
}

#[test]
fn a_sudo_that_is_not_there_is_missing() {
    under(
        || fs::remove_file("/usr/bin/sudo").unwrap(),
        || {
            assert_refused(RunError::SudoUnusable { trouble: SudoTrouble::Missing });
        },
    );
}

const NOSUID: &str = "effective uid is not 0, is /usr/bin/sudo on a file system with the 'nosuid' option set or an \
                      NFS file system without root privileges?";

#[test]
fn a_sudo_on_a_filesystem_without_setuid_says_so() {
    under(
        || {
            mount_bind("/usr/bin/sudo", "/usr/bin/sudo").unwrap();
            mount_remount("/usr/bin/sudo", MountFlags::BIND | MountFlags::NOSUID, "").unwrap();
        },
        || assert_refused(unusable(NOSUID)),
    );
}

const EXPIRED: &str = "account validation failure, is your account locked?; a password is required";

#[test]
fn an_account_that_has_expired_is_told_in_sudos_words() {
    under(
        || {
            let shadow = fs::read_to_string("/etc/shadow").unwrap();
            write(
                "/etc/shadow",
                &shadow.replace(
                    &format!("{USER}:*:20000:0:99999:7:::"),
                    &format!("{USER}:*:20000:0:99999:7::1:"),
                ),
                0o640,
            );
        },
        || assert_refused(unusable(EXPIRED)),
    );
}

const UNREADABLE: &str = "/etc/sudoers is world writable; no valid sudoers sources found, quitting; error initializing \
                          audit plugin sudoers_audit";

#[test]
fn rules_that_cannot_be_read_are_told_in_sudos_words() {
    under(|| chmod("/etc/sudoers", 0o666), || assert_refused(unusable(UNREADABLE)));
}

#[test]
fn a_program_that_root_cannot_start_is_told_in_sudos_words() {
    under(
        || write(Program::SMARTCTL.path(), "#!/no/such/shell\n", 0o755),
        || assert_refused(unusable("unable to execute /usr/sbin/smartctl: No such file or directory")),
    );
}

fn chmod(path: &str, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// What makes sudo complain on each of its runs, and do its work all the same.
fn make_noise() {
    write("/etc/sudoers.d/10-broken", "felhom ALL=(root NOPASSWD\n", 0o440);
    write("/etc/sudoers.d/20-open", "", 0o666);
    fs::remove_file("/etc/hosts").unwrap();
    write("/etc/nsswitch.conf", "passwd: files\nhosts: files\n", 0o644);
}

#[test]
fn what_sudo_always_says_is_not_an_output_of_the_command() {
    under(
        || {
            make_noise();
            stub(Program::SMARTCTL, "echo out; echo err >&2; exit 1");
        },
        || {
            let raw = now(runner().permitted()).unwrap();
            assert!(raw.contains("/usr/sbin/smartctl"), "{raw}");
            let runner = runner();
            now(async {
                assert_eq!(runner.run(&smart()).await, Ok(said(1, "out\n", "err\n")));
                assert_eq!(runner.run(&smart()).await, Ok(said(1, "out\n", "err\n")));
            });
        },
    );
}

#[test]
fn what_sudo_always_says_hides_no_refusal() {
    let rules = format!("{USER} ALL=(root) NOPASSWD: /usr/bin/umount\n");
    under(
        || {
            make_noise();
            write(PATH, &rules, 0o440);
        },
        || assert_refused(not_permitted()),
    );
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_sudo_always_says_is_warned_of_once() {
    under(make_noise, || {
        let log = Log::default();
        let writer = log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        let runner = runner();
        tracing::subscriber::with_default(subscriber, || {
            now(async {
                runner.run(&smart()).await.unwrap();
                runner.run(&smart()).await.unwrap();
            });
        });
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let count = |part: &str| text.matches(part).count();
        assert_eq!((count("WARN"), count("syntax error"), count("is world writable")), (1, 1, 1), "{text}");
        assert_eq!(
            (count("INFO"), count("command=/usr/sbin/smartctl -a -j -n standby /dev/sda")),
            (2, 2),
            "{text}"
        );
        assert_eq!(count("purpose=\"read the health of a disk without waking it; no test, no setting\""), 2);
    });
}

/// How much later than due something may happen on a busy machine.
const SLACK: Duration = Duration::from_millis(900);

/// A pipe with a name that nobody ever writes to: reading it waits without starting a program, as the rules demand.
const NEVER: &str = "/run/never";
/// A pipe with a name through which a stub tells what it does.
const TOLD: &str = "/run/told";

fn pipes() {
    for path in [NEVER, TOLD] {
        mknodat(CWD, path, FileType::Fifo, 0o644.into(), 0).unwrap();
    }
}

fn told() -> String {
    fs::read_to_string(TOLD).unwrap()
}

#[test]
fn a_root_command_ends_at_its_limit_or_at_the_one_of_its_rule() {
    under(
        || {
            pipes();
            // The rule allows 15 s more than the runner; that is shortened here, to save the time.
            write(PATH, &text().replace("TIMEOUT=45s", "TIMEOUT=38s"), 0o440);
            let deaf = "case $4 in */sda) trap '' TERM HUP;; esac";
            stub(Program::BLKID, &format!("{deaf}\nread _ <> {NEVER}"));
        },
        || {
            let (runner, start) = (runner(), Instant::now());
            let [deaf, obedient] = ["/dev/sda", "/dev/sdb"].map(|device| blkid(&device.parse().unwrap()));
            let limit = deaf.limit();
            let timed = async |command| (runner.run(command).await, start.elapsed());
            now(async {
                let ((still, late), (ended, took)) = tokio::join!(timed(&deaf), timed(&obedient));
                println!("ended after {took:?}, given up after {late:?}");
                let Err(RunError::StillRunning { pid }) = still else { panic!("{still:?}") };
                assert_eq!(ended, Err(RunError::TimedOut { limit }));
                assert!((limit..limit + SLACK).contains(&took), "{took:?}");
                let given_up = limit + Duration::from_secs(5);
                assert!((given_up..given_up + SLACK).contains(&late), "{late:?}");
                let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
                assert_eq!((name.trim(), &others()[1..]), ("sudo", &["sudo".into(), "blkid".into()][..]));
                assert_eq!(runner.run(&deaf).await, Err(RunError::StillRunning { pid }));
                while others().len() > 1 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                println!("ended by sudo after {:?}", start.elapsed());
            });
        },
    );
}

/// Tells when it has started and when it was told to end.
fn telling() {
    pipes();
    let script = format!("trap 'echo ended > {TOLD}; exit' TERM\necho started > {TOLD}\nread _ <> {NEVER}");
    stub(Program::SMARTCTL, &script);
}

/// Starts the command, and stops waiting for it as soon as it runs.
async fn give_up() {
    let (runner, smart) = (runner(), smart());
    tokio::select! {
        ran = runner.run(&smart) => panic!("{ran:?}"),
        told = tokio::task::spawn_blocking(told) => assert_eq!(told.unwrap(), "started\n"),
    }
    let told = tokio::task::spawn_blocking(told).await;
    assert_eq!(told.unwrap(), "ended\n");
}

#[test]
fn a_caller_that_stops_waiting_ends_the_root_command() {
    under(telling, || now(give_up()));
}

/// On a terminal sudo runs the command on another one, as `use_pty` says, and watches it from the outside.
const ON_A_TERMINAL: [&str; 4] = ["/bin/sh", "-c", "exec script -qec \"$*\" /dev/null", "sh"];

#[test]
fn on_a_terminal_a_caller_that_stops_waiting_ends_the_root_command_as_well() {
    under_and_behind(&ON_A_TERMINAL, telling, || {
        fs::File::open("/dev/tty").unwrap();
        now(give_up());
    });
}

#[test]
fn on_a_terminal_the_output_is_the_same() {
    let script = "printf 'out\\n'; printf 'err\\n' >&2; exit 3";
    under_and_behind(
        &ON_A_TERMINAL,
        || stub(Program::SMARTCTL, script),
        || {
            fs::File::open("/dev/tty").unwrap();
            assert_eq!(now(runner().run(&smart())), Ok(said(3, "out\n", "err\n")));
        },
    );
}

//! Why sudo does not run a command, and how a root command ends that would not end by itself: each made on the real thing.

use std::fs;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use proxmox_privileged::{Program, RunError, Runner};
use rustix::fs::{CWD, FileType, mknodat};

use crate::contained::{assert_passed, contained_as, each, given, write};
use crate::drop_in::{PATH, RAN, install, runner, smart, text, under, under_and_behind};
use crate::given::{blkid, now, others, said, stub};

/// The command is not run, and this is why.
fn assert_refused(text: &str) {
    assert_eq!(now(runner().run(&smart())).unwrap_err().to_string(), text);
    assert_eq!(fs::read_to_string(RAN).unwrap(), "");
}

/// What sudo says if it is asked.
fn asked() -> (Result<(), RunError>, Result<String, RunError>) {
    (now(runner().permits(&smart())), now(runner().permitted()))
}

/// A rule with no password for another command.
const OTHER: &str = "echo \"$USER ALL=(root) NOPASSWD: /usr/bin/umount\" > $RULES";
/// What makes sudo complain on each of its runs, and do its work all the same.
const NOISE: &str =
    "echo 'felhom ALL=(root NOPASSWD' > /etc/sudoers.d/10-broken; chmod 440 /etc/sudoers.d/10-broken
    : > /etc/sudoers.d/20-open; chmod 666 /etc/sudoers.d/20-open
    rm /etc/hosts; printf 'passwd: files\\nhosts: files\\n' > /etc/nsswitch.conf";
const WITH_PASSWORD: &str = "echo \"$USER ALL=(root) /usr/sbin/smartctl\" >> $RULES";
const PASSWORD_WANTED: &str = "sudo asks for a password";
const NOT_PERMITTED: &str = "sudo does not permit `/usr/sbin/smartctl -a -j -n standby /dev/sda`";
const NOT_SETUID: &str = "sudo cannot be used: it is not owned by root with the setuid bit";

/// What is wrong on the host, in lines of a shell, why the command is not run then, and what sudo says if it is asked.
type Refusal = (&'static str, &'static [&'static str], &'static str, fn());

const REFUSALS: [Refusal; 12] = [
    ("without_any_rule_a_password_is_wanted", &["rm $RULES"], PASSWORD_WANTED, || {
        assert_eq!(asked(), (Err(RunError::PasswordWanted), Err(RunError::PasswordWanted)));
    }),
    ("a_rule_with_a_password_wants_one", &["rm $RULES", WITH_PASSWORD], PASSWORD_WANTED, || ()),
    // sudo says that it permits this one: listing needs no password, as another rule needs none.
    ("a_rule_with_a_password_beside_one_without_wants_one", &[OTHER, WITH_PASSWORD], PASSWORD_WANTED, || {
        assert_eq!(asked().0, Ok(()));
    }),
    ("rules_for_other_commands_do_not_permit_this_one", &[OTHER], NOT_PERMITTED, || {
        let (permits, permitted) = asked();
        assert_eq!(permits.unwrap_err().to_string(), NOT_PERMITTED);
        assert!(permitted.unwrap().contains("NOPASSWD: /usr/bin/umount"));
    }),
    ("what_sudo_always_says_hides_no_refusal", &[NOISE, OTHER], NOT_PERMITTED, || ()),
    ("a_sudo_without_its_bit_is_not_setuid", &["chmod 755 /usr/bin/sudo"], NOT_SETUID, || ()),
    (
        "a_sudo_of_another_owner_is_not_setuid",
        &["chown $USER:$USER /usr/bin/sudo; chmod 4755 /usr/bin/sudo"],
        NOT_SETUID,
        || (),
    ),
    (
        "a_sudo_that_is_not_there_is_missing",
        &["rm /usr/bin/sudo"],
        "sudo cannot be used: it is not installed",
        || (),
    ),
    (
        "a_sudo_on_a_filesystem_without_setuid_says_so",
        &["/run/mount --bind /usr/bin/sudo /usr/bin/sudo; /run/mount -o remount,bind,nosuid /usr/bin/sudo"],
        "sudo cannot be used: effective uid is not 0, is /usr/bin/sudo on a file system with the 'nosuid' option \
         set or an NFS file system without root privileges?",
        || (),
    ),
    (
        "an_account_that_has_expired_is_told_in_sudos_words",
        &["sed -i \"s/^$USER:.*/$USER:*:20000:0:99999:7::1:/\" /etc/shadow"],
        "sudo cannot be used: account validation failure, is your account locked?; a password is required",
        || (),
    ),
    (
        "rules_that_cannot_be_read_are_told_in_sudos_words",
        &["chmod 666 /etc/sudoers"],
        "sudo cannot be used: /etc/sudoers is world writable; no valid sudoers sources found, quitting; error \
         initializing audit plugin sudoers_audit",
        || (),
    ),
    (
        "a_program_that_root_cannot_start_is_told_in_sudos_words",
        &["stub /usr/sbin/smartctl; echo '#!/no/such/shell' > /usr/sbin/smartctl"],
        "sudo cannot be used: unable to execute /usr/sbin/smartctl: No such file or directory",
        || (),
    ),
];

#[test]
fn a_command_that_sudo_does_not_run_is_told_with_the_reason() {
    let test = "sudo::a_command_that_sudo_does_not_run_is_told_with_the_reason";
    assert_passed(&each(test, &REFUSALS.map(|(name, ..)| name), |name| {
        let (_, wrong, reason, also) = REFUSALS.into_iter().find(|(known, ..)| *known == name).unwrap();
        let as_root = |user: &dyn Fn()| {
            given("cp /usr/bin/mount /run/mount");
            install();
            given(&wrong.join("\n"));
            user();
        };
        contained_as(test, &[], as_root, || {
            assert_refused(reason);
            also();
        });
    }));
}

#[test]
fn the_status_1_of_a_permitted_command_is_its_own() {
    under(
        || stub(Program::SMARTCTL, "echo out; echo err >&2; exit 1"),
        || assert_eq!(now(runner().run(&smart())), Ok(said(1, "out\n", "err\n"))),
    );
}

#[test]
fn a_process_that_cannot_gain_privileges_is_told_so() {
    under_and_behind(
        &["/usr/bin/setpriv", "--no-new-privs", "--"],
        || (),
        || assert_refused("sudo cannot be used: the \"no new privileges\" flag is set"),
    );
}

#[test]
fn what_sudo_always_says_is_not_an_output_of_the_command() {
    under(
        || {
            given(NOISE);
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
    under(
        || given(NOISE),
        || {
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
            assert_eq!(
                (count("WARN"), count("syntax error"), count("is world writable")),
                (1, 1, 1),
                "{text}"
            );
            assert_eq!(
                (count("INFO"), count("command=/usr/sbin/smartctl -a -j -n standby /dev/sda")),
                (2, 2),
                "{text}"
            );
            assert_eq!(
                count("purpose=\"read the health of a disk without waking it; no test, no setting\""),
                2
            );
        },
    );
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

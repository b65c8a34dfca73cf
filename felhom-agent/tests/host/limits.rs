//! How a root command ends that would not end by itself: sudo hands SIGTERM on, and its own limit stands behind.

use std::fs;
use std::time::{Duration, Instant};

use proxmox_privileged::{Program, RunError, Runner};
use rustix::fs::{CWD, FileType, mknodat};

use crate::contained::write;
use crate::drop_in::{PATH, runner, smart, text, under, under_and_behind};
use crate::given::blkid;
use crate::process::{now, others, said, stub};

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

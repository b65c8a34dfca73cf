//! The runner and the processes that it starts: what they get, what is kept of them, and how long they may take.

use std::fs::{self, File};
use std::time::{Duration, Instant};

use felhom_agent::config::PrivilegedMode;
use felhom_agent::runner::ProcessRunner;
use proxmox_privileged::{CommandEnd, CommandOutput, Program, RunError, Runner};
use rustix::fs::{CWD, FileType, mknodat};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};

use crate::contained::{contained, contained_as_user, contained_with, write};
use crate::given::{exited, findmnt, now, others, run, said, sensors_command, stub};

const MIB: usize = 1 << 20;

/// How much more than its limit a run may take on a busy machine.
const SLACK: Duration = Duration::from_millis(900);

#[test]
fn what_a_process_says_and_how_it_ends_is_told() {
    contained(|| {
        let sensors = sensors_command();
        let ends = ["echo out; echo err >&2", "printf x; exit 3", "echo err >&2; kill -9 $$"].map(|script| {
            stub(Program::SENSORS, script);
            now(run(&sensors))
        });
        let killed = CommandOutput { end: CommandEnd::Signal(9), ..said(0, "", "err\n") };
        assert_eq!(ends, [Ok(said(0, "out\n", "err\n")), Ok(exited(3, "x")), Ok(killed)]);
        assert_eq!(others(), [""; 0]);
    });
}

/// Resets the most memory that this process ever had, and tells what it has now, in bytes.
fn resident() -> usize {
    fs::write("/proc/self/clear_refs", "5").unwrap();
    status_bytes("VmRSS:")
}

fn status_bytes(key: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

#[test]
fn a_flood_of_a_gibibyte_costs_at_most_8_mib() {
    contained(|| {
        stub(Program::SENSORS, "head -c 64M /dev/zero >&2 & head -c 1G /dev/zero; wait; exit 5");
        let sensors = sensors_command();
        let before = resident();
        let output = now(run(&sensors)).unwrap();
        let growth = status_bytes("VmHWM:").saturating_sub(before);
        let kept = vec![0; MIB];
        let expected = CommandOutput {
            end: CommandEnd::Exit(5),
            stdout: kept.clone(),
            stderr: kept,
            stdout_truncated: true,
            stderr_truncated: true,
        };
        assert!(output == expected, "{} {}", output.stdout.len(), output.stderr.len());
        println!("growth: {} KiB", growth >> 10);
        assert!(growth <= 8 * MIB, "{growth}");
    });
}

#[test]
fn an_output_of_exactly_what_is_kept_is_whole() {
    contained(|| {
        stub(Program::SENSORS, "head -c 1M /dev/zero");
        let output = now(run(&sensors_command())).unwrap();
        assert_eq!((output.stdout.len(), output.stdout_truncated), (MIB, false));
    });
}

#[test]
fn a_process_that_sleeps_for_ever_is_ended_at_its_limit() {
    contained(|| {
        stub(Program::SENSORS, "exec sleep infinity");
        let sensors = sensors_command();
        let start = Instant::now();
        let ran = now(async {
            let ran = run(&sensors).await;
            (ran, others())
        });
        let took = start.elapsed();
        println!("took: {took:?}");
        assert_eq!(ran, (Err(RunError::TimedOut { limit: sensors.limit() }), vec![]));
        assert!((sensors.limit()..sensors.limit() + SLACK).contains(&took), "{took:?}");
    });
}

#[test]
fn a_process_that_ignores_its_end_is_told_of_and_not_started_twice() {
    contained(|| {
        stub(Program::SENSORS, "trap '' TERM; while :; do sleep infinity; done");
        let (sensors, findmnt) = (sensors_command(), findmnt());
        let runner = ProcessRunner::new(PrivilegedMode::Direct);
        now(async {
            let start = Instant::now();
            let error = runner.run(&sensors).await.unwrap_err();
            let took = start.elapsed();
            println!("took: {took:?}");
            let RunError::StillRunning { pid } = error else { panic!("{error:?}") };
            let most = sensors.limit() + Duration::from_secs(5);
            assert!((most..most + SLACK).contains(&took), "{took:?}");
            assert_eq!(runner.run(&sensors).await, Err(error));
            assert!(runner.run(&findmnt).await.unwrap().is_success());
            assert_eq!(others(), ["sensors", "sleep"]);
            stub(Program::SENSORS, "echo again");
            kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
            let again = loop {
                match runner.run(&sensors).await {
                    Err(RunError::StillRunning { .. }) => tokio::task::yield_now().await,
                    again => break again,
                }
            };
            assert_eq!(again, Ok(exited(0, "again\n")));
        });
    });
}

#[test]
fn of_two_same_commands_the_one_that_ends_does_not_hide_the_one_that_runs() {
    contained(|| {
        let deaf = "mkdir /run/first && trap '' TERM";
        stub(Program::SENSORS, &format!("{deaf}; while :; do read _ <> /run/never; done"));
        mknodat(CWD, "/run/never", FileType::Fifo, 0o600.into(), 0).unwrap();
        let sensors = sensors_command();
        let runner = ProcessRunner::new(PrivilegedMode::Direct);
        now(async {
            let (one, other) = tokio::join!(runner.run(&sensors), runner.run(&sensors));
            let ended = Err(RunError::TimedOut { limit: sensors.limit() });
            let still = if one == ended { other.clone() } else { one.clone() };
            assert!(matches!(still, Err(RunError::StillRunning { .. })), "{one:?} {other:?}");
            assert!([one, other].contains(&ended));
            assert_eq!(others(), ["sensors"]);
            stub(Program::SENSORS, "echo again");
            assert_eq!(runner.run(&sensors).await, still);
        });
    });
}

#[test]
fn somebody_else_who_holds_the_output_open_costs_a_second() {
    contained(|| {
        stub(Program::SENSORS, "sleep infinity & echo done");
        let start = Instant::now();
        let ran = now(run(&sensors_command()));
        let took = start.elapsed();
        println!("took: {took:?}");
        assert_eq!(ran, Ok(exited(0, "done\n")));
        assert!(took < Duration::from_secs(1) + SLACK, "{took:?}");
    });
}

#[test]
fn a_program_that_is_not_there_is_missing() {
    contained(|| {
        fs::remove_file("/usr/bin/sensors").unwrap();
        let missing = RunError::ProgramMissing { program: Program::SENSORS };
        assert_eq!(now(run(&sensors_command())), Err(missing));
    });
}

#[test]
fn a_program_that_cannot_be_started_is_told_with_the_reason() {
    contained(|| {
        let rows = [
            ("#!/bin/sh\ntouch /run/ran\n", 0o644, "Permission denied (os error 13)"),
            ("touch /run/ran\n", 0o755, "Exec format error (os error 8)"),
            ("\x7fELF\x02\x01\x01", 0o755, "Exec format error (os error 8)"),
            ("", 0o755, "Exec format error (os error 8)"),
            ("#!/no/such/shell\n", 0o755, "No such file or directory (os error 2)"),
        ];
        for (text, mode, reason) in rows {
            write("/usr/bin/sensors", text, mode);
            let message = format!("/usr/bin/sensors: {reason}");
            assert_eq!(now(run(&sensors_command())), Err(RunError::NotStarted { message }), "{text:?}");
        }
        assert!(!fs::exists("/run/ran").unwrap());
    });
}

/// Prints what a process finds around it. `/proc` has its environment as it was at the start.
const AROUND: &str = "tr '\\0' '\\n' < /proc/$$/environ | sort; pwd; readlink /proc/$$/fd/0; echo $0 \"$@\"; \
                      test $(cut -d' ' -f5 /proc/$$/stat) = $$ && echo group of its own; \
                      readlink /proc/$$/fd/* | grep zero";

#[test]
fn a_process_gets_two_variables_and_nothing_else_of_ours() {
    let poison = [
        ("PATH", "/run/poison:/usr/bin:/bin"),
        ("LANG", "de_DE.UTF-8"),
        ("LC_ALL", "de_DE.UTF-8"),
        ("LANGUAGE", "de"),
        ("LD_LIBRARY_PATH", "/run/poison"),
        ("IFS", "/"),
        ("FOO", "1"),
        ("SUDO_ASKPASS", "/run/poison/tr"),
    ];
    contained_with(&poison, || {
        fs::create_dir("/run/poison").unwrap();
        for name in ["tr", "sort", "cut", "readlink", "grep"] {
            write(format!("/run/poison/{name}"), "#!/bin/sh\necho poisoned\n", 0o755);
        }
        assert_eq!(std::env::var("FOO").as_deref(), Ok("1"));
        let _descriptor = File::open("/dev/zero").unwrap();
        stub(Program::SENSORS, AROUND);
        let around = "LC_ALL=C.UTF-8\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n/\n/dev/null\n/usr/bin/sensors -u\n\
                      group of its own\n";
        assert_eq!(now(run(&sensors_command())), Ok(exited(1, around)));
    });
}

/// Runs the body with so many descriptors to spare.
async fn with_descriptors<T>(spare: usize, body: impl Future<Output = T>) -> T {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(32), ..limit }).unwrap();
    let mut files: Vec<_> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    files.truncate(files.len() - spare);
    let value = body.await;
    setrlimit(Resource::Nofile, limit).unwrap();
    value
}

#[test]
fn without_descriptors_nothing_is_started() {
    contained(|| {
        stub(Program::SENSORS, "touch /run/ran; echo fine");
        let sensors = sensors_command();
        let message = "/usr/bin/sensors: Too many open files (os error 24)".to_owned();
        let mut started = 0;
        for spare in 0..12 {
            let ran = now(async { with_descriptors(spare, run(&sensors)).await });
            let is_fine = ran == Ok(exited(0, "fine\n"));
            assert!(is_fine || ran == Err(RunError::NotStarted { message: message.clone() }), "{ran:?}");
            started += usize::from(is_fine);
            assert_eq!((fs::remove_file("/run/ran").is_ok(), others()), (is_fine, vec![]), "{spare}");
        }
        assert!((1..9).contains(&started), "{started}");
    });
}

#[test]
fn without_a_process_to_spare_nothing_is_started() {
    contained_as_user(
        |user| {
            stub(Program::SENSORS, "echo fine");
            user();
        },
        || {
            let (sensors, findmnt) = (sensors_command(), findmnt());
            let limit = getrlimit(Resource::Nproc);
            let ran = now(async {
                setrlimit(Resource::Nproc, Rlimit { current: Some(1), ..limit }).unwrap();
                let refused = run(&findmnt).await;
                setrlimit(Resource::Nproc, limit).unwrap();
                (refused, run(&sensors).await)
            });
            let message = "/usr/bin/findmnt: Resource temporarily unavailable (os error 11)".into();
            assert_eq!(ran, (Err(RunError::NotStarted { message }), Ok(exited(0, "fine\n"))));
        },
    );
}

/// A stub that says that it is there, and that it was told to end, through a pipe with a name.
fn telling_stub() -> impl Fn() -> String {
    mknodat(CWD, "/run/told", FileType::Fifo, 0o600.into(), 0).unwrap();
    let script =
        "trap 'echo ended > /run/told; exit' TERM; echo started > /run/told; while :; do sleep 0.01; done";
    stub(Program::SENSORS, script);
    || fs::read_to_string("/run/told").unwrap()
}

#[test]
fn a_caller_that_stops_waiting_ends_its_process() {
    contained(|| {
        let told = telling_stub();
        let sensors = sensors_command();
        let runner = ProcessRunner::new(PrivilegedMode::Direct);
        now(async {
            let mut running = runner.run(&sensors);
            let reading = tokio::task::spawn_blocking(told);
            tokio::select! {
                told = reading => assert_eq!(told.unwrap(), "started\n"),
                ran = &mut running => panic!("{ran:?}"),
            }
            drop(running);
            let told = tokio::task::spawn_blocking(|| fs::read_to_string("/run/told").unwrap());
            assert_eq!(told.await.unwrap(), "ended\n");
            stub(Program::SENSORS, "echo again");
            let again = loop {
                match runner.run(&sensors).await {
                    Err(RunError::StillRunning { .. }) => tokio::task::yield_now().await,
                    again => break again,
                }
            };
            assert_eq!((again, others()), (Ok(exited(0, "again\n")), vec![]));
        });
    });
}

#[test]
fn the_end_of_the_runtime_ends_every_process() {
    contained(|| {
        let told = telling_stub();
        let sensors = sensors_command();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            tokio::select! {
                ran = run(&sensors) => panic!("{ran:?}"),
                told = tokio::task::spawn_blocking(|| fs::read_to_string("/run/told").unwrap()) => {
                    assert_eq!(told.unwrap(), "started\n");
                }
            }
        });
        drop(runtime);
        assert_eq!(told(), "ended\n");
    });
}

#[test]
fn a_thousand_runs_leave_no_process_and_no_descriptor() {
    contained(|| {
        stub(Program::SENSORS, "echo $$");
        let sensors = sensors_command();
        now(async {
            let descriptors = || fs::read_dir("/proc/self/fd").unwrap().count();
            run(&sensors).await.unwrap();
            let before = descriptors();
            for _ in 0..1000 {
                run(&sensors).await.unwrap();
            }
            assert_eq!((descriptors(), others()), (before, vec![]));
        });
    });
}

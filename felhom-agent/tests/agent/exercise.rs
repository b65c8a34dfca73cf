//! The exercise: what it proves, what it refuses, and that it leaves nothing, however it ends.
#![expect(clippy::disallowed_types, reason = "the tests start the agent and end it")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::agent::{Agent, Run, clean, send, state};
use crate::node::Node;

pub(crate) const TASK: [&str; 4] = ["selftest", "--task", "-o", "json"];

/// The steps that can be caught in the act.
const STEPS: [&str; 8] =
    ["x.snapshot", "x.visible", "x.marker", "x.rollback", "x.restored", "x.delete", "x.gone", "x.unchanged"];

/// A node on which every step takes long enough to be caught.
pub(crate) fn slow() -> Node {
    let node = Node::start(&[]);
    for operation in [
        "snapshot.create",
        "snapshot.list",
        "snapshot.delete",
        "snapshot.rollback",
        "lxc.config",
        "lxc.set_config",
    ] {
        assert_eq!(node.ask(&format!("delay {operation} 150")), Value::Null);
    }
    node
}

/// Runs the exercise and sends a signal when a step has begun.
pub(crate) fn signalled(agent: &Agent, step: &str, signal: Signal) -> Run {
    at_step(agent, step, |child| {
        // In the middle of it.
        thread::sleep(Duration::from_millis(60));
        send(child, signal);
    })
}

/// Runs the exercise and does something when a step begins.
fn at_step(agent: &Agent, step: &str, act: impl FnOnce(&Child)) -> Run {
    let start = Instant::now();
    let mut child = agent.command(&TASK).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while line.trim_end() != step {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "{step} was never begun");
    }
    act(&child);
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    let mut run = Run::new(child.wait_with_output().unwrap(), start.elapsed());
    run.stderr = said;
    run
}

#[test]
fn a_good_run_proves_the_rollback_and_leaves_nothing() {
    let node = Node::start(&[]);
    let agent = Agent::of(&node);
    let before = node.ask("config 300");
    for arguments in [&TASK[..], &["--selftest=task", "-o", "json"]] {
        let run = agent.run(arguments);
        let report = run.json();
        assert_eq!((run.exit, &report["mode"]), (0, &"task".into()), "{}{}", run.stdout, run.stderr);
        assert_eq!(STEPS.map(|step| run.check(step).0), STEPS.map(|_| "ok".to_owned()));
        let tasks: Vec<&Value> =
            report["tasks"].as_array().unwrap().iter().map(|task| &task["status"]).collect();
        assert_eq!(tasks, ["OK", "OK", "OK"]);
        assert_eq!((state(&node), node.ask("config 300")), (clean(), before.clone()));
        assert!(!agent.path("state/exercise.json").exists());
    }
}

#[test]
fn a_container_that_is_not_meant_for_it_is_refused_before_anything_is_sent() {
    let cases: [(&str, &[&str], &str, &str); 6] = [
        ("300", &["set 300 tags customer"], "300 has no tag felhom-selftest", "pct config 300"),
        ("300", &["lock 300 backup"], "300 is locked (backup)", "pct unlock 300"),
        ("300", &["set 300 template 1"], "300 is a template, which cannot be rolled back", "config.json"),
        ("100", &["set 100 tags felhom-selftest"], "100 is running", "pct shutdown 100"),
        ("101", &["set 101 tags felhom-selftest"], "101 lies on a storage without snapshots", "pvesm status"),
        ("999", &[], "999 is not in the pool felhom, or not there", "pct config 999"),
    ];
    for (vmid, commands, why, fix) in cases {
        let node = Node::start(&[]);
        for command in commands {
            assert_eq!(node.ask(command), Value::Null);
        }
        let run = Agent::of(&node).run(&[&TASK[..], &["--vmid", vmid]].concat());
        let failures = run.failures();
        let found = failures.iter().find(|(id, summary, ..)| id == "x.guest" && summary.contains(why));
        let (.., repair) = found.unwrap_or_else(|| panic!("{vmid}: no {why:?} in {failures:?}"));
        assert!(repair.contains(fix), "{vmid}: {repair}");
        assert_eq!((run.exit, node.ask("changes")), (1, json!(0)), "{vmid}");
        assert_eq!(run.check("x.snapshot"), ("skip".into(), "needs x.guest".into()));
    }
}

#[test]
fn without_a_container_it_says_how_to_name_one() {
    let node = Node::start(&[]);
    let mut config = Agent::config(&node);
    config["selftest"] = json!({});
    let run = Agent::with(&config).run(&TASK);
    assert_eq!(run.check("x.guest"), ("fail".into(), "no container is named for it".into()));
    assert_eq!((run.exit, node.ask("changes")), (1, json!(0)));
}

#[test]
fn with_fewer_privileges_nothing_is_left_either() {
    let rows = [
        ("VM.Audit VM.Snapshot", 0, "x.rollback", "ok"),
        ("VM.Audit VM.Config.Options", 1, "x.snapshot", "fail"),
    ];
    for (privileges, exit, id, status) in rows {
        let node = Node::start(&[]);
        node.ask(&format!("role FelhomAgent {privileges}"));
        let run = Agent::of(&node).run(&TASK);
        assert_eq!((run.exit, run.check(id).0.as_str()), (exit, status), "{privileges}: {}", run.stdout);
        assert_eq!(state(&node), clean(), "{privileges}");
    }
}

/// Does the same at every step, side by side.
fn at_every_step(check: impl Fn(&str) + Sync) {
    thread::scope(|scope| {
        for step in STEPS {
            scope.spawn(|| check(step));
        }
    });
}

#[test]
fn a_signal_at_any_step_ends_clean() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        at_every_step(|step| {
            let node = slow();
            let agent = Agent::of(&node);
            let run = signalled(&agent, step, signal);
            assert_eq!(run.exit, code, "{step}: {}{}", run.stdout, run.stderr);
            assert_eq!(state(&node), clean(), "{step}");
            assert!(!agent.path("state/exercise.json").exists(), "{step}");
            let report = run.json();
            assert_eq!((&report["complete"], &report["leftovers"]), (&json!(false), &json!([])), "{step}");
        });
    }
}

#[test]
fn a_run_that_is_killed_at_any_step_is_found_and_cleaned_up() {
    at_every_step(|step| {
        let node = slow();
        let agent = Agent::of(&node);
        signalled(&agent, step, Signal::KILL);
        let journal = agent.path("state/exercise.json");
        let is_clean = state(&node) == clean();
        assert!(is_clean || journal.exists(), "{step}: {:?} and no journal", state(&node));
        if journal.exists() {
            is_found(&node, &agent, step);
        }
        let dry = agent.run(&["cleanup", "--dry-run", "-o", "json"]);
        assert_eq!((dry.exit, &dry.json()["dry_run"]), (0, &json!(true)), "{step}: {}", dry.stderr);
        let cleanup = agent.run(&["cleanup", "-o", "json"]);
        assert_eq!(
            (cleanup.exit, state(&node)),
            (0, clean()),
            "{step}: {}{}",
            cleanup.stdout,
            cleanup.stderr
        );
        assert!(!journal.exists(), "{step}");
        assert_eq!(agent.run(&["cleanup"]).stdout, "nothing is left of any exercise\n", "{step}");
    });
}

/// The next exercise refuses to begin, and the next look at the host tells why.
fn is_found(node: &Node, agent: &Agent, step: &str) {
    let sent = node.ask("changes");
    let again = agent.run(&TASK);
    assert_eq!((again.exit, node.ask("changes")), (6, sent), "{step}: {}", again.stdout);
    let config = agent.path("config.json");
    assert_eq!(again.failures()[0].3, format!("felhom-agent cleanup --config {}", config.display()));
    let (status, summary) = agent.run(&["selftest", "-o", "json"]).check("guests.leftovers");
    assert_eq!(status, "warn", "{step}: {summary}");
}

#[test]
fn a_dry_cleanup_does_nothing_and_a_lost_journal_is_made_up_for_by_the_names() {
    let node = slow();
    let agent = Agent::of(&node);
    signalled(&agent, "x.rollback", Signal::KILL);
    let sent = node.ask("changes");
    thread::sleep(Duration::from_millis(800));
    let dry = agent.run(&["cleanup", "--dry-run"]);
    assert!(dry.stdout.starts_with("would  delete snapshot felhom-st-"), "{}", dry.stdout);
    assert_eq!((node.ask("changes"), agent.path("state/exercise.json").exists()), (sent, true));
    fs::remove_file(agent.path("state/exercise.json")).unwrap();
    let cleanup = agent.run(&["cleanup"]);
    assert_eq!((cleanup.exit, state(&node)), (0, clean()), "{}{}", cleanup.stdout, cleanup.stderr);
}

#[test]
fn of_two_at_once_one_is_told_to_wait() {
    let node = slow();
    let agent = Agent::of(&node);
    let mut first = agent.command(&TASK).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(first.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let second = agent.run(&TASK);
    assert_eq!((second.exit, second.json()["result"].clone()), (7, json!("unknown")), "{}", second.stdout);
    assert_eq!(agent.run(&["cleanup"]).exit, 7);
    send(&first, Signal::TERM);
    first.wait().unwrap();
    assert_eq!(state(&node), clean());
}

#[test]
fn a_second_signal_gives_up_and_says_what_is_left() {
    let node = slow();
    node.ask("slow vzsnapshot 20000");
    let agent = Agent::of(&node);
    let mut child = agent.command(&TASK).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    thread::sleep(Duration::from_millis(400));
    send(&child, Signal::INT);
    thread::sleep(Duration::from_millis(200));
    send(&child, Signal::INT);
    let start = Instant::now();
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(start.elapsed() < Duration::from_secs(5), "took {:?}", start.elapsed());
    let run = Run::new(output, start.elapsed());
    assert_eq!(run.exit, 6, "{}", run.stdout);
    assert!(said.contains("pct delsnapshot 300 felhom-st-"), "{said}");
    assert!(run.json()["leftovers"][0]["command"].as_str().unwrap().starts_with("pct delsnapshot 300"));
    assert!(agent.path("state/exercise.json").exists());
}

#[test]
fn a_lost_answer_is_found_and_the_call_is_not_made_again() {
    let operations = ["snapshot.create", "lxc.set_config", "snapshot.rollback", "snapshot.delete"];
    for operation in operations {
        let node = Node::start(&[]);
        node.ask(&format!("lose {operation}"));
        let run = Agent::of(&node).run(&TASK);
        assert_eq!(run.exit, 0, "{operation}: {}{}", run.stdout, run.stderr);
        assert_eq!(
            (node.ask(&format!("received {operation}")), state(&node)),
            (json!(1), clean()),
            "{operation}"
        );
    }
}

/// Runs the agent with a full disk for its state, in a mount namespace of its own.
fn with_full_disk(agent: &Agent) -> Option<Output> {
    let folder = agent.path("state");
    fs::create_dir(&folder).unwrap();
    let script = r#"mount -t tmpfs -o size=16k none "$1" || exit 99
        head -c 64k /dev/zero > "$1/full" 2>/dev/null
        shift
        exec "$@""#;
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(&folder)
        .arg(env!("CARGO_BIN_EXE_felhom-agent"))
        .args(TASK)
        .arg("--config")
        .arg(agent.path("config.json"))
        .output();
    output.ok().filter(|output| !matches!(output.status.code(), Some(1 | 99)) || !output.stdout.is_empty())
}

#[test]
fn a_full_disk_is_noticed_before_anything_is_sent() {
    let node = Node::start(&[]);
    let agent = Agent::of(&node);
    let Some(output) = with_full_disk(&agent) else {
        // Not by a macro: the output of those is only shown for tests that fail.
        writeln!(std::io::stderr(), "SKIPPED a_full_disk: needs root and unshare").unwrap();
        return;
    };
    let run = Run::new(output, Duration::ZERO);
    let (id, summary, ..) = &run.failures()[0];
    assert_eq!((id.as_str(), run.exit), ("x.snapshot", 1), "{}", run.stdout);
    assert!(summary.contains("No space left on device"), "{summary}");
    assert_eq!(node.ask("changes"), 0);
}

#[test]
fn a_container_that_somebody_starts_in_between_is_not_rolled_back() {
    let node = slow();
    let agent = Agent::of(&node);
    let run = at_step(&agent, "x.marker", |_| assert_eq!(node.ask("running 300"), Value::Null));
    let (id, summary, _, fix) = &run.failures()[0];
    assert_eq!((id.as_str(), summary.as_str()), ("x.rollback", "container 300 is running since"));
    assert!(fix.starts_with("pct shutdown 300"), "{fix}");
    assert_eq!((run.exit, node.ask("received snapshot.rollback"), state(&node)), (1, json!(0), clean()));
}

#[test]
fn a_token_that_is_refused_in_between_is_not_tried_again() {
    let node = slow();
    let agent = Agent::of(&node);
    let run = at_step(&agent, "x.visible", |_| {
        node.ask("secret felhom@pve!agent 00000000-0000-0000-0000-000000000000");
    });
    let (id, summary, _, look) = &run.failures()[0];
    // The answer may have been on its way already.
    assert!(["x.visible", "x.marker"].contains(&id.as_str()), "{id}: {summary}");
    assert!(look.starts_with("look pveum user token list 'felhom@pve'"), "{look}");
    let report = run.json();
    assert_eq!((run.exit, report["leftovers"].as_array().unwrap().len()), (6, 1), "{}", run.stdout);
    assert!(run.stderr.contains("pct delsnapshot 300 felhom-st-"), "{}", run.stderr);
    assert_eq!(node.ask("stats")["refused"], 1);
    assert!(agent.path("state/exercise.json").exists());
}

#[test]
fn a_container_of_a_customer_gets_no_offer_to_change_it() {
    let node = Node::start(&[]);
    node.ask("lock 100 backup");
    let run = Agent::of(&node).run(&[&TASK[..], &["--vmid", "100"]].concat());
    let failures = run.failures();
    assert_eq!((failures.len(), failures[0].3.as_str()), (1, "look pct config 100"), "{failures:?}");
}

#[test]
fn a_task_is_never_stopped_and_goes_on_after_the_run_has_given_up() {
    let node = slow();
    node.ask("slow vzrollback 6000");
    let agent = Agent::of(&node);
    let run = at_step(&agent, "x.rollback", |child| {
        thread::sleep(Duration::from_millis(800));
        send(child, Signal::TERM);
        thread::sleep(Duration::from_millis(200));
        send(child, Signal::TERM);
    });
    assert_eq!((run.exit, node.ask("received task.stop")), (6, json!(0)), "{}", run.stdout);
    let cleanup = agent.run(&["cleanup"]);
    assert_eq!((cleanup.exit, state(&node)), (0, clean()), "{}{}", cleanup.stdout, cleanup.stderr);
}

#[test]
fn a_signal_while_the_container_is_looked_at_ends_at_once() {
    let node = Node::start(&[]);
    node.ask("delay lxc.status 4500");
    let agent = Agent::of(&node);
    let child = agent.command(&TASK).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while node.ask("received lxc.status") == 0 {
        thread::sleep(Duration::from_millis(20));
    }
    let start = Instant::now();
    send(&child, Signal::INT);
    let run = Run::new(child.wait_with_output().unwrap(), start.elapsed());
    assert_eq!((run.exit, run.took < Duration::from_secs(3)), (130, true), "{:?}", run.took);
    assert_eq!((run.json()["result"].clone(), node.ask("changes")), (json!("unknown"), json!(0)));
}

#[test]
fn a_run_under_nohup_survives_the_end_of_the_terminal() {
    let node = slow();
    let agent = Agent::of(&node);
    let mut command = Command::new("nohup");
    command.arg(env!("CARGO_BIN_EXE_felhom-agent")).args(TASK).arg("--config").arg(agent.path("config.json"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while line.trim_end() != "x.marker" {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0);
    }
    send(&child, Signal::HUP);
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0), "{said}");
}

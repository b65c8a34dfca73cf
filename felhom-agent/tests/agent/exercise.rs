//! The exercise: what it proves, what it refuses, and that it leaves nothing, however it ends.
#![expect(clippy::disallowed_types, reason = "the tests start the agent in other surroundings")]

use std::fs;
use std::io::Write;
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::agent::{Agent, Run, Running, clean, state, text, world};
use crate::node::Node;

pub(crate) const TASK: &str = "selftest --task -o json";

/// The steps that can be caught in the act.
const STEPS: [&str; 8] =
    ["x.snapshot", "x.visible", "x.marker", "x.rollback", "x.restored", "x.delete", "x.gone", "x.unchanged"];

/// A node on which every step takes long enough to be caught.
fn slow(more: &[&str]) -> (Node, Agent) {
    let (node, agent) = world(more);
    for operation in [
        "snapshot.create",
        "snapshot.list",
        "snapshot.delete",
        "snapshot.rollback",
        "lxc.config",
        "lxc.set_config",
    ] {
        node.tell(&format!("delay {operation} 150"));
    }
    (node, agent)
}

/// Runs the exercise and sends a signal in the middle of a step.
fn signalled(agent: &Agent, step: &str, signal: Signal) -> Run {
    agent.start(TASK).until(step).signal(60, signal).end()
}

fn has_journal(agent: &Agent) -> bool {
    agent.path("state/exercise.json").exists()
}

#[test]
fn a_good_run_proves_the_rollback_and_leaves_nothing() {
    let (node, agent) = world(&[]);
    let before = node.ask("config 300");
    for line in [TASK, "--selftest=task -o json"] {
        let run = agent.run(line).ends(0);
        let report = run.json();
        assert_eq!(report["mode"], "task");
        assert_eq!(STEPS.map(|step| run.check(step).0), STEPS.map(|_| "ok".to_owned()));
        let tasks: Vec<String> =
            report["tasks"].as_array().unwrap().iter().map(|task| text(&task["status"])).collect();
        assert_eq!(tasks, ["OK", "OK", "OK"]);
        assert_eq!((state(&node), &node.ask("config 300"), has_journal(&agent)), (clean(), &before, false));
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
            let (node, agent) = slow(&[]);
            let report = signalled(&agent, step, signal).ends(code).json();
            assert_eq!((state(&node), has_journal(&agent)), (clean(), false), "{step}");
            assert_eq!((&report["complete"], &report["leftovers"]), (&json!(false), &json!([])), "{step}");
        });
    }
}

#[test]
fn a_run_that_is_killed_at_any_step_is_found_and_cleaned_up() {
    at_every_step(|step| {
        let (node, agent) = slow(&[]);
        signalled(&agent, step, Signal::KILL);
        assert!(state(&node) == clean() || has_journal(&agent), "{step}: {:?}", state(&node));
        if has_journal(&agent) {
            is_found(&node, &agent, step);
        }
        assert_eq!(agent.run("cleanup --dry-run -o json").ends(0).json()["dry_run"], true, "{step}");
        agent.run("cleanup -o json").ends(0);
        assert_eq!((state(&node), has_journal(&agent)), (clean(), false), "{step}");
        assert_eq!(agent.run("cleanup").stdout, "nothing is left of any exercise\n", "{step}");
    });
}

/// The next exercise refuses to begin, and the next look at the host tells why.
fn is_found(node: &Node, agent: &Agent, step: &str) {
    let sent = node.ask("changes");
    let again = agent.run(TASK).ends(6);
    assert_eq!(node.ask("changes"), sent, "{step}: {}", again.stdout);
    let config = agent.path("config.json");
    assert_eq!(again.failures()[0].2, format!("felhom-agent cleanup --config {}", config.display()));
    let (status, summary) = agent.run("selftest -o json").check("guests.leftovers");
    assert_eq!(status, "warn", "{step}: {summary}");
}

#[test]
fn a_dry_cleanup_does_nothing_and_a_lost_journal_is_made_up_for_by_the_names() {
    let (node, agent) = slow(&[]);
    signalled(&agent, "x.rollback", Signal::KILL);
    let sent = node.ask("changes");
    thread::sleep(Duration::from_millis(800));
    let dry = agent.run("cleanup --dry-run");
    assert!(dry.stdout.starts_with("would  delete snapshot felhom-st-"), "{}", dry.stdout);
    assert_eq!((node.ask("changes"), has_journal(&agent)), (sent, true));
    fs::remove_file(agent.path("state/exercise.json")).unwrap();
    agent.run("cleanup").ends(0);
    assert_eq!(state(&node), clean());
}

#[test]
fn of_two_at_once_one_is_told_to_wait() {
    let (node, agent) = slow(&[]);
    let first = agent.start(TASK).until("x.snapshot");
    assert_eq!(agent.run(TASK).ends(7).json()["result"], "unknown");
    agent.run("cleanup").ends(7);
    first.signal(0, Signal::TERM).end();
    assert_eq!(state(&node), clean());
}

#[test]
fn a_second_signal_gives_up_and_says_what_is_left() {
    let (_node, agent) = slow(&["slow vzsnapshot 20000"]);
    let running = agent.start(TASK).until("x.snapshot");
    let run = running.signal(400, Signal::INT).signal(200, Signal::INT).end().within(5).ends(6);
    assert!(run.stderr.contains("pct delsnapshot 300 felhom-st-"), "{}", run.stderr);
    assert!(text(&run.json()["leftovers"][0]["command"]).starts_with("pct delsnapshot 300"));
    assert!(has_journal(&agent));
}

/// Runs the agent with a full disk for its state, in a mount namespace of its own.
fn with_full_disk(agent: &Agent) -> Option<Output> {
    let folder = agent.path("state");
    fs::create_dir(&folder).unwrap();
    let script = r#"mount -t tmpfs -o size=16k none "$1" || exit 99
        head -c 64k /dev/zero > "$1/full" 2>/dev/null
        shift
        exec "$@""#;
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh"]).arg(&folder).arg(env!("CARGO_BIN_EXE_felhom-agent"));
    let output = command.args(TASK.split(' ')).arg("--config").arg(agent.path("config.json")).output();
    output.ok().filter(|output| !matches!(output.status.code(), Some(1 | 99)) || !output.stdout.is_empty())
}

#[test]
fn a_full_disk_is_noticed_before_anything_is_sent() {
    let (node, agent) = world(&[]);
    let Some(output) = with_full_disk(&agent) else {
        // Not by a macro: the output of those is only shown for tests that fail.
        writeln!(std::io::stderr(), "SKIPPED a_full_disk: needs root and unshare").unwrap();
        return;
    };
    let (id, summary, _) = Run::new(output, Duration::ZERO).ends(1).failures().remove(0);
    assert!(id == "x.snapshot" && summary.contains("No space left on device"), "{id} {summary}");
    assert_eq!(node.ask("changes"), 0);
}

#[test]
fn a_container_that_somebody_starts_in_between_is_not_rolled_back() {
    let (node, agent) = slow(&[]);
    let running = agent.start(TASK).until("x.marker");
    node.tell("running 300");
    let (id, summary, fix) = running.end().ends(1).failures().remove(0);
    assert_eq!((id.as_str(), summary.as_str()), ("x.rollback", "container 300 is running since"));
    assert!(fix.starts_with("pct shutdown 300"), "{fix}");
    assert_eq!((node.ask("received snapshot.rollback"), state(&node)), (json!(0), clean()));
}

#[test]
fn a_token_that_is_refused_in_between_is_not_tried_again() {
    let (node, agent) = slow(&[]);
    let running = agent.start(TASK).until("x.visible");
    node.refuse_token();
    let run = running.end().ends(6);
    let (id, summary, look) = run.failures().remove(0);
    // The answer may have been on its way already.
    assert!(["x.visible", "x.marker"].contains(&id.as_str()), "{id}: {summary}");
    assert!(look.starts_with("look pveum user token list 'felhom@pve'"), "{look}");
    assert_eq!(run.json()["leftovers"].as_array().unwrap().len(), 2, "{}", run.stdout);
    assert!(run.stderr.contains("pct delsnapshot 300 felhom-st-"), "{}", run.stderr);
    assert_eq!((node.count("refused"), has_journal(&agent)), (1, true));
}

#[test]
fn a_task_is_never_stopped_and_goes_on_after_the_run_has_given_up() {
    let (node, agent) = slow(&["slow vzrollback 6000"]);
    let running = agent.start(TASK).until("x.rollback");
    running.signal(800, Signal::TERM).signal(200, Signal::TERM).end().ends(6);
    assert_eq!(node.ask("received task.stop"), 0);
    agent.run("cleanup").ends(0);
    assert_eq!(state(&node), clean());
}

#[test]
fn a_signal_while_the_container_is_looked_at_ends_at_once() {
    let (node, agent) = world(&["delay lxc.status 4500"]);
    let running = agent.start(TASK);
    while node.ask("received lxc.status") == 0 {
        thread::sleep(Duration::from_millis(20));
    }
    let run = running.signal(0, Signal::INT).end().within(3).ends(130);
    assert_eq!((&run.json()["result"], node.ask("changes")), (&json!("unknown"), json!(0)));
}

#[test]
fn a_run_under_nohup_survives_the_end_of_the_terminal() {
    let (_node, agent) = slow(&[]);
    let mut command = Command::new("nohup");
    command.arg(env!("CARGO_BIN_EXE_felhom-agent")).args(TASK.split(' '));
    let running = Running::start(command.arg("--config").arg(agent.path("config.json")));
    running.until("x.marker").signal(0, Signal::HUP).end().ends(0);
}

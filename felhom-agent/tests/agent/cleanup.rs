//! The command `cleanup`: what it finds, what it leaves alone, and that it ends.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::agent::{Agent, Run, clean, send, state};
use crate::node::Node;

const CLEANUP: [&str; 3] = ["cleanup", "-o", "json"];
const NAME: &str = "felhom-st-6b052c47-0a1b2c3d";

/// Lays down the journal of a run that was killed.
pub(crate) fn journal(agent: &Agent, change: &Value) {
    let mut entry = json!({
        "node": "pve1", "vmid": 300, "snapname": NAME, "step": "x.snapshot", "upid": null, "time": now(),
    });
    entry.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    fs::create_dir_all(agent.path("state")).unwrap();
    agent.write("state/exercise.json", &entry.to_string(), 0o600);
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn a_journal_of_the_future_is_waited_for_as_long_as_any_other() {
    let node = Node::start(&[]);
    let agent = Agent::of(&node);
    journal(&agent, &json!({ "time": now() + 86_400 }));
    let run = agent.run(&CLEANUP);
    assert_eq!((run.exit, state(&node)), (0, clean()), "{}{}", run.stdout, run.stderr);
    assert!(run.took < Duration::from_secs(40), "took {:?}", run.took);
    assert!(!agent.path("state/exercise.json").exists());
}

#[test]
fn a_signal_ends_the_wait_and_the_journal_stays() {
    for (signal, code) in [(Signal::INT, 130), (Signal::HUP, 143)] {
        let node = Node::start(&[]);
        let agent = Agent::of(&node);
        journal(&agent, &json!({}));
        let mut command = agent.command(&CLEANUP);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        thread::sleep(Duration::from_millis(600));
        let start = Instant::now();
        send(&child, signal);
        let run = Run::new(child.wait_with_output().unwrap(), start.elapsed());
        assert!(run.took < Duration::from_secs(5), "took {:?}", run.took);
        // It may have been left, so this counts before the signal.
        assert_eq!((run.exit, run.json()["exit"].clone()), (6, json!(6)), "{code}: {}", run.stdout);
        assert_eq!(run.json()["leftovers"][0]["command"], format!("pct delsnapshot 300 {NAME}"));
        assert!(agent.path("state/exercise.json").exists());
    }
}

#[test]
fn the_journal_of_another_node_is_kept_and_told() {
    let node = Node::start(&[]);
    let agent = Agent::of(&node);
    journal(&agent, &json!({ "node": "pve2" }));
    let run = agent.run(&["cleanup"]);
    assert_eq!((run.exit, node.ask("changes")), (6, json!(0)), "{}", run.stdout);
    assert!(run.stderr.contains("the journal is about node pve2, and the configuration about node pve1"));
    assert!(
        run.stdout.contains("->  FELHOM_AGENT_NODE=pve2 felhom-agent cleanup --config"),
        "{}",
        run.stdout
    );
    assert!(agent.path("state/exercise.json").exists());
}

#[test]
fn what_somebody_else_took_is_told_and_never_deleted() {
    let node = Node::start(&[]);
    let agent = Agent::of(&node);
    node.ask("snapshot 300 felhom-st-before-upgrade self-test of felhom-agent");
    node.ask(&format!("snapshot 300 {NAME} mine"));
    node.ask("snapshot 300 felhom-st-6b052c48-0a1b2c3d self-test of felhom-agent");
    let (status, _) = agent.run(&["selftest", "-o", "json"]).check("guests.leftovers");
    let run = agent.run(&CLEANUP);
    let kept = json!(["felhom-st-6b052c47-0a1b2c3d", "felhom-st-before-upgrade"]);
    assert_eq!((status.as_str(), run.exit, state(&node).0), ("warn", 0, kept), "{}", run.stdout);
    assert_eq!(run.json()["alike"].as_array().unwrap().len(), 2);
    assert_eq!(run.json()["done"], json!(["delete snapshot felhom-st-6b052c48-0a1b2c3d of container 300"]));
}

#[test]
fn a_journal_is_a_hint_and_never_an_order() {
    let node = Node::start(&[]);
    node.ask("set 100 tags prod");
    for vmid in [100, 300] {
        node.ask(&format!("snapshot {vmid} before-upgrade my precious"));
        node.ask(&format!("snapshot {vmid} {NAME} somebody else"));
    }
    node.ask("snapshot 100 felhom-st-6b052c48-0a1b2c3d self-test of felhom-agent");
    let foreign = |name: &str, vmid: u32| json!([format!("{name} of container {vmid}")]);
    let untagged = "snapshot felhom-st-6b052c48-0a1b2c3d of container 100, which has no tag felhom-selftest";
    let cases = [
        (json!({ "vmid": 100, "snapname": "before-upgrade" }), 0, foreign("before-upgrade", 100)),
        (json!({ "vmid": 100 }), 0, foreign(NAME, 100)),
        (json!({ "snapname": "before-upgrade" }), 0, foreign("before-upgrade", 300)),
        (json!({}), 0, foreign(NAME, 300)),
        (json!({ "vmid": 100, "snapname": "felhom-st-6b052c48-0a1b2c3d" }), 6, json!(untagged)),
    ];
    for (change, exit, told) in cases {
        for arguments in [&["cleanup", "--dry-run", "-o", "json"][..], &CLEANUP] {
            let agent = Agent::of(&node);
            journal(&agent, &change);
            let run = agent.run(arguments);
            let report = run.json();
            assert_eq!((run.exit, &report["done"]), (exit, &json!([])), "{change}: {}", run.stdout);
            let is_told = report["alike"].as_array().unwrap().contains(&told[0])
                || report["leftovers"][0]["what"] == told;
            assert!(is_told, "{change}: {}", run.stdout);
        }
    }
    assert_eq!(node.ask("changes"), json!(0));
}

/// What is said, and how it is laid there.
type Planted = (&'static str, fn(&Agent));

#[test]
fn a_journal_that_somebody_could_have_planted_is_refused() {
    let node = Node::start(&[]);
    node.ask(&format!("snapshot 300 {NAME} self-test of felhom-agent"));
    let planted: [Planted; 6] = [
        ("exercise.json is not the agent's own plain file: it is a symbolic link", |agent| {
            agent.write("elsewhere", "{}", 0o600);
            std::os::unix::fs::symlink(agent.path("elsewhere"), agent.path("state/exercise.json")).unwrap();
        }),
        (
            "exercise.json is not the agent's own plain file: it can be written by others: its mode is 0666",
            |agent| {
                journal(agent, &json!({}));
                fs::set_permissions(agent.path("state/exercise.json"), fs::Permissions::from_mode(0o666))
                    .unwrap();
            },
        ),
        ("exercise.json is not the agent's own plain file: it has 2 names", |agent| {
            journal(agent, &json!({}));
            fs::hard_link(agent.path("state/exercise.json"), agent.path("other")).unwrap();
        }),
        ("exercise.json is not the agent's own plain file: it is a FIFO", |agent| {
            fifo(agent, "state/exercise.json");
        }),
        ("exercise.json is not the agent's own plain file: it is larger than 65536 bytes", |agent| {
            agent.write("state/exercise.json", &" ".repeat(70_000), 0o600);
        }),
        ("cannot be trusted with the journal: ", |agent| {
            journal(agent, &json!({}));
            fs::set_permissions(agent.path("state"), fs::Permissions::from_mode(0o777)).unwrap();
        }),
    ];
    for (reason, plant) in planted {
        refused(&node, reason, plant);
    }
}

#[test]
fn a_lock_that_somebody_could_have_planted_is_neither_followed_nor_waited_for() {
    let node = Node::start(&[]);
    let planted: [Planted; 4] = [
        ("exercise.lock is not the agent's own plain file: it is a FIFO", |agent| {
            fifo(agent, "state/exercise.lock");
        }),
        ("exercise.lock is not the agent's own plain file: it is a symbolic link", |agent| {
            std::os::unix::fs::symlink(agent.path("victim"), agent.path("state/exercise.lock")).unwrap();
        }),
        ("exercise.lock is not the agent's own plain file: it is a directory", |agent| {
            fs::create_dir(agent.path("state/exercise.lock")).unwrap();
        }),
        ("exercise.lock is not the agent's own plain file: it can be written by others", |agent| {
            agent.write("state/exercise.lock", "", 0o620);
        }),
    ];
    for (reason, plant) in planted {
        let agent = refused(&node, reason, plant);
        assert!(!agent.path("victim").exists());
        let (status, _) =
            agent.run(&["selftest", "-o", "json", "--only", "guests"]).check("guests.leftovers");
        assert_eq!(status, "ok");
    }
}

fn fifo(agent: &Agent, name: &str) {
    rustix::fs::mknodat(rustix::fs::CWD, agent.path(name), rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
}

/// What is planted in the state folder ends the cleanup at once, with what to do, and nothing is changed.
fn refused(node: &Node, reason: &str, plant: fn(&Agent)) -> Agent {
    let agent = Agent::of(node);
    fs::create_dir(agent.path("state")).unwrap();
    plant(&agent);
    let run = agent.run(&CLEANUP);
    assert_eq!((run.exit, node.ask("changes")), (1, json!(0)), "{reason}: {}", run.stdout);
    assert!(run.json()["problem"].as_str().unwrap().contains(reason), "{reason}: {}", run.stdout);
    assert!(!run.json()["fix"].as_array().unwrap().is_empty(), "{}", run.stdout);
    assert!(run.took < Duration::from_secs(3), "{:?}", run.took);
    agent
}

#[test]
fn tags_that_somebody_has_set_since_are_kept() {
    let node = Node::start(&[]);
    let agent = Agent::of(&node);
    node.ask("set 300 tags new;felhom-st-marker");
    journal(&agent, &json!({ "step": "x.marker" }));
    let run = agent.run(&CLEANUP);
    assert_eq!((run.exit, node.ask("config 300")["tags"].clone()), (0, json!("new")), "{}", run.stdout);
}

#[test]
fn a_broken_journal_is_told_with_what_to_do() {
    let node = Node::start(&[]);
    let agent = Agent::of(&node);
    fs::create_dir(agent.path("state")).unwrap();
    let path = agent.write("state/exercise.json", "{\"vmid\": 3", 0o600);
    let run = agent.run(&["cleanup"]);
    assert_eq!(run.exit, 1, "{}", run.stderr);
    let config = agent.path("config.json");
    let fix =
        format!("mv {0} {0}.bad && felhom-agent cleanup --config {1}", path.display(), config.display());
    assert!(run.stderr.contains(&fix), "{}", run.stderr);
    let (status, _) = agent.run(&["selftest", "-o", "json"]).check("guests.leftovers");
    assert_eq!(status, "warn");
}

#[test]
fn a_container_that_cannot_be_read_is_no_reason_to_leave_the_others() {
    let node = Node::start(&[]);
    let agent = Agent::of(&node);
    node.ask(&format!("snapshot 300 {NAME} self-test of felhom-agent"));
    node.ask("lose snapshot.list");
    journal(
        &agent,
        &json!({ "upid": "UPID:pve1:00000001:00000002:6B052C47:vzsnapshot:300:felhom@pve!agent:" }),
    );
    let run = agent.run(&CLEANUP);
    assert_eq!(state(&node), clean(), "{}{}", run.stdout, run.stderr);
    assert_eq!(run.exit, 5, "{}", run.stdout);
}

#[test]
fn nothing_is_left_is_only_said_where_something_could_be_seen() {
    let node = Node::start(&[]);
    node.ask(&format!("snapshot 300 {NAME} self-test of felhom-agent"));
    node.ask("revoke /pool/felhom FelhomAgent");
    let run = Agent::of(&node).run(&CLEANUP);
    assert_eq!(
        (run.exit, run.json()["problem"].clone()),
        (1, json!("no container is shown, whatever there is"))
    );
    let leftovers = ["selftest", "-o", "json", "--only", "guests.leftovers"];
    assert_eq!(Agent::of(&node).run(&leftovers).check("guests.leftovers").0, "skip");
    let mut config = Agent::config(&node);
    config["node"] = json!("pve9");
    let run = Agent::with(&config).run(&CLEANUP);
    assert_eq!(run.exit, 1);
    assert!(run.json()["problem"].as_str().unwrap().starts_with("pve9 is no node of this cluster"));
}

#[test]
fn a_journal_of_a_container_that_cannot_be_seen_has_a_way_out() {
    let node = Node::start(&[]);
    let agent = Agent::of(&node);
    journal(&agent, &json!({ "vmid": 999 }));
    let run = agent.run(&CLEANUP);
    let command = run.json()["leftovers"][0]["command"].as_str().unwrap().to_owned();
    let path = agent.path("state/exercise.json");
    assert_eq!((run.exit, command), (6, format!("pct listsnapshot 999 || rm {}", path.display())));
}

#[test]
fn a_lock_that_a_killed_worker_left_is_told_with_what_takes_it_away() {
    let node = Node::start(&[]);
    let agent = Agent::of(&node);
    journal(&agent, &json!({ "step": "x.rollback" }));
    node.ask(&format!("snapshot 300 {NAME} self-test of felhom-agent"));
    node.ask("lock 300 rollback");
    let run = agent.run(&CLEANUP);
    let command = format!("pct unlock 300 && pct rollback 300 {NAME} && pct delsnapshot 300 {NAME}");
    assert_eq!((run.exit, &run.json()["leftovers"][0]["command"]), (6, &json!(command)), "{}", run.stdout);
    let dry = agent.run(&["cleanup", "--dry-run"]);
    assert!(dry.stdout.contains("->  pct unlock 300"), "{}", dry.stdout);
    node.ask("lock 300");
    assert_eq!((agent.run(&CLEANUP).exit, state(&node)), (0, clean()));
}

#[test]
fn a_refused_token_is_asked_about_once() {
    for arguments in [&["cleanup"][..], &["cleanup", "--dry-run"]] {
        let node = Node::start(&[]);
        let agent = Agent::of(&node);
        journal(&agent, &json!({}));
        node.ask("secret felhom@pve!agent 00000000-0000-0000-0000-000000000000");
        let run = agent.run(arguments);
        assert_eq!(node.ask("stats")["refused"], 1, "{arguments:?}");
        assert!(run.stderr.contains("  look pveum user token list 'felhom@pve'"), "{}", run.stderr);
        assert!([5, 6].contains(&run.exit), "{}", run.exit);
    }
}

#[test]
fn a_dry_cleanup_hears_signals_and_tells_of_a_running_exercise() {
    let node = Node::start(&[]);
    node.ask("delay cluster.resources 4500");
    let agent = Agent::of(&node);
    let mut command = agent.command(&["cleanup", "--dry-run"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    thread::sleep(Duration::from_millis(500));
    let start = Instant::now();
    send(&child, Signal::TERM);
    let run = Run::new(child.wait_with_output().unwrap(), start.elapsed());
    assert_eq!((run.exit, run.took < Duration::from_secs(3)), (143, true), "{:?}", run.took);
    let folder = agent.path("state");
    fs::create_dir_all(&folder).unwrap();
    let _held = felhom_agent::exercise::journal::StateDir::take(&folder).unwrap();
    assert_eq!(agent.run(&["cleanup", "--dry-run"]).exit, 7);
    let (status, summary) =
        agent.run(&["selftest", "-o", "json", "--only", "guests"]).check("guests.leftovers");
    assert_eq!((status.as_str(), summary.as_str()), ("ok", "an exercise or a cleanup is running"));
}

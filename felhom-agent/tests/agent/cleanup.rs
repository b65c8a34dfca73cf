//! The command `cleanup`: what it finds, what it leaves alone, and that it ends.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use felhom_agent::config::{Config, Environment};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::agent::{Agent, clean, merge, state, text, world};
use crate::node::Node;

const CLEANUP: &str = "cleanup -o json";
const LEFTOVERS: &str = "selftest -o json --only guests.leftovers";
const NAME: &str = "felhom-st-6b052c47-0a1b2c3d";

/// A snapshot that an exercise took.
const TAKEN: &str = "snapshot 300 felhom-st-6b052c47-0a1b2c3d self-test of felhom-agent";

/// Lays down the journal of a run that was killed.
pub(crate) fn journal(agent: &Agent, change: &Value) {
    let mut entry = json!({
        "node": "pve1", "vmid": 300, "snapname": NAME, "time": now(),
    });
    merge(&mut entry, change);
    fs::create_dir_all(agent.path("state")).unwrap();
    agent.write("state/exercise.json", &entry.to_string(), 0o600);
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn a_journal_of_the_future_is_waited_for_as_long_as_any_other() {
    let (node, agent) = world(&[]);
    journal(&agent, &json!({ "time": now() + 86_400 }));
    agent.run(CLEANUP).ends(0).within(40);
    assert_eq!((state(&node), agent.path("state/exercise.json").exists()), (clean(), false));
}

#[test]
fn a_signal_ends_the_wait_and_the_journal_stays() {
    for signal in [Signal::INT, Signal::HUP] {
        let (_node, agent) = world(&[]);
        journal(&agent, &json!({}));
        // It may have been left, so this counts before the signal.
        let report = agent.start(CLEANUP).signal(600, signal).end().within(5).ends(6).json();
        assert_eq!(report["exit"], 6);
        assert_eq!(report["leftovers"][0]["command"], format!("pct delsnapshot 300 {NAME}"));
        assert!(agent.path("state/exercise.json").exists());
    }
}

#[test]
fn a_journal_is_a_hint_and_never_an_order() {
    let node = Node::told(&["set 100 tags prod"]);
    for vmid in [100, 300] {
        node.tell(&format!("snapshot {vmid} before-upgrade my precious"));
        node.tell(&format!("snapshot {vmid} {NAME} somebody else"));
    }
    node.tell("snapshot 100 felhom-st-6b052c48-0a1b2c3d self-test of felhom-agent");
    let foreign = |name: &str, vmid: u32| format!("{name} of container {vmid}");
    let untagged = "snapshot felhom-st-6b052c48-0a1b2c3d of container 100, which has no tag felhom-selftest";
    let elsewhere = format!("snapshot {NAME} of container 300 on node pve2, perhaps");
    let cases = [
        (json!({ "vmid": 100, "snapname": "before-upgrade" }), 0, foreign("before-upgrade", 100)),
        (json!({ "vmid": 100 }), 0, foreign(NAME, 100)),
        (json!({ "snapname": "before-upgrade" }), 0, foreign("before-upgrade", 300)),
        (json!({}), 0, foreign(NAME, 300)),
        (json!({ "vmid": 100, "snapname": "felhom-st-6b052c48-0a1b2c3d" }), 6, untagged.into()),
        (json!({ "node": "pve2" }), 6, elsewhere),
    ];
    for (change, exit, told) in cases {
        for line in ["cleanup --dry-run -o json", CLEANUP] {
            let agent = Agent::of(&node);
            journal(&agent, &change);
            let report = agent.run(line).ends(exit).json();
            assert_eq!(report["done"], json!([]), "{change}");
            let alike = report["alike"].as_array().unwrap();
            assert!(alike.contains(&json!(told)) || report["leftovers"][0]["what"] == told, "{report}");
            assert_eq!(agent.path("state/exercise.json").exists(), exit == 6 || line != CLEANUP, "{change}");
        }
    }
    assert_eq!(node.ask("changes"), 0);
}

/// What somebody laid into the folder, where there is a journal, and what it is called.
const PLANTED: &[(&str, &str)] = &[
    ("mv exercise.json x; ln -s x exercise.json", "exercise.json..it is a symbolic link"),
    ("chmod 666 exercise.json", "exercise.json..it can be written by others: its mode is 0666"),
    ("ln exercise.json x", "exercise.json..it has 2 names"),
    ("rm exercise.json; mkfifo -m 600 exercise.json", "exercise.json..it is a FIFO"),
    ("head -c 70000 /dev/zero > exercise.json", "exercise.json..it is larger than 65536 bytes"),
    ("chmod 777 .", " cannot be trusted with the journal: "),
    ("rm *; mkfifo -m 600 exercise.lock", "exercise.lock..it is a FIFO"),
    ("rm *; ln -s ../victim exercise.lock", "exercise.lock..it is a symbolic link"),
    ("rm *; mkdir exercise.lock", "exercise.lock..it is a directory"),
    ("rm *; echo > exercise.lock; chmod 620 exercise.lock", "exercise.lock..it can be written by others"),
];

#[test]
fn a_journal_or_a_lock_that_somebody_could_have_planted_is_neither_followed_nor_waited_for() {
    let node = Node::told(&[TAKEN]);
    for (script, words) in PLANTED {
        let agent = Agent::of(&node);
        journal(&agent, &json!({}));
        agent.shell("state", script);
        let report = agent.run(CLEANUP).ends(1).within(3).json();
        let problem = text(&report["problem"]);
        assert!(words.split("..").all(|words| problem.contains(words)), "{script}: {problem}");
        assert!(
            !words.contains("..") || problem.contains(" is not the agent's own plain file: "),
            "{problem}"
        );
        assert!(!report["fix"].as_array().unwrap().is_empty(), "{script}");
        assert!(!agent.path("victim").exists(), "{script}");
        if words.contains("lock") {
            let found = agent.run(LEFTOVERS).findings("guests.leftovers");
            assert!(found.len() == 1 && text(&found[0]["summary"]).ends_with(NAME), "{script}: {found:?}");
        }
    }
    assert_eq!(node.ask("changes"), 0);
}

#[test]
fn a_dry_cleanup_hears_signals_and_tells_of_a_running_exercise() {
    let (_node, agent) = world(&["delay cluster.resources 4500"]);
    agent.start("cleanup --dry-run").signal(500, Signal::TERM).end().within(3).ends(143);
    fs::create_dir_all(agent.path("state")).unwrap();
    let config = Config::load(&agent.path("config.json"), &Environment::default()).unwrap();
    let _held = felhom_agent::exercise::journal::StateDir::take(&config).unwrap();
    agent.run("cleanup --dry-run").ends(7);
    let told = agent.run("selftest -o json --only guests").check("guests.leftovers");
    assert_eq!(told, ("ok".into(), "an exercise or a cleanup is running".into()));
}

//! Answers with rows and values that cannot be read: the others count, and nothing is concluded from what was not read.

use serde_json::{Value, json};

use crate::agent::{Agent, Run};
use crate::node::Node;

const JSON: [&str; 5] = ["selftest", "-o", "json", "--skip", "sudo,host"];
const CLEANUP: [&str; 3] = ["cleanup", "-o", "json"];
const NAME: &str = "felhom-st-6b052c47-0a1b2c3d";

/// A node of which one operation says something odd.
fn node(odd: &str) -> (Node, Agent) {
    let node = Node::start(&[]);
    assert_eq!(node.ask(&format!("odd {odd}")), Value::Null, "{odd}");
    let agent = Agent::of(&node);
    (node, agent)
}

/// The findings of a check: status, what it is about, and summary.
fn findings(run: &Run, id: &str) -> Vec<[String; 3]> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let report = run.json();
    let checks = report["checks"].as_array().unwrap().iter().filter(|check| check["id"] == id);
    checks.map(|check| [text(&check["status"]), text(&check["subject"]), text(&check["summary"])]).collect()
}

/// An odd row, the checks that warn of it, and its name in them.
const ROWS: &[(&str, &[&str], &str)] = &[
    ("cluster.resources /data/- null", &["guests.list", "guests.locks", "guests.leftovers"], "row "),
    ("cluster.resources /data/- 7", &["guests.list", "guests.locks", "guests.leftovers"], "row "),
    ("cluster.resources /data/- [\"lxc\"]", &["guests.list", "guests.locks", "guests.leftovers"], "row "),
    (
        "cluster.resources /data/- {\"id\":\"lxc/109\",\"type\":\"lxc\",\"node\":\"pve1\",\"vmid\":\"x\"}",
        &["guests.list", "guests.locks", "guests.leftovers"],
        "lxc/109",
    ),
    (
        "cluster.resources /data/- {\"id\":\"lxc/109\",\"type\":\"lxc\",\"node\":{},\"vmid\":109}",
        &["guests.list", "guests.locks", "guests.leftovers"],
        "lxc/109",
    ),
    ("storage.list /data/- {\"storage\":{\"is\":\"odd\"},\"type\":\"dir\"}", &["storage.list"], "row "),
    ("storage.list /data/- null", &["storage.list"], "row "),
    ("snapshot.list /data/- {\"name\":[\"s\"]}", &["guests.leftovers"], "row "),
    ("snapshot.list /data/- \"felhom-st\"", &["guests.leftovers"], "row "),
];

#[test]
fn an_odd_row_is_named_and_hides_none_of_the_others() {
    for (odd, checks, name) in ROWS {
        let (_node, agent) = node(odd);
        let run = agent.run(&JSON);
        for check in checks.iter().chain(&["decode.drift"]) {
            let found = findings(&run, check);
            let warns = |[status, _, summary]: &[String; 3]| {
                status == "warn" && (*check == "decode.drift" || summary.starts_with(name))
            };
            assert!(found.iter().any(warns), "{odd} {check}: {found:?}");
            let is_list = check.split_once('.').is_some_and(|(_, rest)| rest == "list");
            assert_eq!(found.iter().any(|[status, ..]| status == "ok"), is_list, "{odd} {check}: {found:?}");
        }
        assert_eq!(run.json()["counts"]["fail"], 0, "{odd}: {}", run.stdout);
    }
}

/// What cannot be read as a whole, or only holds more than is known, and what is said of it.
const ANSWERS: &[(&str, &str)] = &[
    ("node.status /data \"busy\"", "warn"),
    ("node.status /data 7", "warn"),
    ("node.status /data [1]", "warn"),
    ("cluster.resources /data {\"is\":1}", "warn"),
    ("storage.list /data true", "warn"),
    ("node.status /data/unheard {\"of\":1}", "ok"),
];

#[test]
fn an_answer_that_could_not_be_read_is_no_answer_without_drift() {
    for (odd, expected) in ANSWERS {
        let (_node, agent) = node(odd);
        let found = findings(&agent.run(&JSON), "decode.drift");
        let statuses: Vec<&str> = found.iter().map(|[status, ..]| status.as_str()).collect();
        assert_eq!(statuses, [*expected], "{odd}: {found:?}");
    }
}

/// Rows and values in which something of an exercise may be.
const HIDING: &[&str] = &[
    "snapshot.list /data/- {\"name\":[\"s\"]}",
    "snapshot.list /data/- null",
    "snapshot.list /data/- {\"description\":\"self-test of felhom-agent\"}",
    "cluster.resources /data/- {\"id\":\"lxc/109\",\"type\":\"lxc\",\"node\":\"pve1\",\"vmid\":\"x\"}",
    "cluster.resources /data/- 7",
    "node.list /data/- null",
    "lxc.config /data/tags [\"felhom-st-marker\"]",
    "lxc.config /data/tags {\"felhom-st-marker\":1}",
    "lxc.config /data/tags [[]]",
    "lxc.config /data/digest null",
];

#[test]
fn cleanup_says_what_it_could_not_look_at() {
    for odd in HIDING {
        let (node, agent) = node(odd);
        node.ask("set 300 tags felhom-selftest;felhom-st-marker");
        let run = agent.run(&CLEANUP);
        let report = run.json();
        let is_told = report["leftovers"] != json!([]) || !report["problem"].is_null();
        assert!(run.exit != 0 && is_told, "{odd}: {} {}", run.exit, run.stdout);
    }
}

#[test]
fn cleanup_leaves_a_snapshot_whose_container_it_cannot_judge() {
    for tags in ["[]", "[\"felhom-selftest\"]", "{}", "{\"a\":\"felhom-selftest\"}"] {
        let (node, agent) = node(&format!("lxc.config /data/tags {tags}"));
        node.ask(&format!("snapshot 300 {NAME} self-test of felhom-agent"));
        let run = agent.run(&CLEANUP);
        let left = run.json()["leftovers"].clone();
        let what = left[0]["what"].as_str().unwrap_or_default().to_owned();
        assert!(what.contains("whose tags could not be read"), "{tags}: {}", run.stdout);
        assert_eq!((run.exit, node.ask("changes")), (6, json!(0)), "{tags}");
    }
}

#[test]
fn an_exercise_does_not_begin_where_it_cannot_look() {
    for odd in HIDING.iter().filter(|odd| odd.starts_with("snapshot.list") || odd.contains("tags")) {
        let (node, agent) = node(odd);
        let run = agent.run(&["selftest", "--task", "-o", "json", "--skip", "sudo,host"]);
        assert_eq!((run.exit != 0, node.ask("changes")), (true, json!(0)), "{odd}: {}", run.stdout);
    }
}

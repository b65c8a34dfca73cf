//! The read-only self-test: it only reads, asks seldom, trusts whom it is told to, and concludes nothing from what it could
//! not read. Its texts are in `texts`.
#![expect(clippy::disallowed_types, reason = "the tests ask git")]

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use proxmox_api::grant::ROLES;
use serde_json::{Value, json};

use crate::agent::{Agent, Run};
use crate::node::Node;

/// The host that the tests run on is no PVE host.
const JSON: [&str; 5] = ["selftest", "-o", "json", "--skip", "sudo,host"];

#[test]
fn flag_and_command_do_the_same() {
    let node = Node::start(&[]);
    let agent = Agent::of(&node);
    let ids = |arguments: &[&str]| {
        let report = agent.run(arguments).json();
        report["checks"].as_array().unwrap().iter().map(|check| check["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&JSON), ids(&["--selftest", "-o", "json", "--skip", "sudo,host"]));
    assert_eq!(ids(&JSON), ids(&["--selftest=read-only", "-o", "json", "--skip", "sudo,host"]));
}

#[test]
fn handshakes_are_at_most_three_and_one_per_answer_that_closes() {
    let node = Node::start(&[]);
    for _ in 0..5 {
        let before = node.count("handshakes");
        let report = Agent::of(&node).run(&JSON).json();
        let read = |counter: &str| report["transport"][counter].as_u64().unwrap();
        let (handshakes, closes) = (read("handshakes"), read("closed_by_server"));
        assert!(handshakes <= 3 + closes, "{handshakes} handshakes, {closes} closes");
        assert_eq!(node.count("handshakes") - before, handshakes);
        assert!(closes > 0, "the node answers as pvedaemon does");
    }
}

#[test]
fn nothing_is_changed() {
    let node = Node::start(&[]);
    assert_eq!(Agent::of(&node).run(&JSON).exit, 0);
    assert!(node.count("requests") > 0);
    assert_eq!(node.ask("changes"), 0);
}

#[test]
fn a_server_whose_clock_is_wrong_is_told() {
    let skew = |ahead: &str| {
        let run =
            Agent::of(&Node::start(&["--ahead", ahead])).run(&["selftest", "-o", "json", "--only", "time"]);
        run.check("time.skew").0
    };
    assert_eq!([skew("0"), skew("30"), skew("-300")], ["ok", "warn", "fail"]);
}

#[test]
fn ten_thousand_containers_are_read_in_time() {
    let node = Node::start(&["--customers", "10000"]);
    let run = Agent::of(&node).run(&["selftest", "-o", "json", "--only", "guests"]);
    assert_eq!(run.check("guests.list").1, "10004 containers, 1 running");
}

#[test]
fn the_version_names_the_commit() {
    let git = Command::new("git").args(["rev-parse", "--short=7", "HEAD"]).output().ok();
    let commit = git.filter(|output| output.status.success());
    let commit = commit.map(|output| format!("g{}", String::from_utf8(output.stdout).unwrap().trim()));
    let run = Agent::with_text("{}").run(&["--version"]);
    let line = run.stdout.trim();
    let (version, commit) = (env!("CARGO_PKG_VERSION"), commit.as_deref().unwrap_or("unknown"));
    assert!(line.starts_with(&format!("felhom-agent {version} ({commit}, ")), "{line}");
    assert!(line.ends_with("rustls 0.23/ring)"), "{line}");
}

#[test]
fn it_takes_less_than_half_a_second() {
    let node = Node::start(&[]);
    let agent = Agent::of(&node);
    // Other tests run side by side, so the quickest of several counts.
    let quickest = (0..5).map(|_| agent.run(&JSON).took).min().unwrap();
    assert!(quickest < Duration::from_millis(500), "{quickest:?}");
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_and_a_reader_that_left_is_none() {
    let node = Node::start(&[]);
    let agent = Agent::of(&node);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = agent.command(&JSON).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(70));
    assert!(String::from_utf8(output.stderr).unwrap().contains("No space left on device"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = agent.command(&JSON).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

/// What is left out, and how often the token is refused at most: three requests leave before the first is answered.
const REFUSED: [(&str, u64); 2] = [("sudo,host", 1), ("auth,sudo,host", 3)];

#[test]
fn after_a_refused_token_nothing_is_sent_whatever_is_left_out() {
    for (skip, most) in REFUSED {
        let node = Node::start(&[]);
        node.ask("secret felhom@pve!agent 00000000-0000-0000-0000-000000000000");
        let run = Agent::of(&node).run(&["selftest", "-o", "json", "--skip", skip]);
        assert_eq!(run.exit, 5, "{skip}: {}", run.stdout);
        assert!((1..=most).contains(&node.count("refused")), "{skip}: {}", node.ask("stats"));
        assert!(node.count("requests") <= most, "{skip}: {}", node.ask("stats"));
    }
}

const OTHER: &str =
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";

fn run_with(node: &Node, tls: Value) -> Run {
    let mut config = Agent::config(node);
    config["tls"] = tls;
    Agent::with(&config).run(&JSON)
}

/// A name, what is trusted, the exit code, and a check with its status and the end of its summary.
type Trusted = (&'static str, Value, i32, String);

fn trusted(node: &Node, stranger: &Node) -> [Trusted; 11] {
    let (pin, ca, other_ca) = (&node.facts.fingerprint, &node.facts.ca_file, &stranger.facts.ca_file);
    let plain = pin.replace(':', "").to_lowercase();
    let mismatch = format!("tls.pin fail expected {OTHER}, seen {pin}");
    let unsigned = "tls.ca fail it is not signed by the configured CA";
    let [pinned, signed, no_pin, warned, refused] =
        ["tls.pin ok (pin 2 of 2)", "tls.ca ok ", "tls.pin skip ", "config.tls warn ", "config.file fail "];
    [
        ("another pin", json!({ "pins": [OTHER] }), 5, mismatch.clone()),
        ("another pin and the CA", json!({ "pins": [OTHER], "ca_file": ca }), 5, mismatch),
        ("one pin of two, written otherwise", json!({ "pins": [OTHER, plain] }), 0, pinned.into()),
        ("the CA", json!({ "ca_file": ca }), 0, signed.into()),
        ("the CA and no pin", json!({ "ca_file": ca }), 0, no_pin.into()),
        ("pin and CA", json!({ "pins": [pin], "ca_file": ca }), 0, signed.into()),
        ("a pin and another CA", json!({ "pins": [pin], "ca_file": other_ca }), 5, unsigned.into()),
        ("anybody", json!({ "insecure": true }), 0, warned.into()),
        ("anybody and a pin", json!({ "insecure": true, "pins": [OTHER] }), 4, refused.into()),
        ("anybody and a CA", json!({ "insecure": true, "ca_file": "/x" }), 4, refused.into()),
        ("nothing", json!({}), 4, refused.into()),
    ]
}

#[test]
fn the_server_must_be_what_the_configuration_says() {
    let (node, stranger) = (Node::start(&[]), Node::start(&[]));
    for (name, tls, exit, expected) in trusted(&node, &stranger) {
        let [id, status, end] = expected.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
        let is_loud = tls["insecure"] == true && exit == 0;
        let run = run_with(&node, tls);
        let (found, summary) = run.check(id);
        assert_eq!((run.exit, found.as_str()), (exit, status), "{name}: {}", run.stdout);
        assert!(summary.ends_with(end), "{name}: {summary}");
        assert_eq!(run.stderr.contains("WARNING: tls.insecure is set"), is_loud, "{name}");
        // These rows come first, so nothing was sent before.
        if id == "tls.pin" && status == "fail" {
            assert_eq!((node.count("requests"), node.count("handshakes")), (0, 0), "{name}");
        }
    }
}

#[test]
fn a_ca_file_that_cannot_be_used_is_an_error_and_nothing_is_sent() {
    let recording =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../proxmox-types/fixtures/get-certificates-info.root.json");
    let recording: Value = serde_json::from_str(&fs::read_to_string(recording).unwrap()).unwrap();
    let body: Value = serde_json::from_str(recording["body"].as_str().unwrap()).unwrap();
    let mut entries = body["data"].as_array().unwrap().iter();
    let leaf = entries.find(|entry| entry["filename"] == "pve-ssl.pem").unwrap();
    let node = Node::start(&[]);
    let holder = Agent::with_text("{}");
    let broken = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let certificate = holder.write("pve-ssl.pem", leaf["pem"].as_str().unwrap(), 0o644);
    let cases = [
        (holder.write("empty.pem", "", 0o644), "holds no PEM certificate"),
        (holder.write("text.pem", "hello", 0o644), "holds no PEM certificate"),
        (holder.write("broken.pem", broken, 0o644), "certificate 1 is malformed"),
        (holder.path("missing.pem"), "cannot be opened"),
        (holder.path(""), "is not a regular file"),
        (certificate.clone(), "is not a CA"),
        (certificate, leaf["fingerprint"].as_str().unwrap()),
    ];
    for (path, reason) in cases {
        let run = run_with(&node, json!({ "ca_file": path }));
        let (id, summary, ..) = run.failures().remove(0);
        assert_eq!((run.exit, id.as_str()), (4, "config.tls"), "{}", run.stdout);
        assert!(summary.contains(reason), "{summary}");
    }
    assert_eq!(node.count("connections"), 0);
}

#[test]
fn a_name_that_does_not_resolve_is_shown_with_the_command_that_asks_for_it() {
    let mut config = Agent::config(&Node::start(&[]));
    config["url"] = json!("https://no-such-host.invalid");
    let run = Agent::with(&config).run(&JSON);
    assert_eq!((run.exit, run.failures()[0].0.as_str()), (5, "net.connect"), "{}", run.stdout);
    assert!(run.stdout.contains("getent hosts no-such-host.invalid"), "{}", run.stdout);
}

#[test]
fn every_check_and_every_exit_code_is_documented() {
    let page = include_str!("../../../docs/self-test.md");
    let listed = Agent::with_text("{}").run(&["selftest", "--list-checks"]).stdout;
    let ids = listed.lines().filter_map(|line| line.split(' ').next());
    let missing: Vec<&str> = ids.filter(|id| !page.contains(&format!("| `{id}` |"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let codes = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "70", "130, 143"];
    let missing: Vec<&str> =
        codes.into_iter().filter(|code| !page.contains(&format!("| {code} |"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_recipe_of_the_readme_makes_the_roles_that_are_needed() {
    let page = include_str!("../../../README.md");
    for role in ROLES {
        let line = format!("pveum role add {} --privs \"{}\"\n", role.name, role.privileges.join(","));
        assert!(page.contains(&line), "{line}");
    }
    // Inside double quotes an interactive shell takes `!` for a word of its history.
    let is_history = |line: &&str| line.split('"').skip(1).step_by(2).any(|quoted| quoted.contains('!'));
    let commands = page.lines().filter(|line| line.contains("pveum ") || line.starts_with("for "));
    assert_eq!(commands.filter(is_history).collect::<Vec<_>>(), Vec::<&str>::new());
}

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

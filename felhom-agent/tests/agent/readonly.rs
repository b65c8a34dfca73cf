//! The read-only self-test: it only reads, asks seldom, trusts whom it is told to, and concludes nothing from what it could
//! not read. Its texts are in `texts`.
#![expect(clippy::disallowed_types, reason = "the tests ask git")]

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use proxmox_api::grant::ROLES;
use serde_json::{Value, json};

use crate::agent::{Agent, text, world};
use crate::cleanup::journal;
use crate::node::Node;

/// The host that the tests run on is no PVE host.
const JSON: &str = "selftest -o json --skip sudo,host";

#[test]
fn it_reads_only_over_few_connections_within_half_a_second_by_flag_or_command() {
    let (node, agent) = world(&[]);
    // Other tests run side by side, so the quickest of several counts.
    let mut quickest = Duration::MAX;
    let mut checks = Vec::new();
    for word in ["selftest", "--selftest", "--selftest=read-only", "selftest", "selftest"] {
        let before = node.count("handshakes");
        let run = agent.run(&JSON.replace("selftest", word)).ends(0);
        let report = run.json();
        let read = |counter: &str| report["transport"][counter].as_u64().unwrap();
        let (handshakes, closes) = (read("handshakes"), read("closed_by_server"));
        assert!(handshakes <= 3 + closes, "{handshakes} handshakes, {closes} closes");
        assert_eq!(node.count("handshakes") - before, handshakes);
        assert!(closes > 0, "the node answers as pvedaemon does");
        let ids = report["checks"].as_array().unwrap().iter().map(|check| text(&check["id"]));
        checks.push(ids.collect::<Vec<_>>());
        quickest = quickest.min(run.took);
    }
    assert!(checks.iter().all(|ids| *ids == checks[0]), "flag and command do the same: {checks:?}");
    assert!(quickest < Duration::from_millis(500), "{quickest:?}");
    assert!(node.count("requests") > 0);
    assert_eq!(node.ask("changes"), 0);
}

#[test]
fn a_server_whose_clock_is_wrong_is_told() {
    for (ahead, status) in [(0, "ok"), (30, "warn"), (-300, "fail")] {
        let node = Node::start(&format!("--ahead {ahead}"));
        assert_eq!(Agent::of(&node).run("selftest -o json --only time").check("time.skew").0, status);
    }
}

#[test]
fn ten_thousand_containers_are_read_in_time() {
    let node = Node::start("--customers 10000");
    let run = Agent::of(&node).run("selftest -o json --only guests");
    assert_eq!(run.check("guests.list").1, "10004 containers, 1 running");
}

#[test]
fn the_version_names_the_commit() {
    let git = Command::new("git").args(["rev-parse", "--short=7", "HEAD"]).output().ok();
    let commit = git.filter(|output| output.status.success());
    let commit = commit.map(|output| format!("g{}", String::from_utf8(output.stdout).unwrap().trim()));
    let run = Agent::with_text("{}").run("--version");
    let line = run.stdout.trim();
    let (version, commit) = (env!("CARGO_PKG_VERSION"), commit.as_deref().unwrap_or("unknown"));
    assert!(line.starts_with(&format!("felhom-agent {version} ({commit}, ")), "{line}");
    assert!(line.ends_with("rustls 0.23/ring)"), "{line}");
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_and_a_reader_that_left_is_none() {
    let (_node, agent) = world(&[]);
    let words: Vec<&str> = JSON.split(' ').collect();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = agent.command(&words).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(70));
    assert!(String::from_utf8(output.stderr).unwrap().contains("No space left on device"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = agent.command(&words).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

/// What is run, and how often the token is refused at most: three requests leave before the first is answered.
const REFUSED: [(&str, u64); 4] =
    [(JSON, 1), ("selftest -o json --skip auth,sudo,host", 3), ("cleanup", 1), ("cleanup --dry-run", 1)];

#[test]
fn after_a_refused_token_nothing_is_sent_whatever_is_left_out() {
    for (line, most) in REFUSED {
        let (node, agent) = world(&[]);
        if line.starts_with("cleanup") {
            journal(&agent, &json!({}));
        }
        node.refuse_token();
        let exit = agent.run(line).exit;
        assert!(exit == 5 || line == "cleanup" && exit == 6, "{line}: {exit}");
        assert!((1..=most).contains(&node.count("refused")), "{line}: {}", node.ask("stats"));
        assert!(node.count("requests") <= most, "{line}: {}", node.ask("stats"));
    }
}

const OTHER: &str =
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";

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
    let (node, stranger) = (Node::start(""), Node::start(""));
    for (name, tls, exit, expected) in trusted(&node, &stranger) {
        let [id, status, end] = expected.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
        let is_loud = tls["insecure"] == true && exit == 0;
        let run = Agent::changed(&node, &json!({ "tls": tls })).run(JSON).ends(exit);
        let (found, summary) = run.check(id);
        assert!(found == status && summary.ends_with(end), "{name}: {found} {summary}");
        assert_eq!(run.stderr.contains("WARNING: tls.insecure is set"), is_loud, "{name}");
        // These rows come first, so nothing was sent before.
        if id == "tls.pin" && status == "fail" {
            assert_eq!((node.count("requests"), node.count("handshakes")), (0, 0), "{name}");
        }
    }
}

#[test]
fn a_name_that_does_not_resolve_is_shown_with_the_command_that_asks_for_it() {
    let change = json!({ "url": "https://no-such-host.invalid" });
    let run = Agent::changed(&Node::start(""), &change).run(JSON).ends(5);
    assert_eq!(run.failures()[0].0, "net.connect", "{}", run.stdout);
    assert!(run.stdout.contains("getent hosts no-such-host.invalid"), "{}", run.stdout);
}

#[test]
fn every_check_and_every_exit_code_is_documented() {
    let page = include_str!("../../../docs/self-test.md");
    let listed = Agent::with_text("{}").run("selftest --list-checks").stdout;
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

/// A node of which one operation says something odd.
fn odd_world(odd: &str) -> (Node, Agent) {
    world(&[&format!("odd {odd}")])
}

/// The checks, the expectation and the oddity of every row of one kind in `odd.txt`.
fn oddities(kind: &str) -> impl Iterator<Item = [&'static str; 3]> {
    let rows = include_str!("odd.txt").lines().filter(move |line| line.starts_with(kind));
    rows.map(|row| row.splitn(4, " | ").skip(1).collect::<Vec<_>>().try_into().unwrap())
}

#[test]
fn an_odd_row_is_named_and_hides_none_of_the_others() {
    for [checks, name, odd] in oddities("row") {
        let (_node, agent) = odd_world(odd);
        let run = agent.run(JSON);
        for check in checks.split(',').chain(["decode.drift"]) {
            let found = run.findings(check);
            let warns = |finding: &Value| {
                let is_named = check == "decode.drift" || text(&finding["summary"]).starts_with(name);
                finding["status"] == "warn" && is_named
            };
            assert!(found.iter().any(warns), "{odd} {check}: {found:?}");
            let is_list = check.split_once('.').is_some_and(|(_, rest)| rest == "list");
            assert_eq!(found.iter().any(|finding| finding["status"] == "ok"), is_list, "{odd} {check}");
        }
        assert_eq!(run.json()["counts"]["fail"], 0, "{odd}: {}", run.stdout);
    }
}

#[test]
fn an_answer_that_could_not_be_read_is_no_answer_without_drift() {
    for [check, expected, odd] in oddities("answer") {
        let (_node, agent) = odd_world(odd);
        let found = agent.run(JSON).findings(check);
        assert!(found.len() == 1 && found[0]["status"] == expected, "{odd}: {found:?}");
    }
}

#[test]
fn cleanup_says_what_it_could_not_look_at_and_an_exercise_does_not_begin_there() {
    for [.., odd] in oddities("hiding") {
        let (node, agent) = odd_world(odd);
        if odd.starts_with("snapshot.list") || odd.contains("tags") {
            let run = agent.run("selftest --task -o json --skip sudo,host");
            assert_eq!((run.exit != 0, node.ask("changes")), (true, json!(0)), "{odd}: {}", run.stdout);
        }
        node.tell("set 300 tags felhom-selftest;felhom-st-marker");
        let run = agent.run("cleanup -o json");
        let report = run.json();
        let is_told = report["leftovers"] != json!([]) || !report["problem"].is_null();
        assert!(run.exit != 0 && is_told, "{odd}: {} {}", run.exit, run.stdout);
    }
}

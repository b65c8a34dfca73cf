//! The read-only self-test: what it says of a healthy node, and of one that is not.
#![expect(clippy::disallowed_types, reason = "the tests ask git")]

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::agent::Agent;
use crate::node::Node;

/// The host that the tests run on is no PVE host.
const TEXT: [&str; 3] = ["selftest", "--skip", "sudo,host"];
const JSON: [&str; 5] = ["selftest", "-o", "json", "--skip", "sudo,host"];

#[test]
fn a_healthy_node_passes_every_check() {
    let node = Node::start(&[]);
    let run = Agent::of(&node).run(&JSON);
    let report = run.json();
    assert_eq!(
        (run.exit, &report["result"], &report["complete"]),
        (0, &"ok".into(), &Value::Bool(true)),
        "{}",
        run.stdout
    );
    assert_eq!(
        (&report["counts"]["fail"], &report["counts"]["warn"]),
        (&0.into(), &0.into()),
        "{}",
        run.stdout
    );
    assert_eq!(run.stderr, "");
}

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
fn a_wrong_token_is_asked_about_once_and_explained() {
    let node = Node::start(&[]);
    node.ask("secret felhom@pve!agent 00000000-0000-0000-0000-000000000000");
    let run = Agent::of(&node).run(&JSON);
    let failures = run.failures();
    assert_eq!((run.exit, failures.len(), node.count("requests")), (5, 1, 1), "{}", run.stdout);
    let (id, summary, detail, look) = &failures[0];
    assert_eq!(id, "auth.token");
    assert_eq!(summary, "the server refused felhom@pve!agent: Authentication failed!");
    assert!(detail.contains("nothing else was asked"), "{detail}");
    assert!(look.starts_with("look pveum user token list 'felhom@pve'"), "{look}");
    assert_eq!(run.check("node.status"), ("skip".into(), "needs auth.token".into()));
}

#[test]
fn a_missing_privilege_names_path_privilege_and_command() {
    let node = Node::start(&[]);
    node.ask("revoke /pool/felhom FelhomAgent");
    let run = Agent::of(&node).run(&JSON);
    let failures = run.failures();
    assert_eq!(run.exit, 1, "{}", run.stdout);
    let (id, summary, _, fix) =
        failures.iter().find(|(_, summary, ..)| summary.contains("VM.Snapshot.Rollback")).unwrap();
    assert_eq!(id, "perm.need");
    assert_eq!(summary, "/pool/felhom: VM.Snapshot.Rollback is missing");
    assert_eq!(
        fix,
        "pveum acl modify /pool/felhom --users felhom@pve --roles FelhomAgent && \
         pveum acl modify /pool/felhom --tokens 'felhom@pve!agent' --roles FelhomAgent"
    );
}

#[test]
fn a_role_that_lacks_privileges_is_completed_and_one_that_is_missing_is_made() {
    let node = Node::start(&[]);
    node.ask("role FelhomNet");
    node.ask("role FelhomStore Datastore.Audit");
    let run = Agent::of(&node).run(&JSON);
    let fixes: Vec<String> = run.failures().into_iter().map(|(.., fix)| fix).collect();
    for (role, privileges) in [("FelhomNet", "SDN.Use"), ("FelhomStore", "Datastore.AllocateSpace")] {
        let line = format!(
            "(pveum role add {role} --privs {privileges} || pveum role modify {role} --append 1 --privs {privileges}) \
             && pveum acl modify "
        );
        assert!(fixes.iter().any(|fix| fix.starts_with(&line)), "{fixes:?}");
    }
}

#[test]
fn a_repair_of_several_findings_is_printed_once() {
    let node = Node::start(&[]);
    node.ask("revoke /pool/felhom FelhomAgent");
    let run = Agent::of(&node).run(&["selftest"]);
    let lines = |start: &str| run.stdout.lines().filter(|line| line.trim_start().starts_with(start)).count();
    assert!(lines("FAIL  perm.need") > 5, "{}", run.stdout);
    assert_eq!((lines("fix  pveum acl modify /pool/felhom"), lines("FAIL perm.need  ->")), (1, 1));
    assert_eq!(
        (lines("why  a separated token"), lines("fix  the same as above") > 5),
        (1, true),
        "{}",
        run.stdout
    );
}

#[test]
fn a_node_that_may_not_be_read_is_a_failure_with_the_grant() {
    let node = Node::start(&[]);
    node.ask("revoke /nodes/pve1 FelhomNode");
    let run = Agent::of(&node).run(&["selftest", "-o", "json", "--only", "node.status"]);
    let (id, summary, _, fix) = run.failures().remove(0);
    assert_eq!(id, "node.status");
    assert!(summary.ends_with("permission denied: needs Sys.Audit on /nodes/pve1"), "{summary}");
    assert!(
        fix.contains("pveum acl modify /nodes/pve1 --tokens 'felhom@pve!agent' --roles FelhomNode"),
        "{fix}"
    );
}

#[test]
fn a_container_that_is_locked_without_a_task_is_a_warning() {
    let node = Node::start(&[]);
    node.ask("lock 101 backup");
    let agent = Agent::of(&node);
    let run = agent.run(&JSON);
    assert_eq!((run.exit, run.check("guests.locks").0.as_str()), (0, "warn"), "{}", run.stdout);
    assert_eq!(agent.run(&[&TEXT[..], &["--strict"]].concat()).exit, 3);
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
fn a_daemon_that_is_down_is_told_from_a_broken_connection() {
    let node = Node::start(&[]);
    node.ask("daemon down");
    let run = Agent::of(&node).run(&JSON);
    let failure = run.failures().into_iter().find(|(id, ..)| id == "storage.list").unwrap();
    assert!(failure.1.contains("the connection to pveproxy itself is fine"), "{}", failure.1);
    assert!(failure.3.contains("pvedaemon"), "{}", failure.3);
    assert_eq!(run.exit, 1);
}

#[test]
fn ten_thousand_containers_are_read_in_time() {
    let node = Node::start(&["--customers", "10000"]);
    let run = Agent::of(&node).run(&["selftest", "-o", "json", "--only", "guests"]);
    assert_eq!(run.check("guests.list").1, "10004 containers, 1 running");
}

#[test]
fn the_report_for_people_ends_with_the_repairs() {
    let node = Node::start(&[]);
    node.ask("revoke /sdn/zones/localnetwork/vmbr0 FelhomNet");
    let run = Agent::of(&node).run(&TEXT);
    let last = run.stdout.lines().last().unwrap();
    assert!(
        last.starts_with("FAIL perm.need  ->  pveum acl modify /sdn/zones/localnetwork/vmbr0 --users"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains('\u{1b}'), "no colour in a pipe");
    let colored = Agent::of(&node).run(&[&TEXT[..], &["--color", "always"]].concat());
    assert!(colored.stdout.contains("\u{1b}[1;31mFAIL\u{1b}[0m"), "{}", colored.stdout);
    let quiet = Agent::of(&node).run(&[&TEXT[..], &["-q"]].concat());
    assert!(quiet.stdout.lines().count() <= 5, "{}", quiet.stdout);
}

#[test]
fn checks_are_listed_and_selected_by_id() {
    let node = Node::start(&[]);
    let agent = Agent::of(&node);
    let listed = agent.run(&["selftest", "--list-checks"]);
    assert_eq!((listed.exit, listed.stdout.lines().count()), (0, 42), "{}", listed.stdout);
    let chosen = agent.run(&["selftest", "-o", "json", "--only", "tls.pin,api"]).json();
    let ids: Vec<&str> =
        chosen["checks"].as_array().unwrap().iter().map(|check| check["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["tls.pin", "api.version"]);
    let unknown = agent.run(&["selftest", "--only", "tls.pins"]);
    assert_eq!((unknown.exit, unknown.stdout.as_str()), (2, ""));
    assert!(unknown.stderr.contains("there is no check `tls.pins`"), "{}", unknown.stderr);
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
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = agent.command(&JSON).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(70));
    assert!(String::from_utf8(output.stderr).unwrap().contains("No space left on device"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = agent.command(&JSON).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn a_storage_that_hangs_is_told_and_the_report_is_whole() {
    let node = Node::start(&[]);
    node.ask("delay storage.list 30000");
    let run = Agent::of(&node).run(&JSON);
    let (id, summary, ..) = &run.failures()[0];
    assert_eq!((id.as_str(), run.exit), ("storage.list", 1), "{}", run.stdout);
    assert_eq!(summary, "the node has not told its storages within 9 s");
    assert_eq!((run.json()["complete"].clone(), run.check("guests.list").0.as_str()), (true.into(), "ok"));
}

#[test]
fn without_a_configuration_nothing_was_checked_whatever_is_left_out() {
    let node = Node::start(&[]);
    let mut config = Agent::config(&node);
    config["tls"] = serde_json::json!({ "ca_file": "/etc/passwd" });
    let runs = [
        Agent::with_text("{").run(&["selftest", "--skip", "config,sudo,host"]),
        Agent::with(&config).run(&["selftest", "--skip", "config.tls,sudo,host"]),
    ];
    assert_eq!(runs.map(|run| run.exit), [4, 4]);
}

#[test]
fn after_a_refused_token_nothing_is_sent_whatever_is_left_out() {
    let node = Node::start(&[]);
    node.ask("secret felhom@pve!agent 00000000-0000-0000-0000-000000000000");
    let run = Agent::of(&node).run(&["selftest", "-o", "json", "--skip", "auth,sudo,host"]);
    assert_eq!(run.exit, 5, "{}", run.stdout);
    // Three are in flight before the first is answered.
    assert!(node.count("refused") <= 3, "{}", node.ask("stats"));
}

#[test]
fn a_check_of_the_exercise_is_told_from_one_that_is_not_there() {
    let run = Agent::with_text("{}").run(&["selftest", "--only", "x.guest"]);
    assert_eq!(
        (run.exit, run.stderr.as_str()),
        (2, "felhom-agent: x.guest belongs to the exercise; see --task\n")
    );
}

#[test]
fn the_golden_backup_must_be_there() {
    let node = Node::start(&[]);
    let mut config = Agent::config(&node);
    for (name, status) in [("05_46_14", "ok"), ("00_00_00", "fail")] {
        config["golden"] =
            serde_json::json!(format!("local:backup/vzdump-lxc-210-2026_11_24-{name}.tar.zst"));
        let run = Agent::with(&config).run(&JSON);
        assert_eq!(run.check("storage.golden").0, status, "{}", run.stdout);
    }
}

#[test]
fn a_selection_that_leaves_nothing_over_is_a_mistake() {
    let run = Agent::with_text("{}").run(&["selftest", "--only", "decode", "--skip", "decode"]);
    assert_eq!((run.exit, run.stdout.as_str()), (2, ""), "{}", run.stderr);
}

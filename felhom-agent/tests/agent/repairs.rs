//! Every repair that a check prints is carried out, and the finding is gone; or a reason says why it is not.
#![expect(clippy::disallowed_types, reason = "the tests run what was printed in a shell")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::agent::{Agent, merge, text};
use crate::exercise::TASK;
use crate::node::Node;

/// What is wrong, and the check that tells it.
struct Case {
    id: &'static str,
    /// What is told to the node before.
    node: &'static [&'static str],
    /// What the configuration has instead.
    config: fn(&Node) -> Value,
    /// What a person types into the configuration if the repair opens it and does not say what belongs there.
    typed: Value,
}

fn case(id: &'static str, node: &'static [&'static str]) -> Case {
    Case { id, node, config: |_| json!({}), typed: json!({}) }
}

fn edited(id: &'static str, config: fn(&Node) -> Value, typed: Value) -> Case {
    Case { id, node: &[], config, typed }
}

/// Faults of the configuration.
fn of_the_configuration() -> Vec<Case> {
    vec![
        edited("config.file", |_| json!({ "nodde": "pve1" }), json!({ "nodde": null })),
        edited(
            "net.connect",
            |_| json!({ "url": "https://no-such-host.invalid:8006" }),
            json!({ "url": "https://127.0.0.1" }),
        ),
        edited("tls.pin", |_| json!({ "tls": { "pins": ["00".repeat(32)] } }), json!({ "tls": "pin" })),
        edited(
            "tls.ca",
            |node| json!({ "tls": { "ca_file": node.facts.ca_file, "server_name": "pve9.example.org" } }),
            json!({}),
        ),
        edited("node.exists", |_| json!({ "node": "pve9" }), json!({ "node": "pve1" })),
    ]
}

/// Faults of the node, and of what the token may do there.
fn of_the_node() -> Vec<Case> {
    vec![
        edited("pool.exists", |_| json!({ "pool": "nopool" }), json!({})),
        edited("pool.exists", |_| json!({ "pool": "outer/inner" }), json!({})),
        Case {
            node: &[
                "grant /sdn/zones/localnetwork/vmbr7 felhom@pve FelhomNet",
                "grant /sdn/zones/localnetwork/vmbr7 felhom@pve!agent FelhomNet",
            ],
            ..edited("bridge.exists", |_| json!({ "bridges": ["vmbr7"] }), json!({ "bridges": ["vmbr0"] }))
        },
        case("node.status", &["revoke /nodes/pve1 FelhomNode"]),
        case("node.services", &["statistics down"]),
        case("node.exists", &["statistics down"]),
        case("perm.need", &["revoke /pool/felhom FelhomAgent"]),
        case("perm.need", &["role FelhomNet"]),
        case("perm.need", &["revoke /sdn/zones/localnetwork/vmbr0 FelhomNet", "role FelhomAgent VM.Audit"]),
        case("storage.list", &["revoke /storage/local-btrfs FelhomStore"]),
        case("guests.list", &["role FelhomAgent VM.Backup"]),
        case("guests.locks", &["lock 101 backup"]),
        case("guests.leftovers", &["set 300 tags felhom-selftest;felhom-st-marker"]),
        case("x.guest", &["lock 300 backup"]),
        case("x.guest", &["revoke /pool/felhom FelhomAgent"]),
        case("x.guest", &["set 300 tags felhom-selftest;felhom-st-marker"]),
    ]
}

fn cases() -> Vec<Case> {
    of_the_configuration().into_iter().chain(of_the_node()).collect()
}

/// Checks whose repair is not carried out here, and why.
const NOT_HERE: &str = include_str!("repairs.txt");

#[test]
fn every_check_has_its_repair_carried_out_or_a_reason_why_not() {
    let listed = Agent::with_text("{}").run("selftest --list-checks").stdout;
    let listed: BTreeSet<&str> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
    let carried: BTreeSet<&str> = cases().iter().map(|case| case.id).collect();
    let reasons: BTreeSet<&str> = NOT_HERE.lines().filter_map(|line| line.split(' ').next()).collect();
    let both: Vec<_> = carried.intersection(&reasons).collect();
    assert_eq!((both, carried.union(&reasons).copied().collect()), (vec![], listed));
}

#[test]
fn a_repair_that_is_carried_out_makes_its_finding_go_away() {
    for case in cases() {
        let node = Node::told(case.node);
        let agent = Agent::changed(&node, &(case.config)(&node));
        let found = fixes(&agent, case.id);
        assert!(!found.is_empty(), "{} {:?}: nothing is found, or nothing repairs it", case.id, case.node);
        for fix in found {
            carry_out(&node, &agent, &fix, &case.typed);
        }
        assert_eq!(fixes(&agent, case.id), BTreeSet::new(), "{:?}", case.node);
    }
}

/// The repairs of the findings of one check that are not well; an empty one for a finding without.
fn fixes(agent: &Agent, id: &str) -> BTreeSet<String> {
    let only = format!("selftest -o json --only {id}");
    let found = agent.run(if id.starts_with("x.") { TASK } else { &only }).findings(id);
    let bad = found.iter().filter(|check| check["status"] == "fail" || check["status"] == "warn");
    let fixes = bad.flat_map(|check| match check["fix"].as_array() {
        Some(fixes) => fixes.iter().map(|fix| text(&fix["run"])).collect(),
        None => vec![String::new()],
    });
    fixes.collect()
}

/// Runs the line in a shell, with programs of PVE that only note how they were called, and then does what they would
/// have done at the node.
fn carry_out(node: &Node, agent: &Agent, line: &str, typed: &Value) {
    let (bin, log) = (agent.path("bin"), agent.path("log"));
    fs::create_dir_all(&bin).unwrap();
    let script = format!(
        "#!/bin/sh\nprintf '%s' \"${{0##*/}}\" >> {0}\nprintf ' %s' \"$@\" >> {0}\necho >> {0}\n",
        log.display()
    );
    for program in ["pveum", "pct", "systemctl", "edit"] {
        agent.write(&format!("bin/{program}"), &script, 0o755);
    }
    let ours = bin.join("felhom-agent");
    if !ours.exists() {
        symlink(env!("CARGO_BIN_EXE_felhom-agent"), ours).unwrap();
    }
    fs::write(&log, "").unwrap();
    let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", bin.display());
    let mut shell = Command::new("/bin/sh");
    shell.args(["-ec", line]).env_clear().env("PATH", path).env("EDITOR", "edit");
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{line}: {output:?}");
    for called in fs::read_to_string(&log).unwrap().lines() {
        let words: Vec<&str> = called.split(' ').collect();
        perform(node, agent, &words, line, typed);
    }
}

fn perform(node: &Node, agent: &Agent, words: &[&str], line: &str, typed: &Value) {
    match words {
        ["pveum", "role", "add", role, "--privs", privileges] => {
            // PVE adds to what the role has; what the agent does not list it does not lack.
            let all = ["FelhomAgent", "FelhomStore", "FelhomNode", "FelhomNet"];
            assert!(all.contains(role), "{role}");
            let had = if *role == "FelhomAgent" { "VM.Audit VM.Backup " } else { "" };
            node.tell(&format!("role {role} {had}{}", privileges.replace(',', " ")));
        }
        ["pveum", "pool", "add", pool] => node.tell(&format!("pool {pool}")),
        ["pveum", "acl", "modify", path, who @ .., "--roles", role] => {
            for who in who.iter().filter(|word| !word.starts_with("--")) {
                node.tell(&format!("grant {path} {who} {role}"));
            }
        }
        ["pct", "unlock", vmid] => node.tell(&format!("lock {vmid}")),
        ["systemctl", "restart", "pvestatd"] => node.tell("statistics up"),
        ["edit", file] => edit(node, agent, Path::new(file), line, typed),
        other => panic!("not understood: {other:?}"),
    }
}

/// What a person does: types what the comment behind the command says, else what the case says.
fn edit(node: &Node, agent: &Agent, file: &Path, line: &str, typed: &Value) {
    assert_eq!(file, agent.path("config.json"));
    let mut config: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let said = line.split_once("  # tls.server_name: ").and_then(|(_, names)| names.split(" or ").next());
    if let Some(name) = said {
        config["tls"]["server_name"] = json!(name);
    } else if typed["tls"] == "pin" {
        config["tls"]["pins"] = json!([node.facts.fingerprint]);
    } else if typed["url"].is_string() {
        config["url"] = json!(node.facts.url);
    } else {
        merge(&mut config, typed);
    }
    agent.write("config.json", &config.to_string(), 0o600);
}

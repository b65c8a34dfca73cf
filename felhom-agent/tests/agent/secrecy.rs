//! The token appears nowhere but in the header that carries it.
#![expect(clippy::disallowed_types, reason = "the tests start the agent as somebody else")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::agent::{Agent, Run, world};
use crate::node::Node;

/// An account without any right.
const NOBODY: u32 = 65_534;

fn secret(node: &Node) -> String {
    node.facts.token.split('=').nth(1).unwrap().to_owned()
}

#[track_caller]
fn hides(run: &Run, secret: &str) {
    let printed = format!("{}{}", run.stdout, run.stderr);
    assert!(!printed.contains(secret), "the secret is in {printed}");
}

#[test]
fn no_output_has_the_secret_even_at_the_highest_verbosity() {
    let (node, agent) = world(&[]);
    let secret = secret(&node);
    for line in ["selftest -vvv", "selftest -vvv -o json", "selftest -q", "selftest --list-checks"] {
        hides(&agent.run(line), &secret);
    }
    let traced = agent.run("selftest -vvv");
    assert!(traced.stderr.contains("GET /version"), "the log shows requests: {}", traced.stderr);
    node.refuse_token();
    let pins = [node.facts.fingerprint.replace('1', "2")];
    for change in [json!({}), json!({ "tls": { "pins": pins } }), json!({ "urll": "x" })] {
        hides(&Agent::changed(&node, &change).run("selftest -vvv"), &secret);
    }
}

/// What somebody could have pasted instead of the token, whose secret is `KEY`.
const PASTED: [&str; 6] = [
    "felhom@pve!agent=KEY",
    "PVEAPIToken=felhom@pve!agent=KEY",
    "'felhom@pve!agent=KEY' ",
    "felhom%40pve%21agent%3DKEY",
    "Authorization: PVEAPIToken=felhom@pve!agent = KEY",
    "felhom@pve!agent:KEY",
];

const KEY: &str = "DEADBEEF-c0de-4bad-8bad-feedfacecafe";

fn insecure() -> Agent {
    Agent::with_text(r#"{ "tls": { "insecure": true } }"#)
}

/// Configurations with the token as a key, or as the value of another.
fn misplaced(token: &str) -> Vec<Value> {
    let tls = json!({ "insecure": true });
    let names = ["node", "url", "token_file", "pool", "golden", "state_dir", "tokn"];
    let values = names.map(|name| json!({ "tls": tls, "token": token, name: token }));
    let others = [
        json!({ "tls": { "pins": [token] } }),
        json!({ "tls": { "ca_file": token } }),
        json!({ "tls": tls, "log": { "level": token } }),
        json!({ "tls": tls, "storages": [token] }),
        json!({ "tls": tls, "selftest": { token: 1 } }),
        json!({ "tls": tls, token: 1 }),
    ];
    values.into_iter().chain(others).collect()
}

/// Command lines with the token as a word.
const TYPED: [&str; 8] = [
    "selftest --config TOKEN --only config",
    "cleanup -o json --config TOKEN",
    "selftest TOKEN",
    "TOKEN",
    "usb mount TOKEN",
    "selftest --vmid TOKEN",
    "selftest --token=TOKEN",
    "selftest --only TOKEN",
];

/// Variables with the token as the value.
const SET: [&str; 8] = ["NODE", "LOG__LEVEL", "TLS__PINS", "TOKNE", "TOKEN_FILE", "URL", "CONFIG", KEY];

#[test]
fn a_token_in_a_wrong_key_argument_or_variable_is_not_printed() {
    std::thread::scope(|scope| {
        for text in PASTED {
            scope.spawn(|| nowhere(&text.replace("KEY", KEY)));
        }
    });
}

fn nowhere(token: &str) {
    for config in misplaced(token) {
        let agent = Agent::with_text(&config.to_string());
        for line in ["selftest -vvv --only config", "cleanup -o json", "sensors"] {
            hides(&agent.run(line), KEY);
        }
    }
    for line in TYPED {
        let words: Vec<String> = line.split(' ').map(|word| word.replace("TOKEN", token)).collect();
        hides(&insecure().run_words(&words.iter().map(String::as_str).collect::<Vec<_>>()), KEY);
    }
    for variable in SET {
        let agent = insecure().set(&format!("FELHOM_AGENT_{variable}"), token);
        hides(&agent.run("selftest -o json"), KEY);
    }
}

#[test]
fn logs_can_be_json_and_have_no_secret() {
    let node = Node::start("");
    let log = json!({ "format": "json", "level": "trace" });
    let run = Agent::changed(&node, &json!({ "log": log })).run("selftest");
    hides(&run, &secret(&node));
    let lines: Vec<Value> = run.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["span"]["request"] == "GET /version"), "{}", run.stderr);
}

/// Reads files of `/proc` while the agent waits for a node that refuses its token, which takes 3 s.
fn while_it_runs<T>(node: &Node, mut child: Child, look: impl FnOnce(String) -> T) -> T {
    while node.count("requests") == 0 && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    let seen = look(format!("/proc/{}", child.id()));
    child.kill().unwrap();
    child.wait().unwrap();
    seen
}

#[test]
fn the_argument_list_of_a_running_agent_has_no_secret() {
    let (node, agent) = world(&[]);
    node.refuse_token();
    let child = agent.command(&["selftest", "-q"]).stdout(Stdio::null()).spawn().unwrap();
    let read = |folder: String| {
        ["cmdline", "environ"].map(|file| fs::read_to_string(format!("{folder}/{file}")).unwrap_or_default())
    };
    let [arguments, environment] = while_it_runs(&node, child, read);
    let secret = secret(&node);
    assert!(arguments.contains("selftest") && !arguments.contains(&secret), "{arguments}");
    assert!(!environment.contains(&secret), "{environment}");
}

/// Files in `/proc` of a process that cannot be dumped belong to root, whoever runs it.
#[test]
fn nobody_can_read_the_memory_of_a_running_agent() {
    if !rustix::process::geteuid().is_root() {
        writeln!(std::io::stderr(), "SKIPPED nobody_can_read_the_memory: needs root").unwrap();
        return;
    }
    let (node, agent) = world(&[]);
    node.refuse_token();
    fs::copy(env!("CARGO_BIN_EXE_felhom-agent"), agent.path("agent")).unwrap();
    for name in ["", "config.json"] {
        chown(agent.path(name), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(agent.path("agent"));
    command.args(["selftest", "--only", "auth", "--config"]).arg(agent.path("config.json"));
    let look = |folder: String| {
        let status = fs::read_to_string(format!("{folder}/status")).unwrap();
        (status, fs::metadata(format!("{folder}/mem")).unwrap().uid())
    };
    let (status, owner) = while_it_runs(&node, command.stdout(Stdio::null()).spawn().unwrap(), look);
    assert!(status.contains(&format!("Uid:\t{NOBODY}\t")), "{status}");
    assert_eq!(owner, 0);
}

/// The test starts itself again, since the agent has no panic to offer.
#[test]
fn a_panic_tells_its_place_and_not_what_it_holds() {
    if std::env::var_os("FELHOM_TEST_PANICS").is_some() {
        felhom_agent::process::hide_payloads();
        panic!("the secret is 12345678-1234-1234-1234-123456789abc");
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "secrecy::a_panic_tells_its_place_and_not_what_it_holds", "--nocapture"])
        .env("FELHOM_TEST_PANICS", "1")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap() + &String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("felhom-agent: internal error at felhom-agent/tests/agent/secrecy.rs:"), "{said}");
    assert!(!said.contains("12345678"), "{said}");
}

//! The token appears nowhere but in the header that carries it.
#![expect(clippy::disallowed_types, reason = "the tests start the agent as somebody else")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::agent::{Agent, Run};
use crate::node::Node;

/// An account without any right.
const NOBODY: u32 = 65_534;

fn secret(node: &Node) -> String {
    node.facts.token.split('=').nth(1).unwrap().to_owned()
}

fn clean(run: &Run, secret: &str) {
    for (what, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
        assert!(!text.contains(secret), "the secret is in {what}: {text}");
    }
}

#[test]
fn no_output_has_the_secret_even_at_the_highest_verbosity() {
    let node = Node::start(&[]);
    let secret = secret(&node);
    let agent = Agent::of(&node);
    for arguments in [
        &["selftest", "-vvv"][..],
        &["selftest", "-vvv", "-o", "json"],
        &["selftest", "-q"],
        &["selftest", "--list-checks"],
    ] {
        clean(&agent.run(arguments), &secret);
    }
    let traced = agent.run(&["selftest", "-vvv"]);
    assert!(traced.stderr.contains("GET /version"), "the log shows requests: {}", traced.stderr);
    node.ask("secret felhom@pve!agent 00000000-0000-0000-0000-000000000000");
    clean(&agent.run(&["selftest", "-vvv"]), &secret);
    let mut config = Agent::config(&node);
    config["tls"] = json!({ "pins": [node.facts.fingerprint.replace('1', "2")] });
    clean(&Agent::with(&config).run(&["selftest", "-vvv"]), &secret);
    config["urll"] = json!("x");
    clean(&Agent::with(&config).run(&["selftest", "-vvv"]), &secret);
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

fn pasted() -> impl Iterator<Item = String> {
    PASTED.iter().map(|text| text.replace("KEY", KEY))
}

#[test]
fn a_token_as_a_key_or_as_the_value_of_another_is_not_printed() {
    let tls = json!({ "insecure": true });
    for pasted in pasted() {
        let mut configs = vec![
            json!({ "tls": { "pins": [pasted] } }),
            json!({ "tls": { "ca_file": pasted } }),
            json!({ "tls": tls, "log": { "level": pasted } }),
            json!({ "tls": tls, "storages": [pasted] }),
            json!({ "tls": tls, "selftest": { pasted.clone(): 1 } }),
            json!({ "tls": tls, pasted.clone(): 1 }),
        ];
        for name in ["node", "url", "token_file", "pool", "golden", "state_dir", "tokn"] {
            let mut config = json!({ "tls": tls, "token": pasted });
            config[name] = json!(pasted);
            configs.push(config);
        }
        for config in configs {
            let agent = Agent::with(&config);
            clean(&agent.run(&["selftest", "-vvv", "--only", "config"]), KEY);
            clean(&agent.run(&["cleanup", "-o", "json"]), KEY);
            clean(&agent.run(&["sensors"]), KEY);
        }
    }
}

#[test]
fn a_token_as_an_argument_is_not_printed() {
    for pasted in pasted() {
        let agent = Agent::with(&json!({ "tls": { "insecure": true } }));
        for arguments in [
            &["selftest", "--config", &pasted, "--only", "config"][..],
            &["cleanup", "-o", "json", "--config", &pasted],
            &["selftest", &pasted],
            &[&pasted],
            &["usb", "mount", &pasted],
            &["selftest", "--vmid", &pasted],
            &["selftest", &format!("--token={pasted}")],
            &["selftest", "--only", &pasted],
        ] {
            clean(&agent.run(arguments), KEY);
        }
    }
}

#[test]
fn a_token_in_a_wrong_variable_is_not_printed() {
    for pasted in pasted() {
        for variable in ["NODE", "LOG__LEVEL", "TLS__PINS", "TOKNE", "TOKEN_FILE", "URL", "CONFIG", KEY] {
            let agent = Agent::with(&json!({ "tls": { "insecure": true } }));
            let run =
                agent.set(&format!("FELHOM_AGENT_{variable}"), &pasted).run(&["selftest", "-o", "json"]);
            clean(&run, KEY);
        }
    }
}

#[test]
fn logs_can_be_json_and_have_no_secret() {
    let node = Node::start(&[]);
    let mut config = Agent::config(&node);
    config["log"] = json!({ "format": "json", "level": "trace" });
    let run = Agent::with(&config).run(&["selftest"]);
    clean(&run, &secret(&node));
    let lines: Vec<serde_json::Value> =
        run.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["span"]["request"] == "GET /version"), "{}", run.stderr);
}

#[test]
fn the_argument_list_of_a_running_agent_has_no_secret() {
    let node = Node::start(&[]);
    // A node that refuses the token takes 3 s, in which the agent can be looked at.
    node.ask("secret felhom@pve!agent 00000000-0000-0000-0000-000000000000");
    let agent = Agent::of(&node);
    let mut child = agent.command(&["selftest", "-q"]).stdout(Stdio::null()).spawn().unwrap();
    let read = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", child.id())).unwrap_or_default();
    while node.count("requests") == 0 {
        std::thread::yield_now();
    }
    let (arguments, environment) = (read("cmdline"), read("environ"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(arguments.contains("selftest"), "{arguments}");
    let secret = secret(&node);
    assert!(!arguments.contains(&secret) && !environment.contains(&secret));
}

/// Files in `/proc` of a process that cannot be dumped belong to root, whoever runs it.
#[test]
fn nobody_can_read_the_memory_of_a_running_agent() {
    if !rustix::process::geteuid().is_root() {
        writeln!(std::io::stderr(), "SKIPPED nobody_can_read_the_memory: needs root").unwrap();
        return;
    }
    let node = Node::start(&[]);
    node.ask("secret felhom@pve!agent 00000000-0000-0000-0000-000000000000");
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::copy(env!("CARGO_BIN_EXE_felhom-agent"), path("agent")).unwrap();
    fs::write(path("config.json"), Agent::config(&node).to_string()).unwrap();
    fs::set_permissions(path("config.json"), fs::Permissions::from_mode(0o600)).unwrap();
    for name in ["", "config.json"] {
        std::os::unix::fs::chown(path(name), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let id = NOBODY.to_string();
    let mut child = Command::new("setpriv")
        .args(["--reuid", &id, "--regid", &id, "--clear-groups"])
        .args([path("agent").as_os_str(), "selftest".as_ref(), "--only".as_ref(), "auth".as_ref()])
        .arg("--config")
        .arg(path("config.json"))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while node.count("requests") == 0 && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let owner = fs::metadata(format!("/proc/{}/mem", child.id())).unwrap().uid();
    child.kill().unwrap();
    child.wait().unwrap();
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

//! The token appears nowhere but in the header that carries it.

use std::fs;

use serde_json::json;

use crate::agent::{Agent, Run};
use crate::node::Node;

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
    let mut child = agent.command(&["selftest", "-q"]).stdout(std::process::Stdio::null()).spawn().unwrap();
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

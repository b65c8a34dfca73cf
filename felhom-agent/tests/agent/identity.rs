//! Who the server is: pins, CAs, both, and nothing.

use std::fs;

use serde_json::{Value, json};

use crate::agent::{Agent, Run};
use crate::node::Node;

const JSON: [&str; 3] = ["selftest", "-o", "json"];
const OTHER: &str =
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";

fn run_with(node: &Node, tls: Value) -> Run {
    let mut config = Agent::config(node);
    config["tls"] = tls;
    Agent::with(&config).run(&JSON)
}

#[test]
fn a_wrong_pin_sends_nothing_and_shows_both_fingerprints() {
    let node = Node::start(&[]);
    let run = run_with(&node, json!({ "pins": [OTHER] }));
    let (id, summary, detail, fix) = run.failures().remove(0);
    assert_eq!(
        (run.exit, id.as_str(), node.count("requests"), node.count("handshakes")),
        (5, "tls.pin", 0, 0)
    );
    assert_eq!(summary, format!("expected {OTHER}, seen {}", node.facts.fingerprint));
    assert!(detail.contains("CN=pve1.lan") && detail.contains("valid from 20"), "{detail}");
    assert!(fix.starts_with("\"${EDITOR:-nano}\" "), "{fix}");
    assert_eq!(run.json()["checks"][5]["look"][0]["run"], "pvenode cert info");
    assert_eq!(run.check("auth.token"), ("skip".into(), "needs tls.pin".into()));
}

#[test]
fn one_of_several_pins_is_enough_and_case_and_colons_do_not_matter() {
    let node = Node::start(&[]);
    let plain = node.facts.fingerprint.replace(':', "").to_lowercase();
    let run = run_with(&node, json!({ "pins": [OTHER, plain] }));
    assert_eq!(run.exit, 0, "{}", run.stdout);
    assert!(run.check("tls.pin").1.ends_with("(pin 2 of 2)"));
}

#[test]
fn a_ca_file_verifies_chain_and_name() {
    let node = Node::start(&[]);
    let run = run_with(&node, json!({ "ca_file": node.facts.ca_file }));
    assert_eq!(
        (run.exit, run.check("tls.ca").0.as_str(), run.check("tls.pin").0.as_str()),
        (0, "ok", "skip")
    );
}

#[test]
fn pin_and_ca_must_both_hold() {
    let (node, stranger) = (Node::start(&[]), Node::start(&[]));
    let both = |pin: &str, ca: &str| run_with(&node, json!({ "pins": [pin], "ca_file": ca }));
    let (pin, ca) = (node.facts.fingerprint.as_str(), node.facts.ca_file.as_str());
    assert_eq!(both(pin, ca).exit, 0);
    assert_eq!(both(OTHER, ca).failures()[0].0, "tls.pin");
    let refused = both(pin, &stranger.facts.ca_file);
    assert_eq!(
        (refused.exit, refused.failures()[0].0.as_str(), node.count("requests") > 0),
        (5, "tls.ca", true)
    );
    assert_eq!(refused.failures()[0].1, "it is not signed by the configured CA");
}

#[test]
fn a_ca_file_that_cannot_be_used_is_an_error_and_nothing_is_sent() {
    let node = Node::start(&[]);
    let holder = Agent::with_text("{}");
    let leaf = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let cases = [
        (holder.write("empty.pem", "", 0o644), "holds no PEM certificate"),
        (holder.write("text.pem", "hello", 0o644), "holds no PEM certificate"),
        (holder.write("broken.pem", leaf, 0o644), "certificate 1 is malformed"),
        (holder.path("missing.pem"), "cannot be opened"),
        (holder.path(""), "is not a regular file"),
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
fn a_server_certificate_is_no_ca() {
    let recording =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../proxmox-types/fixtures/get-certificates-info.root.json");
    let recording: Value = serde_json::from_str(&fs::read_to_string(recording).unwrap()).unwrap();
    let body: Value = serde_json::from_str(recording["body"].as_str().unwrap()).unwrap();
    let leaf =
        body["data"].as_array().unwrap().iter().find(|entry| entry["filename"] == "pve-ssl.pem").unwrap();
    let node = Node::start(&[]);
    let holder = Agent::with_text("{}");
    let path = holder.write("pve-ssl.pem", leaf["pem"].as_str().unwrap(), 0o644);
    let run = run_with(&node, json!({ "ca_file": path }));
    let (_, summary, ..) = run.failures().remove(0);
    assert_eq!((run.exit, node.count("connections")), (4, 0));
    assert!(summary.contains("is not a CA"), "{summary}");
    assert!(summary.contains(leaf["fingerprint"].as_str().unwrap()), "{summary}");
}

#[test]
fn insecure_is_explicit_loud_and_alone() {
    let node = Node::start(&[]);
    let run = run_with(&node, json!({ "insecure": true }));
    assert_eq!((run.exit, run.check("config.tls").0.as_str()), (0, "warn"), "{}", run.stdout);
    assert!(run.stderr.contains("WARNING: tls.insecure is set"), "{}", run.stderr);
    for tls in [
        json!({ "insecure": true, "pins": [OTHER] }),
        json!({ "insecure": true, "ca_file": "/x" }),
        json!({}),
    ] {
        let run = run_with(&node, tls);
        assert_eq!((run.exit, run.failures()[0].0.as_str()), (4, "config.file"), "{}", run.stdout);
    }
}

#[test]
fn a_port_that_nobody_listens_on_is_told_from_one_without_tls() {
    let node = Node::start(&[]);
    let mut config = Agent::config(&node);
    config["url"] = json!("https://127.0.0.1:1");
    let refused = Agent::with(&config).run(&JSON);
    assert_eq!((refused.exit, refused.failures()[0].0.as_str()), (5, "net.connect"), "{}", refused.stdout);
    config["url"] = json!("https://no-such-host.invalid");
    let unknown = Agent::with(&config).run(&JSON);
    assert_eq!((unknown.exit, unknown.failures()[0].0.as_str()), (5, "net.connect"), "{}", unknown.stdout);
    assert!(unknown.stdout.contains("getent hosts no-such-host.invalid"), "{}", unknown.stdout);
}

//! Configurations that cannot be used, or that somebody else could have written: a clear error within a second and exit
//! code 4 before anything is sent, and no panic.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::agent::{Agent, Run, text, world};
use crate::node::Node;

const JSON: &str = "selftest -o json --skip sudo,host";

/// Asserts that a check refuses the configuration with all these words, between dots, and returns its first repair.
#[track_caller]
fn refused(run: Run, id: &str, words: &str) -> String {
    let run = run.ends(4).within(1);
    let (found, summary, fix) = run.failures().remove(0);
    let is_said = words.split("..").all(|words| summary.contains(words));
    assert!(found == id && is_said, "not {id} {words}: {found} {summary}");
    assert!(!fix.is_empty() && !run.stderr.contains("internal error"), "{}", run.stderr);
    fix
}

const WRONG_VARIABLES: &[(&str, &str, &str)] = &[
    ("URLL", "x", "FELHOM_AGENT_URLL: unknown; did you mean FELHOM_AGENT_URL?"),
    ("CONFIG", "", "FELHOM_AGENT_CONFIG: is empty"),
    ("STATE_DIR", "state", "must begin with `/`"),
    ("SELFTEST__VMID", "99", "is not a VMID"),
];

#[test]
fn variables_that_are_wrong_are_named() {
    let node = Node::start("");
    let with =
        |name: &str, value: &str| Agent::of(&node).set(&format!("FELHOM_AGENT_{name}"), value).run(JSON);
    for (name, value, reason) in WRONG_VARIABLES {
        refused(with(name, value), "config.file", reason);
    }
    assert_eq!(with("NODE", "pve2").failures()[0].0, "node.exists");
}

#[test]
fn proxies_in_the_environment_are_not_used() {
    let (_node, mut agent) = world(&[]);
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        agent = agent.set(name, &address);
    }
    agent.run("selftest --only tls,api").ends(0);
    assert_eq!(proxy.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn the_token_comes_from_a_file_a_variable_or_a_credential() {
    let node = Node::start("");
    let agent = || Agent::changed(&node, &json!({ "token": null }));
    refused(agent().run(JSON), "config.secret", "no token");
    let holder = agent();
    let file = holder.write("token", &format!("{}\n", node.facts.token), 0o600);
    let sources = [
        ("CREDENTIALS_DIRECTORY", holder.path(""), "ok"),
        ("FELHOM_AGENT_TOKEN", node.facts.token.clone().into(), "warn"),
        ("FELHOM_AGENT_TOKEN_FILE", file.clone(), "ok"),
    ];
    for (name, value, status) in sources {
        let run = agent().set(name, value.to_str().unwrap()).run(JSON).ends(0);
        assert_eq!(run.check("config.secret").0, status, "{name}");
    }
    Agent::changed(&node, &json!({ "token": null, "token_file": file })).run(JSON).ends(0);
}

#[test]
fn a_malformed_token_says_which_part_is_wrong_and_nothing_is_sent() {
    let node = Node::start("");
    let token = &node.facts.token;
    let uuid = token.split('=').nth(1).unwrap();
    let cases = [
        (uuid.to_owned(), "only the secret"),
        (format!("'{token}'"), "quotes around it"),
        (format!("\u{feff}{token}"), "U+FEFF, as character 1"),
        (token.replacen('-', "\u{2011}", 1), "holds U+2011, as character 26"),
    ];
    for (token, reason) in cases {
        let agent = Agent::changed(&node, &json!({ "token": null }));
        let file = agent.write("token", &format!("{token}\n"), 0o600);
        let agent = agent.set("FELHOM_AGENT_TOKEN_FILE", file.to_str().unwrap());
        for agent in [agent, Agent::changed(&node, &json!({ "token": token }))] {
            let run = agent.run(JSON);
            assert!(!run.stdout.contains(uuid), "{}", run.stdout);
            refused(run, "config.secret", reason);
        }
    }
    refused(
        Agent::changed(&node, &json!({ "token": format!("{token}\n") })).run(JSON),
        "config.secret",
        "a blank, a newline",
    );
    assert_eq!(node.count("connections"), 0);
}

/// A certificate of a node that is not a CA, as PVE has shown it.
fn leaf() -> String {
    let recording = include_str!("../../../proxmox-types/fixtures/get-certificates-info.root.json");
    let recording: Value = serde_json::from_str(recording).unwrap();
    let body: Value = serde_json::from_str(recording["body"].as_str().unwrap()).unwrap();
    let mut entries = body["data"].as_array().unwrap().iter();
    text(&entries.find(|entry| entry["filename"] == "pve-ssl.pem").unwrap()["pem"])
}

/// An agent that is told by folders: `etc/config.json`, `token/token` and `ca/ca.pem`. Beside them lie
/// `inline.json`, which is a configuration with the token in it, and `leaf.pem`.
fn in_folders(node: &Node) -> Agent {
    let agent = Agent::with_text("{}");
    agent.shell("", "umask 022; mkdir etc token ca state");
    agent.write("token/token", &node.facts.token, 0o600);
    agent.write("ca/ca.pem", &fs::read_to_string(&node.facts.ca_file).unwrap(), 0o644);
    agent.write("leaf.pem", &leaf(), 0o644);
    let tls = json!({ "ca_file": agent.path("ca/ca.pem") });
    agent.configure(node, &json!({ "tls": tls }));
    agent.shell("", "mv config.json inline.json");
    let changes = json!({ "tls": tls, "token": null, "token_file": agent.path("token/token") });
    agent.configure(node, &changes);
    agent.shell("", "mv config.json etc; chmod 644 etc/config.json; ln -s etc/config.json config.json");
    let path = agent.path("etc/config.json");
    agent.set("FELHOM_AGENT_CONFIG", path.to_str().unwrap())
}

const CHECKED: &str = "selftest -o json --only config";

#[test]
fn what_others_can_write_or_nobody_can_read_is_refused_until_it_is_repaired() {
    let node = Node::start("");
    let rows = include_str!("folders.txt").lines().filter(|line| !line.starts_with('#'));
    for row in rows {
        let [end, id, words, script] = row.splitn(4, " | ").collect::<Vec<_>>().try_into().unwrap();
        let agent = in_folders(&node);
        agent.shell("", script);
        if end != "fine" {
            let fix = refused(agent.run(CHECKED), id, words);
            agent.shell("", if end == "repaired" { &fix } else { ":" });
        }
        if end != "refused" {
            agent.run(CHECKED).ends(0);
        }
    }
    assert_eq!(node.count("connections"), 0);
}

#[test]
fn a_repair_never_changes_a_folder_that_is_not_the_agents() {
    let agent = in_folders(&Node::start(""));
    agent.shell("", "chmod 1777 token");
    let reason = "it lies in a directory where somebody but its owner can replace it";
    let fix = refused(agent.run(CHECKED), "config.secret", reason);
    assert!(fix.starts_with("install -D -m "), "{fix}");
    assert!(fix.ends_with("/token/token /etc/felhom-agent/token"), "{fix}");
}

/// An access list: the owner 6, user 65534 4, the group 0, the mask 4, others 0.
const NOBODY_READS: &[u8] =
    b"\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x02\0\x04\0\xfe\xff\0\0\x04\0\0\0\xff\xff\xff\xff\
                              \x10\0\x04\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff";

#[test]
fn an_access_list_that_lets_somebody_read_the_token_is_seen_behind_its_mode() {
    let agent = in_folders(&Node::start(""));
    let token = agent.path("token/token");
    let flags = rustix::fs::XattrFlags::empty();
    if let Err(error) = rustix::fs::setxattr(&token, "system.posix_acl_access", NOBODY_READS, flags) {
        writeln!(std::io::stderr(), "SKIPPED an_access_list: {error}").unwrap();
        return;
    }
    assert_eq!(fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o640);
    let reason = "holds the token, and its access list lets user 65534 read it";
    let fix = refused(agent.run(CHECKED), "config.secret", reason);
    assert!(fix.starts_with(&format!("setfacl -b {} && ", token.display())), "{fix}");
}

#[test]
fn commands_of_this_host_go_by_no_configuration_that_others_can_write() {
    let agent = Agent::with_text("{}");
    agent.shell("", "chmod 666 config.json");
    for command in ["sensors", "disks"] {
        let run = agent.run(command).ends(4);
        assert!(run.stderr.contains("others can write it: its mode is 0666"), "{}", run.stderr);
    }
}

#[test]
fn a_ca_file_may_hold_other_bytes_and_other_blocks() {
    let node = Node::start("");
    let agent = in_folders(&node);
    agent.shell(
        "ca",
        r"printf -- '# Soci\351t\351\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n' > x
        printf -- '-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n' >> x
        cat ca.pem >> x; printf '\377\376\000' >> x; cp x ca.pem",
    );
    let run = agent.run("selftest -o json --only config,auth").ends(0);
    let detail = run.findings("config.tls")[0]["detail"].to_string();
    assert!(detail.contains("certificate 1 is malformed"), "{detail}");
    assert!(detail.contains("block 2 is no CERTIFICATE but a EC PRIVATE KEY"), "{detail}");
}

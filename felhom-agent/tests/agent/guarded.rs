//! What steers the token is guarded like the token: who else could have written it ends the run before anything is sent.
#![expect(clippy::disallowed_types, reason = "the tests carry repairs out")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::agent::{Agent, Run};
use crate::node::Node;

const CONFIG: [&str; 5] = ["selftest", "-o", "json", "--only", "config"];

/// An access list: the owner 6, user 65534 4, the group 0, the mask 4, others 0.
const NOBODY_READS: &[u8] =
    b"\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x02\0\x04\0\xfe\xff\0\0\x04\0\0\0\xff\xff\xff\xff\
                              \x10\0\x04\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff";

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// An agent that is told by folders: `etc/config.json`, `token/token` and `ca/ca.pem`.
fn agent(node: &Node) -> Agent {
    let agent = Agent::with_text("{}");
    for folder in ["etc", "token", "ca", "state"] {
        fs::create_dir(agent.path(folder)).unwrap();
        set_mode(&agent.path(folder), 0o755);
    }
    agent.write("token/token", &node.facts.token, 0o600);
    agent.write("ca/ca.pem", &fs::read_to_string(&node.facts.ca_file).unwrap(), 0o644);
    let mut config = Agent::config(node);
    config.as_object_mut().unwrap().remove("token");
    config["token_file"] = json!(agent.path("token/token"));
    config["state_dir"] = json!(agent.path("state"));
    config["tls"] = json!({ "ca_file": agent.path("ca/ca.pem") });
    agent.write("etc/config.json", &config.to_string(), 0o644);
    agent
}

fn run(agent: &Agent) -> Run {
    let path = agent.path("etc/config.json");
    agent.run(&[&CONFIG[..], &["--config", path.to_str().unwrap()]].concat())
}

/// The check that failed, what it says with the place left out, and its first repair.
fn refused(agent: &Agent) -> (String, String, String) {
    let run = run(agent);
    assert_eq!(run.exit, 4, "{}{}", run.stdout, run.stderr);
    let (id, summary, _, fix) = run.failures().remove(0);
    let place = fs::canonicalize(agent.path("")).unwrap();
    (id, summary.replace(place.to_str().unwrap(), ""), fix)
}

/// What is opened, to which mode, the check that fails, and how it ends.
const OPENED: &[(&str, u32, &str, &str)] = &[
    (
        "etc/config.json",
        0o666,
        "config.secret",
        "says where the token goes, and others can write it: its mode is 0666",
    ),
    ("etc/config.json", 0o664, "config.secret", "and its group can write it: its mode is 0664"),
    ("etc", 0o777, "config.secret", "somebody but its owner can replace it: /etc has the mode 0777"),
    ("etc", 0o775, "config.secret", "somebody but its owner can replace it: /etc has the mode 0775"),
    ("token/token", 0o640, "config.secret", ""),
    (
        "token/token",
        0o604,
        "config.secret",
        "holds the token, and others can read or write it: its mode is 0604",
    ),
    ("token", 0o757, "config.secret", "somebody but its owner can replace it: /token has the mode 0757"),
    ("ca/ca.pem", 0o646, "config.tls", "others can write it: its mode is 0646"),
    ("ca", 0o772, "config.tls", "somebody but its owner can replace it: /ca has the mode 0772"),
    ("", 0o777, "config.secret", "somebody but its owner can replace it: "),
];

#[test]
fn whatever_others_can_write_is_refused_until_its_repair_is_carried_out() {
    let node = Node::start(&[]);
    for (name, mode, id, reason) in OPENED {
        let agent = agent(&node);
        assert_eq!(run(&agent).exit, 0, "{name}");
        set_mode(&agent.path(name), *mode);
        if reason.is_empty() {
            assert_eq!(run(&agent).exit, 0, "the group is the agent's own");
            continue;
        }
        let (found, summary, fix) = refused(&agent);
        assert_eq!(&found, id, "{summary}");
        assert!(summary.contains(reason), "{name}: {summary}");
        assert!(Command::new("sh").args(["-c", &fix]).status().unwrap().success(), "{fix}");
        assert_eq!(run(&agent).exit, 0, "{fix}");
    }
    assert_eq!(node.count("connections"), 0);
}

#[test]
fn links_are_judged_by_where_they_lead() {
    let node = Node::start(&[]);
    let agent = agent(&node);
    let moved = |folder: &str| {
        fs::rename(agent.path("etc/config.json"), agent.path(folder).join("real.json")).unwrap();
        symlink(agent.path(folder).join("real.json"), agent.path("etc/config.json")).unwrap();
    };
    moved("ca");
    assert_eq!(run(&agent).exit, 0);
    set_mode(&agent.path("ca/real.json"), 0o666);
    assert_eq!(refused(&agent).0, "config.secret");
    set_mode(&agent.path("ca/real.json"), 0o644);
    set_mode(&agent.path("ca"), 0o777);
    let (id, summary, _) = refused(&agent);
    assert_eq!(id, "config.secret");
    assert!(summary.ends_with("somebody but its owner can replace it: /ca has the mode 0777"), "{summary}");
}

#[test]
fn an_access_list_that_lets_somebody_read_the_token_is_seen_behind_its_mode() {
    let node = Node::start(&[]);
    let agent = agent(&node);
    let token = agent.path("token/token");
    let flags = rustix::fs::XattrFlags::empty();
    if let Err(error) = rustix::fs::setxattr(&token, "system.posix_acl_access", NOBODY_READS, flags) {
        writeln!(std::io::stderr(), "SKIPPED an_access_list: {error}").unwrap();
        return;
    }
    assert_eq!(fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o640);
    let (id, summary, fix) = refused(&agent);
    assert_eq!(id, "config.secret");
    assert!(summary.ends_with("holds the token, and its access list lets user 65534 read it"), "{summary}");
    assert!(fix.starts_with(&format!("setfacl -b {} && ", token.display())), "{fix}");
}

#[test]
fn commands_of_this_host_go_by_no_configuration_that_others_can_write() {
    let agent = Agent::with_text("{}");
    agent.write("config.json", "{}", 0o666);
    for command in ["sensors", "disks"] {
        let run = agent.run(&[command]);
        assert_eq!(run.exit, 4, "{}", run.stderr);
        assert!(run.stderr.contains("others can write it: its mode is 0666"), "{}", run.stderr);
    }
}

#[test]
fn a_ca_file_may_hold_other_bytes_and_other_blocks() {
    let node = Node::start(&[]);
    let agent = agent(&node);
    let ca = fs::read(agent.path("ca/ca.pem")).unwrap();
    let odd = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n\
                -----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n";
    let fine = [
        [b"# Soci\xe9t\xe9\n", &ca[..]].concat(),
        [&ca[..], b"\xff\xfe\0"].concat(),
        [b"\xef\xbb\xbf", &ca[..]].concat(),
        String::from_utf8(ca.clone()).unwrap().replace('\n', "\r\n").into_bytes(),
        [odd, &ca[..]].concat(),
    ];
    for bytes in fine {
        fs::write(agent.path("ca/ca.pem"), bytes).unwrap();
        let path = agent.path("etc/config.json");
        let run = agent.run(&[
            "selftest",
            "-o",
            "json",
            "--only",
            "config,auth",
            "--config",
            path.to_str().unwrap(),
        ]);
        assert_eq!(run.exit, 0, "{}{}", run.stdout, run.stderr);
    }
    let detail = run(&agent).json()["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["id"] == "config.tls")
        .unwrap()["detail"]
        .to_string();
    assert!(detail.contains("certificate 1 is malformed"), "{detail}");
    assert!(detail.contains("block 2 is no CERTIFICATE but a EC PRIVATE KEY"), "{detail}");
}

#[test]
fn a_ca_file_in_another_form_is_told_with_what_turns_it_into_pem() {
    let node = Node::start(&[]);
    let agent = agent(&node);
    let path = agent.path("ca/ca.pem");
    let text = fs::read_to_string(&path).unwrap();
    let der =
        Command::new("openssl").args(["x509", "-outform", "DER", "-in"]).arg(&path).output().unwrap().stdout;
    let wide: Vec<u8> = [0xfe_ff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    let trusted =
        Command::new("openssl").args(["x509", "-trustout", "-in"]).arg(&path).output().unwrap().stdout;
    let cases = [
        (der, "is written in DER, and must be PEM"),
        (wide, "is written in UTF-16, and must be PEM"),
        (trusted, "block 1 is no CERTIFICATE but a TRUSTED CERTIFICATE"),
    ];
    for (bytes, reason) in cases {
        fs::write(&path, bytes).unwrap();
        let (id, summary, fix) = refused(&agent);
        assert_eq!(id, "config.tls");
        assert!(summary.ends_with(reason), "{summary}");
        assert!(Command::new("sh").args(["-c", &fix]).status().unwrap().success(), "{fix}");
        assert_eq!(run(&agent).exit, 0, "{fix}");
    }
}

//! Configurations that cannot be used, or that somebody else could have written: a clear error within a second and exit
//! code 4 before anything is sent, and no panic.
#![expect(clippy::disallowed_types, reason = "the tests carry repairs out")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::agent::{Agent, Run};
use crate::node::Node;

const JSON: [&str; 3] = ["selftest", "-o", "json"];

fn refused(run: &Run, id: &str, reason: &str) {
    let (found, summary, _, fix) = run.failures().remove(0);
    assert_eq!((run.exit, found.as_str()), (4, id), "{}", run.stdout);
    assert!(summary.contains(reason), "{summary}");
    assert!(!fix.is_empty());
    assert!(run.took < Duration::from_secs(1), "{:?}", run.took);
    assert!(!run.stderr.contains("internal error"), "{}", run.stderr);
}

#[test]
fn keys_and_values_that_are_wrong_are_told_with_line_and_column() {
    let cases = [
        ("{\"node\": \"pve1.lan\"}", "PVE uses the short host name"),
        ("{\"tls\": {\"pins\": [\"AB\"]}}", "is not a SHA-256 fingerprint"),
        ("{", "not JSON: EOF"),
        ("[\"https://a\", \"pve1\"]", "invalid type: sequence, expected an object"),
        ("{\"url\": \"http://a\", \"tls\": {\"insecure\": true}}", "must start with `https://`"),
        ("{}", "there is no default"),
    ];
    for (text, reason) in cases {
        refused(&Agent::with_text(text).run(&JSON), "config.file", reason);
    }
}

#[test]
fn files_that_are_no_configuration_are_refused_at_once() {
    let agent = Agent::with_text("{}");
    let at = |path: &str| agent.run(&["selftest", "-o", "json", "--config", path]);
    refused(&at("/nonexistent/config.json"), "config.file", "cannot be opened");
    refused(&at("/dev/zero"), "config.file", "is not a regular file");
    refused(&at("/"), "config.file", "is not a regular file");
    let fifo = agent.path("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    refused(&at(fifo.to_str().unwrap()), "config.file", "is not a regular file");
    let huge = agent.path("huge");
    fs::File::create(&huge).unwrap().set_len(1 << 30).unwrap();
    refused(&at(huge.to_str().unwrap()), "config.file", "is larger than 1048576 bytes");
    let binary = agent.write("binary", "", 0o600);
    fs::write(&binary, [0xff, 0xfe, 0]).unwrap();
    refused(&at(binary.to_str().unwrap()), "config.file", "is not UTF-8 text");
    let deep = agent.write("deep", &"[".repeat(500_000), 0o600);
    refused(&at(deep.to_str().unwrap()), "config.file", "invalid type: sequence");
}

#[test]
fn variables_that_are_wrong_are_named() {
    let node = Node::start(&[]);
    let with = |name: &str, value: &str| Agent::of(&node).set(name, value).run(&JSON);
    refused(
        &with("FELHOM_AGENT_URLL", "x"),
        "config.file",
        "FELHOM_AGENT_URLL: unknown; did you mean FELHOM_AGENT_URL?",
    );
    refused(&with("FELHOM_AGENT_TLS__INSECURE", "1"), "config.file", "must be true or false");
    refused(&with("FELHOM_AGENT_POOL", ""), "config.file", "is empty; give it a value, or unset it");
    refused(&with("FELHOM_AGENT_CONFIG", ""), "config.file", "FELHOM_AGENT_CONFIG: is empty");
    refused(&with("FELHOM_AGENT_STATE_DIR", "state"), "config.file", "must begin with `/`");
    refused(&with("FELHOM_AGENT_SELFTEST__VMID", "99"), "config.file", "is not a VMID");
    assert_eq!(with("FELHOM_AGENT_NODE", "pve2").failures()[0].0, "node.exists");
}

#[test]
fn a_token_that_others_could_read_or_replace_is_refused() {
    let node = Node::start(&[]);
    let agent = Agent::of(&node);
    agent.write("config.json", &Agent::config(&node).to_string(), 0o644);
    refused(&agent.run(&JSON), "config.secret", "others can read or write it");
    agent.write("config.json", &Agent::config(&node).to_string(), 0o660);
    refused(&agent.run(&JSON), "config.secret", "its group can write it");
    agent.write("config.json", &Agent::config(&node).to_string(), 0o640);
    assert_eq!(agent.run(&JSON).exit, 0);
}

#[test]
fn the_token_comes_from_a_file_a_variable_or_a_credential() {
    let node = Node::start(&[]);
    let mut config = Agent::config(&node);
    config.as_object_mut().unwrap().remove("token");
    let agent = Agent::with(&config);
    refused(&agent.run(&JSON), "config.secret", "no token");
    let file = agent.write("token", &format!("{}\n", node.facts.token), 0o600);
    let directory = file.parent().unwrap().to_str().unwrap().to_owned();
    let credential = agent.set("CREDENTIALS_DIRECTORY", &directory).run(&JSON);
    assert_eq!(
        (credential.exit, credential.check("config.secret").0.as_str()),
        (0, "ok"),
        "{}",
        credential.stdout
    );
    let variable = Agent::with(&config).set("FELHOM_AGENT_TOKEN", &node.facts.token).run(&JSON);
    assert_eq!(
        (variable.exit, variable.check("config.secret").0.as_str()),
        (0, "warn"),
        "{}",
        variable.stdout
    );
    let holder = Agent::with(&config);
    config["token_file"] = json!(holder.write("token", &node.facts.token, 0o600));
    assert_eq!(Agent::with(&config).run(&JSON).exit, 0);
}

#[test]
fn a_malformed_token_says_which_part_is_wrong() {
    let node = Node::start(&[]);
    let uuid = node.facts.token.split('=').nth(1).unwrap().to_owned();
    let cases = [
        (uuid.clone(), "only the secret"),
        (format!("felhom!agent={uuid}"), "no `@realm`"),
        (format!("felhom@pve={uuid}"), "no `!name`"),
        (format!("'felhom@pve!agent={uuid}'"), "quotes around it"),
        (format!("{uuid}=felhom@pve!agent"), "swapped"),
        (format!("felhom@pve!agent={uuid}\n"), "a blank, a newline"),
    ];
    for (token, reason) in cases {
        let mut config = Agent::config(&node);
        config["token"] = json!(token);
        let run = Agent::with(&config).run(&JSON);
        refused(&run, "config.secret", reason);
        assert!(!run.stdout.contains(&uuid), "{}", run.stdout);
    }
}

#[test]
fn what_nobody_sees_in_a_token_is_named_and_nothing_is_sent() {
    let node = Node::start(&[]);
    let mut config = Agent::config(&node);
    config.as_object_mut().unwrap().remove("token");
    let token = &node.facts.token;
    let cases = [
        (format!("\u{feff}{token}\n"), "U+FEFF, as character 1"),
        (token.replace('@', "\u{200b}@"), "U+200B, as character 7"),
        (format!("{token}\u{2060}"), "U+2060, as character 54"),
        (token.replace('=', "\u{a0}="), "U+00A0, as character 17"),
        (token.replacen('-', "\u{2011}", 1), "holds U+2011, as character 26"),
    ];
    for (text, reason) in cases {
        let agent = Agent::with(&config);
        let file = agent.write("token", &text, 0o600);
        let run = agent.set("FELHOM_AGENT_TOKEN_FILE", file.to_str().unwrap()).run(&JSON);
        refused(&run, "config.secret", reason);
        let mut config = Agent::config(&node);
        config["token"] = json!(text.trim_end());
        refused(&Agent::with(&config).run(&JSON), "config.secret", reason);
    }
    assert_eq!(node.count("connections"), 0);
}

#[test]
fn token_files_are_not_followed_through_links() {
    let node = Node::start(&[]);
    let mut config = Agent::config(&node);
    config.as_object_mut().unwrap().remove("token");
    let agent = Agent::with(&config);
    let file = agent.write("token", &node.facts.token, 0o600);
    let link = agent.path("link");
    symlink(&file, &link).unwrap();
    let run = agent.set("FELHOM_AGENT_TOKEN_FILE", link.to_str().unwrap()).run(&JSON);
    refused(&run, "config.secret", "cannot be opened");
}

#[test]
fn a_repair_never_changes_a_folder_that_is_not_the_agents() {
    let node = Node::start(&[]);
    let mut config = Agent::config(&node);
    config.as_object_mut().unwrap().remove("token");
    let agent = Agent::with(&config);
    let folder = agent.path("shared");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o1777)).unwrap();
    let file = agent.write("shared/token", &node.facts.token, 0o600);
    let run = agent.set("FELHOM_AGENT_TOKEN_FILE", file.to_str().unwrap()).run(&JSON);
    refused(&run, "config.secret", "it lies in a directory where somebody but its owner can replace it");
    let fix = &run.failures()[0].3;
    assert!(fix.starts_with("install -D -m "), "{fix}");
    assert!(fix.ends_with(&format!(" {} /etc/felhom-agent/token", file.display())), "{fix}");
}

const CONFIG: [&str; 5] = ["selftest", "-o", "json", "--only", "config"];

/// An access list: the owner 6, user 65534 4, the group 0, the mask 4, others 0.
const NOBODY_READS: &[u8] =
    b"\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x02\0\x04\0\xfe\xff\0\0\x04\0\0\0\xff\xff\xff\xff\
                              \x10\0\x04\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff";

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// An agent that is told by folders: `etc/config.json`, `token/token` and `ca/ca.pem`.
fn in_folders(node: &Node) -> Agent {
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

fn checked(agent: &Agent) -> Run {
    let path = agent.path("etc/config.json");
    agent.run(&[&CONFIG[..], &["--config", path.to_str().unwrap()]].concat())
}

/// The check that failed, what it says with the place left out, and its first repair.
fn refusal(agent: &Agent) -> (String, String, String) {
    let run = checked(agent);
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
        let agent = in_folders(&node);
        assert_eq!(checked(&agent).exit, 0, "{name}");
        set_mode(&agent.path(name), *mode);
        if reason.is_empty() {
            assert_eq!(checked(&agent).exit, 0, "the group is the agent's own");
            continue;
        }
        let (found, summary, fix) = refusal(&agent);
        assert_eq!(&found, id, "{summary}");
        assert!(summary.contains(reason), "{name}: {summary}");
        assert!(Command::new("sh").args(["-c", &fix]).status().unwrap().success(), "{fix}");
        assert_eq!(checked(&agent).exit, 0, "{fix}");
    }
    assert_eq!(node.count("connections"), 0);
}

#[test]
fn links_are_judged_by_where_they_lead() {
    let node = Node::start(&[]);
    let agent = in_folders(&node);
    let moved = |folder: &str| {
        fs::rename(agent.path("etc/config.json"), agent.path(folder).join("real.json")).unwrap();
        symlink(agent.path(folder).join("real.json"), agent.path("etc/config.json")).unwrap();
    };
    moved("ca");
    assert_eq!(checked(&agent).exit, 0);
    set_mode(&agent.path("ca/real.json"), 0o666);
    assert_eq!(refusal(&agent).0, "config.secret");
    set_mode(&agent.path("ca/real.json"), 0o644);
    set_mode(&agent.path("ca"), 0o777);
    let (id, summary, _) = refusal(&agent);
    assert_eq!(id, "config.secret");
    assert!(summary.ends_with("somebody but its owner can replace it: /ca has the mode 0777"), "{summary}");
}

#[test]
fn an_access_list_that_lets_somebody_read_the_token_is_seen_behind_its_mode() {
    let node = Node::start(&[]);
    let agent = in_folders(&node);
    let token = agent.path("token/token");
    let flags = rustix::fs::XattrFlags::empty();
    if let Err(error) = rustix::fs::setxattr(&token, "system.posix_acl_access", NOBODY_READS, flags) {
        writeln!(std::io::stderr(), "SKIPPED an_access_list: {error}").unwrap();
        return;
    }
    assert_eq!(fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o640);
    let (id, summary, fix) = refusal(&agent);
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
    let agent = in_folders(&node);
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
        let only = ["selftest", "-o", "json", "--only", "config,auth", "--config"];
        let run = agent.run(&[&only[..], &[path.to_str().unwrap()]].concat());
        assert_eq!(run.exit, 0, "{}{}", run.stdout, run.stderr);
    }
    let report = checked(&agent).json();
    let mut checks = report["checks"].as_array().unwrap().iter();
    let detail = checks.find(|check| check["id"] == "config.tls").unwrap()["detail"].to_string();
    assert!(detail.contains("certificate 1 is malformed"), "{detail}");
    assert!(detail.contains("block 2 is no CERTIFICATE but a EC PRIVATE KEY"), "{detail}");
}

#[test]
fn a_ca_file_in_another_form_is_told_with_what_turns_it_into_pem() {
    let node = Node::start(&[]);
    let agent = in_folders(&node);
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
        let (id, summary, fix) = refusal(&agent);
        assert_eq!(id, "config.tls");
        assert!(summary.ends_with(reason), "{summary}");
        assert!(Command::new("sh").args(["-c", &fix]).status().unwrap().success(), "{fix}");
        assert_eq!(checked(&agent).exit, 0, "{fix}");
    }
}

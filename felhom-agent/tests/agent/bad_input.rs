//! Configurations that cannot be used: a clear error within a second, exit code 4, and no panic.

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
        ("{\n \"urll\": \"https://a\"\n}", "config.json:2:7: unknown key `urll`; did you mean `url`?"),
        ("{\"node\": 7}", "config.json:1:10: `node`: invalid type: integer `7`"),
        ("{\"node\": \"pve1.lan\"}", "PVE uses the short host name"),
        ("{\"node\": \"a\", \"node\": \"b\"}", "duplicate field `node`"),
        ("{\"tls\": {\"pins\": [\"AB\"]}}", "is not a SHA-256 fingerprint"),
        ("{", "not JSON: EOF"),
        ("", "not JSON: EOF"),
        ("\u{feff}{}", "byte order mark"),
        ("[]", "invalid type: sequence, expected an object"),
        ("[\"https://a\", \"pve1\"]", "invalid type: sequence, expected an object"),
        ("{\"url\": NaN}", "not JSON"),
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
    std::fs::File::create(&huge).unwrap().set_len(1 << 30).unwrap();
    refused(&at(huge.to_str().unwrap()), "config.file", "is larger than 1048576 bytes");
    let binary = agent.write("binary", "", 0o600);
    std::fs::write(&binary, [0xff, 0xfe, 0]).unwrap();
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
    std::os::unix::fs::symlink(&file, &link).unwrap();
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
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o1777)).unwrap();
    let file = agent.write("shared/token", &node.facts.token, 0o600);
    let run = agent.set("FELHOM_AGENT_TOKEN_FILE", file.to_str().unwrap()).run(&JSON);
    refused(&run, "config.secret", "it lies in a directory where somebody but its owner can replace it");
    let fix = &run.failures()[0].3;
    assert!(fix.starts_with("install -D -m "), "{fix}");
    assert!(fix.ends_with(&format!(" {} /etc/felhom-agent/token", file.display())), "{fix}");
}

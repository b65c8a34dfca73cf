//! The agent's binary with a configuration of its own.
#![expect(clippy::disallowed_types, reason = "the tests start the agent")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::node::Node;

/// A configuration in a folder that nobody else can read.
pub(crate) struct Agent {
    directory: TempDir,
    environment: Vec<(String, String)>,
}

impl Agent {
    /// An agent for a node, trusting its certificate by pin.
    pub(crate) fn of(node: &Node) -> Self {
        Self::changed(node, &json!({}))
    }

    /// The same with these keys instead; null leaves one out.
    pub(crate) fn changed(node: &Node, changes: &Value) -> Self {
        let agent = Self::with_text("{}");
        agent.configure(node, changes);
        agent
    }

    /// Writes the configuration of an agent for a node, with these keys instead.
    pub(crate) fn configure(&self, node: &Node, changes: &Value) {
        let mut config = Self::config(node);
        config["state_dir"] = json!(self.path("state"));
        merge(&mut config, changes);
        self.write("config.json", &config.to_string(), 0o600);
    }

    /// What the configuration of an agent for a node holds.
    pub(crate) fn config(node: &Node) -> Value {
        json!({
            "url": node.facts.url, "node": "pve1", "token": node.facts.token,
            "tls": { "pins": [node.facts.fingerprint] }, "pool": "felhom",
            "storages": ["local", "local-btrfs"], "bridges": ["vmbr0"], "selftest": { "vmid": 300 },
        })
    }

    pub(crate) fn with_text(text: &str) -> Self {
        let agent = Self { directory: tempfile::tempdir().unwrap(), environment: Vec::new() };
        agent.write("config.json", text, 0o600);
        agent
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// Runs a shell script in a folder of the agent's.
    pub(crate) fn shell(&self, folder: &str, script: &str) {
        let status = Command::new("sh").args(["-ec", script]).current_dir(self.path(folder)).status();
        assert!(status.unwrap().success(), "{script}");
    }

    /// The command, with a clean environment and the configuration.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        // The tests may run where signals are ignored, as nohup and scripts make it, and children inherit that.
        let mut command = Command::new("/usr/bin/env");
        command
            .arg("--default-signal=INT,TERM,HUP")
            .arg(env!("CARGO_BIN_EXE_felhom-agent"))
            .args(words)
            .env_clear()
            .env("FELHOM_AGENT_CONFIG", self.path("config.json"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs the agent; the words are separated by blanks.
    pub(crate) fn run(&self, line: &str) -> Run {
        self.run_words(&line.split(' ').collect::<Vec<_>>())
    }

    pub(crate) fn run_words(&self, words: &[&str]) -> Run {
        let start = Instant::now();
        let output = self.command(words).output().unwrap();
        Run::new(output, start.elapsed())
    }

    /// Starts the agent.
    pub(crate) fn start(&self, line: &str) -> Running {
        Running::start(&mut self.command(&line.split(' ').collect::<Vec<_>>()))
    }
}

/// An agent that runs.
pub(crate) struct Running {
    pub(crate) child: Child,
    stderr: BufReader<ChildStderr>,
    since: Instant,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stderr, since: Instant::now() }
    }

    /// Waits for a line on stderr.
    pub(crate) fn until(mut self, wanted: &str) -> Self {
        let mut line = String::new();
        while line.trim_end() != wanted {
            line.clear();
            assert_ne!(self.stderr.read_line(&mut line).unwrap(), 0, "{wanted} was never said");
        }
        self
    }

    /// Sends a signal after this time; the time that the run takes is counted from here.
    pub(crate) fn signal(mut self, after: u64, signal: Signal) -> Self {
        std::thread::sleep(Duration::from_millis(after));
        self.since = Instant::now();
        kill_process(Pid::from_raw(self.child.id().try_into().unwrap()).unwrap(), signal).unwrap();
        self
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Run {
        let mut stderr = String::new();
        self.stderr.read_to_string(&mut stderr).unwrap();
        let run = Run::new(self.child.wait_with_output().unwrap(), self.since.elapsed());
        Run { stderr, ..run }
    }
}

/// What a run printed, and how it ended.
pub(crate) struct Run {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Run {
    pub(crate) fn new(output: Output, took: Duration) -> Self {
        let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        Self { exit: output.status.code().unwrap_or(-1), stdout, stderr, took }
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn ends(self, exit: i32) -> Self {
        assert_eq!(self.exit, exit, "{}{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that it took less than so many seconds.
    #[track_caller]
    pub(crate) fn within(self, seconds: u64) -> Self {
        assert!(self.took < Duration::from_secs(seconds), "took {:?}", self.took);
        self
    }

    /// The one JSON document on stdout.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }

    /// The findings of a check.
    pub(crate) fn findings(&self, id: &str) -> Vec<Value> {
        let report = self.json();
        let checks = report["checks"].as_array().unwrap().iter();
        checks.filter(|check| check["id"] == id).cloned().collect()
    }

    /// Status and summary of a check.
    pub(crate) fn check(&self, id: &str) -> (String, String) {
        let findings = self.findings(id);
        let finding = findings.first().unwrap_or_else(|| panic!("no {id} in {}", self.stdout));
        (text(&finding["status"]), text(&finding["summary"]))
    }

    /// Every finding that failed: id, summary and first fix, or `look` and the first command that shows.
    pub(crate) fn failures(&self) -> Vec<(String, String, String)> {
        let report = self.json();
        let failed = report["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "fail");
        let command = |check: &Value| match &check["fix"] {
            Value::Null => format!("look {}", text(&check["look"][0]["run"])),
            fixes => text(&fixes[0]["run"]),
        };
        failed.map(|check| (text(&check["id"]), text(&check["summary"]), command(check))).collect()
    }
}

/// Text in JSON, or nothing.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Puts keys in the place of others; null takes one away.
pub(crate) fn merge(config: &mut Value, changes: &Value) {
    for (key, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(config.as_object_mut().unwrap().remove(key)),
            value => config[key] = value.clone(),
        }
    }
}

/// What is at the container: its snapshots and its tags.
pub(crate) fn state(node: &Node) -> (Value, Value) {
    (node.ask("snapshots 300"), node.ask("config 300")["tags"].clone())
}

pub(crate) fn clean() -> (Value, Value) {
    (json!([]), json!("felhom-selftest"))
}

impl Node {
    /// A node that was told these things.
    pub(crate) fn told(commands: &[&str]) -> Self {
        let node = Self::start("");
        for command in commands {
            node.tell(command);
        }
        node
    }

    /// Tells the node something.
    #[track_caller]
    pub(crate) fn tell(&self, command: &str) {
        assert_eq!(self.ask(command), Value::Null, "{command}");
    }

    /// Makes the token of the agent one that is refused, which takes 3 s each time.
    pub(crate) fn refuse_token(&self) {
        self.tell("secret felhom@pve!agent 00000000-0000-0000-0000-000000000000");
    }
}

/// A node that was told these things, and an agent for it.
pub(crate) fn world(commands: &[&str]) -> (Node, Agent) {
    let node = Node::told(commands);
    let agent = Agent::of(&node);
    (node, agent)
}

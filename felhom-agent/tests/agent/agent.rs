//! The agent's binary with a configuration of its own.
#![expect(clippy::disallowed_types, reason = "the tests start the node and the agent")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
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

/// What a run printed, and how it ended.
pub(crate) struct Run {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Agent {
    /// An agent for a node, trusting its certificate by pin.
    pub(crate) fn of(node: &Node) -> Self {
        Self::with(&Self::config(node))
    }

    /// What the configuration of an agent for a node holds.
    pub(crate) fn config(node: &Node) -> Value {
        json!({
            "url": node.facts.url, "node": "pve1", "token": node.facts.token,
            "tls": { "pins": [node.facts.fingerprint] }, "pool": "felhom",
            "storages": ["local", "local-btrfs"], "bridges": ["vmbr0"], "selftest": { "vmid": 300 },
        })
    }

    /// With a state folder of its own unless the configuration names one.
    pub(crate) fn with(config: &Value) -> Self {
        let agent = Self::with_text("{}");
        let mut config = config.clone();
        if config["state_dir"].is_null() {
            config["state_dir"] = json!(agent.path("state"));
        }
        agent.write("config.json", &config.to_string(), 0o600);
        agent
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

    /// The command, with a clean environment and the configuration.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        // The tests may run where signals are ignored, as nohup and scripts make it, and children inherit that.
        let mut command = Command::new("/usr/bin/env");
        command
            .arg("--default-signal=INT,TERM,HUP")
            .arg(env!("CARGO_BIN_EXE_felhom-agent"))
            .args(arguments)
            .env_clear()
            .env("FELHOM_AGENT_CONFIG", self.path("config.json"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let start = Instant::now();
        let output = self.command(arguments).output().unwrap();
        Run::new(output, start.elapsed())
    }
}

impl Run {
    pub(crate) fn new(output: Output, took: Duration) -> Self {
        Self {
            exit: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            took,
        }
    }

    /// The one JSON document on stdout.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }

    /// Status and summary of a check.
    pub(crate) fn check(&self, id: &str) -> (String, String) {
        let report = self.json();
        let check = report["checks"].as_array().unwrap().iter().find(|check| check["id"] == id);
        let check = check.unwrap_or_else(|| panic!("no {id} in {}", self.stdout));
        let text = |key: &str| check[key].as_str().unwrap().to_owned();
        (text("status"), text("summary"))
    }

    /// Every finding that failed: id, summary, detail and first fix, or `look` and the first command that shows.
    pub(crate) fn failures(&self) -> Vec<(String, String, String, String)> {
        let report = self.json();
        let failed = report["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "fail");
        failed
            .map(|check| {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let command = match &check["fix"] {
                    Value::Null => format!("look {}", text(&check["look"][0]["run"])),
                    fixes => text(&fixes[0]["run"]),
                };
                (text(&check["id"]), text(&check["summary"]), text(&check["detail"]), command)
            })
            .collect()
    }
}

/// What is at the container: its snapshots and its tags.
pub(crate) fn state(node: &Node) -> (Value, Value) {
    (node.ask("snapshots 300"), node.ask("config 300")["tags"].clone())
}

pub(crate) fn clean() -> (Value, Value) {
    (json!([]), json!("felhom-selftest"))
}

/// Sends a signal to a process that was started.
pub(crate) fn send(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

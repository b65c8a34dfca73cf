//! The agent's binary on the host of the test.
#![expect(clippy::disallowed_types, reason = "the tests start the agent")]

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::contained::AGENT;

/// Where the agent looks for its configuration.
pub(crate) const CONFIG: &str = "/etc/felhom-agent/config.json";

/// What a run printed, and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The binary with arguments, without anything of this process's environment.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(AGENT);
    command.args(args).env_clear().current_dir("/").stdin(Stdio::null());
    command
}

/// Runs the binary, its arguments in one line.
pub(crate) fn agent(line: &str) -> Run {
    let output = command(&line.split(' ').collect::<Vec<_>>()).output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    Run { exit: output.status.code().unwrap(), stdout, stderr }
}

/// A run that had nothing to complain about, and printed this.
pub(crate) fn fine(stdout: &str) -> Run {
    Run { exit: 0, stdout: stdout.into(), stderr: String::new() }
}

/// Runs the binary for a document, and tells how it ended.
pub(crate) fn document(line: &str) -> (i32, Value) {
    let run = agent(&format!("{line} -o json"));
    let document = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    (run.exit, document)
}

/// Asserts that a command comes to no result: a line on stderr, and a document on stdout if one is wanted.
pub(crate) fn assert_problem(line: &str, exit: i32, problem: &str) {
    let stderr = format!("felhom-agent: {problem}\n");
    assert_eq!(agent(line), Run { exit, stdout: String::new(), stderr });
    let told = serde_json::json!({ "schema": "felhom.problem/1", "problem": problem, "exit": exit });
    assert_eq!(document(line), (exit, told));
}

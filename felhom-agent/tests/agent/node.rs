//! A served simulated node, as a process of its own that ends with its handle.
#![expect(clippy::disallowed_types, reason = "the tests start the node and the agent")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

/// A node that listens on loopback.
pub(crate) struct Node {
    child: Child,
    replies: Mutex<BufReader<ChildStdout>>,
    pub(crate) facts: Facts,
    _directory: TempDir,
}

/// What the node says of itself.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Facts {
    pub(crate) url: String,
    pub(crate) fingerprint: String,
    pub(crate) ca_file: String,
    pub(crate) token: String,
}

impl Node {
    /// A node with these arguments, separated by blanks.
    pub(crate) fn start(arguments: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_felhom-agent")).with_file_name("examples/simulated-node");
        assert!(
            program.exists(),
            "the example simulated-node is not built: run cargo test without --test, or build it"
        );
        let mut child = Command::new(program)
            .args(["--directory", directory.path().to_str().unwrap()])
            .args(arguments.split_whitespace())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut replies = BufReader::new(child.stdout.take().unwrap());
        let facts = serde_json::from_value(line(&mut replies)).unwrap();
        Self { child, replies: Mutex::new(replies), facts, _directory: directory }
    }

    /// Asks the node something; see the example's `control`.
    pub(crate) fn ask(&self, command: &str) -> Value {
        let mut replies = self.replies.lock().unwrap();
        let mut stdin = self.child.stdin.as_ref().unwrap();
        writeln!(stdin, "{command}").unwrap();
        line(&mut replies)
    }

    /// A counter of what was seen on the wire.
    pub(crate) fn count(&self, counter: &str) -> u64 {
        self.ask("stats")[counter].as_u64().unwrap()
    }
}

fn line(replies: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    replies.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

impl Drop for Node {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

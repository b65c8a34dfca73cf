//! The server as its parent sees it: it ends with this handle.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tempfile::TempDir;

use super::{Manners, Seen};
use crate::Res;

/// What the server says of itself.
#[derive(Deserialize)]
struct Facts {
    port: u16,
    token: String,
    authority: String,
}

/// A server that runs.
pub(crate) struct Server {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    folder: TempDir,
    pub(crate) port: u16,
    pub(crate) token: String,
}

impl Server {
    /// Starts one with these manners, and writes the configuration of a client of it.
    pub(crate) fn start(manners: &Manners) -> Res<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "--service", &manners.service.to_string()]);
        command.args(["--workers", &manners.workers.to_string()]);
        command.args(manners.keep.then_some("--keep"));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let questions = process.stdin.take().ok_or("no stdin")?;
        let mut answers = BufReader::new(process.stdout.take().ok_or("no stdout")?);
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let Facts { port, token, authority } = serde_json::from_str(&line)?;
        let folder = tempfile::Builder::new().prefix("bench-").tempdir()?;
        std::fs::write(folder.path().join("ca.pem"), authority)?;
        let server = Self { process, questions, answers, folder, port, token };
        server.write_configuration()?;
        Ok(server)
    }

    /// The manners of pveproxy, without any delay.
    pub(crate) fn pveproxy() -> Res<Self> {
        Self::start(&Manners { keep: false, service: 0, workers: 3 })
    }

    /// As fast as it can, and no connection ever closes.
    pub(crate) fn fast() -> Res<Self> {
        Self::start(&Manners { keep: true, service: 0, workers: 3 })
    }

    /// The configuration of the agent, which lies beside `ca.pem`.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.folder.path().join("agent.json")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn write_configuration(&self) -> Res<()> {
        use std::os::unix::fs::PermissionsExt;
        let path = self.configuration();
        let text = json!({
            "url": format!("https://127.0.0.1:{}", self.port), "node": "pve1", "token": self.token,
            "tls": { "ca_file": self.folder.path().join("ca.pem") },
            "pool": "felhom", "storages": ["local", "local-btrfs"], "bridges": ["vmbr0"],
            "state_dir": self.folder.path().join("state"), "selftest": { "vmid": 300 },
        });
        std::fs::write(&path, text.to_string())?;
        Ok(std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?)
    }

    fn ask<T: DeserializeOwned>(&mut self, question: &str) -> Res<T> {
        writeln!(self.questions, "{question}")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }

    /// What was seen since this was asked before.
    pub(crate) fn seen(&mut self) -> Res<Seen> {
        self.ask("seen")
    }

    /// What was asked for since this was asked before; the first thousand.
    pub(crate) fn targets(&mut self) -> Res<Vec<String>> {
        self.ask("targets")
    }

    /// Starts tasks that last so many milliseconds, and gives their UPIDs.
    pub(crate) fn start_tasks(&mut self, count: u64, milliseconds: u64) -> Res<Vec<String>> {
        self.ask(&format!("tasks {count} {milliseconds}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ended = self.process.kill().and_then(|()| self.process.wait());
    }
}

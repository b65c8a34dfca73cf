//! `demo`: the real agent against the simulated node, over TLS with a pinned certificate.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use snafu::{OptionExt, ResultExt, Whatever, ensure_whatever};
use tempfile::TempDir;

/// What is built: the binary that ships, and the node. Each on its own, so that nothing of the node is in the binary.
const BUILDS: [&[&str]; 2] = [
    &["build", "--locked", "--package", "felhom-agent", "--bin", "felhom-agent"],
    &["build", "--locked", "--package", "felhom-agent", "--example", "simulated-node"],
];

/// What the agent is asked to do.
/// The host that this runs on is no PVE host, so its sudo rules and its disks are left out.
const RUNS: [&[&str]; 2] = [&["selftest", "--task"], &["selftest", "--skip", "sudo,host"]];

/// What the simulated node says of itself.
#[derive(Debug, Deserialize)]
struct Facts {
    url: String,
    node: String,
    fingerprint: String,
    token: String,
}

/// The simulated node, which ends with this handle or with this process.
struct Node {
    process: Child,
    facts: Facts,
}

pub(crate) fn run() -> Result<ExitCode, Whatever> {
    // Ctrl-C reaches the agent as well, which undoes what it did; then the node and the folder go as always.
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let heard = flag::register(signal, Arc::default());
        heard.whatever_context("cannot listen for signals")?;
    }
    for arguments in BUILDS {
        let built = Command::new(env!("CARGO")).args(arguments).status();
        ensure_whatever!(built.whatever_context("cannot start cargo")?.success(), "the build failed");
    }
    let target = target_folder()?;
    let folder = tempfile::Builder::new().prefix("demo-").tempdir_in(&target);
    let folder = folder.with_whatever_context(|_| format!("cannot make a folder in {}", target.display()))?;
    let node = Node::start(&target, &folder)?;
    let config = write_config(&node.facts, &folder)?;
    println!("a simulated PVE 9.2 node listens at {}; the certificate is", node.facts.url);
    println!("{}", node.facts.fingerprint);
    for arguments in RUNS {
        println!("\n$ felhom-agent {}\n", arguments.join(" "));
        let agent =
            agent(&target.join("debug/felhom-agent")).arg("--config").arg(&config).args(arguments).status();
        let end = agent.whatever_context("cannot start the agent")?;
        if !end.success() {
            return Ok(ExitCode::FAILURE);
        }
    }
    println!("\nboth modes of the self-test passed, and nothing failed");
    Ok(ExitCode::SUCCESS)
}

/// Where cargo builds: this program lies in it.
fn target_folder() -> Result<PathBuf, Whatever> {
    let program = env::current_exe().whatever_context("this program has no path")?;
    let folder = program.parent().and_then(Path::parent);
    Ok(folder.whatever_context("this program is not in a target folder")?.to_owned())
}

/// The agent, with a clean slate of its own variables.
fn agent(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FELHOM_AGENT_")) {
        command.env_remove(name);
    }
    command.env_remove("CREDENTIALS_DIRECTORY");
    command
}

/// Writes the configuration that an operator would write, for nobody else to read.
fn write_config(facts: &Facts, folder: &TempDir) -> Result<PathBuf, Whatever> {
    let path = folder.path().join("config.json");
    let config = json!({
        "url": facts.url, "node": facts.node, "token": facts.token, "tls": { "pins": [facts.fingerprint] },
        "pool": "felhom", "storages": ["local", "local-btrfs"], "bridges": ["vmbr0"],
        "state_dir": folder.path().join("state"), "selftest": { "vmid": 300 },
    });
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    let written = file.and_then(|mut file| writeln!(file, "{config:#}"));
    written.with_whatever_context(|_| format!("cannot write {}", path.display()))?;
    Ok(path)
}

impl Node {
    fn start(target: &Path, folder: &TempDir) -> Result<Self, Whatever> {
        let files = folder.path().join("node");
        fs::create_dir(&files).whatever_context("cannot make a folder for the node")?;
        let program = target.join("debug/examples/simulated-node");
        let mut process = Command::new(program)
            .arg("--directory")
            .arg(files)
            // It ends when this pipe does, even if this process is killed.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A group of its own, so that Ctrl-C leaves it to the agent, which still needs it.
            .process_group(0)
            .spawn()
            .whatever_context("cannot start the simulated node")?;
        let mut line = String::new();
        let stdout = process.stdout.take().whatever_context("the simulated node has no stdout")?;
        BufReader::new(stdout).read_line(&mut line).whatever_context("the simulated node is silent")?;
        let facts = serde_json::from_str(&line).whatever_context("the simulated node ended at once")?;
        Ok(Self { process, facts })
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ended = self.process.kill().and_then(|()| self.process.wait());
    }
}

//! `demo` and `histories`: the agent and the simulated node. The demo runs the real agent, over TLS with a pinned
//! certificate; histories are random ones, in virtual time, built for speed.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use snafu::{OptionExt, ResultExt, Whatever, ensure_whatever};

/// What `cargo xtask histories` can be told.
#[derive(Debug, Args)]
pub(crate) struct HistoriesArguments {
    /// How many seeds are played
    #[arg(long, default_value_t = 100_000)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Plays this seed alone, and shows all of it
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
}

pub(crate) fn histories(arguments: &HistoriesArguments) -> Result<ExitCode, Whatever> {
    let chosen = match arguments.seed {
        Some(seed) => vec![format!("--seed={seed}")],
        None => vec![format!("--seeds={}", arguments.seeds), format!("--from={}", arguments.from)],
    };
    let options = "run --quiet --locked --profile=histories --package=felhom-agent --example=histories --";
    cargo(options, &chosen)
}

/// Runs cargo with these words, which single blanks separate, and these arguments.
pub(crate) fn cargo(words: &str, arguments: &[String]) -> Result<ExitCode, Whatever> {
    let status = Command::new(env!("CARGO")).args(words.split(' ')).args(arguments).status();
    let passes = status.whatever_context("cannot start cargo")?.success();
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is built: the binary that ships, and the node. Each on its own, so that nothing of the node is in the binary.
const BUILDS: [&str; 2] = [
    "build --locked --package felhom-agent --bin felhom-agent",
    "build --locked --package felhom-agent --example simulated-node",
];

/// What the agent is asked to do.
/// The host that this runs on is no PVE host, so its sudo rules and its disks are left out.
const RUNS: [&str; 2] = ["selftest --task", "selftest --skip sudo,host"];

pub(crate) fn demo() -> Result<ExitCode, Whatever> {
    // Ctrl-C reaches the agent as well, which undoes what it did; then the node and the folder go as always.
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register(signal, Arc::default()).whatever_context("cannot listen for signals")?;
    }
    for words in BUILDS {
        ensure_whatever!(cargo(words, &[])? == ExitCode::SUCCESS, "the build failed");
    }
    let program = env::current_exe().whatever_context("this program has no path")?;
    let built = program.parent().whatever_context("this program is not in a target folder")?;
    let folder = tempfile::Builder::new().prefix("demo-").tempdir_in(built);
    let folder = folder.with_whatever_context(|_| format!("cannot make a folder in {}", built.display()))?;
    let (node, facts) = SimulatedNode::start(built, folder.path())?;
    let config = write_config(&facts, folder.path())?;
    let said = |fact: &str| facts.get(fact).and_then(Value::as_str).unwrap_or_default();
    println!(
        "a simulated PVE 9.2 node listens at {}; the certificate is\n{}",
        said("url"),
        said("fingerprint")
    );
    for words in RUNS {
        println!("\n$ felhom-agent {words}\n");
        let agent = agent(built).arg("--config").arg(&config).args(words.split(' ')).status();
        if !agent.whatever_context("cannot start the agent")?.success() {
            return Ok(ExitCode::FAILURE);
        }
    }
    drop(node);
    println!("\nboth modes of the self-test passed, and nothing failed");
    Ok(ExitCode::SUCCESS)
}

/// The agent, with a clean slate of its own variables.
fn agent(built: &Path) -> Command {
    let mut command = Command::new(built.join("felhom-agent"));
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FELHOM_AGENT_")) {
        command.env_remove(name);
    }
    command.env_remove("CREDENTIALS_DIRECTORY");
    command
}

/// Writes the configuration that an operator would write, for nobody else to read.
fn write_config(facts: &Value, folder: &Path) -> Result<PathBuf, Whatever> {
    let path = folder.join("config.json");
    let config = json!({
        "url": facts["url"], "node": facts["node"], "token": facts["token"], "tls": { "pins": [facts["fingerprint"]] },
        "pool": "felhom", "storages": ["local", "local-btrfs"], "bridges": ["vmbr0"],
        "state_dir": folder.join("state"), "selftest": { "vmid": 300 },
    });
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    let written = file.and_then(|mut file| writeln!(file, "{config:#}"));
    written.with_whatever_context(|_| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// The simulated node, which ends with this handle or with this process.
struct SimulatedNode(Child);

impl SimulatedNode {
    /// The node, and what it says of itself.
    fn start(built: &Path, folder: &Path) -> Result<(Self, Value), Whatever> {
        let files = folder.join("node");
        fs::create_dir(&files).whatever_context("cannot make a folder for the node")?;
        let mut process = Command::new(built.join("examples/simulated-node"))
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
        Ok((Self(process), facts))
    }
}

impl Drop for SimulatedNode {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

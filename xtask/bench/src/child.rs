//! Measurements in a process of their own: what is counted or how far memory grows must not depend on what was before.
//!
//! Each gives one line of JSON on stdout.

use std::ffi::OsString;
use std::iter::once;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Subcommand;
use felhom_agent::cli;
use felhom_agent::config::Environment;
use proxmox_api::Patience;
use proxmox_types::Upid;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::bodies::BodyKind;
use crate::canned::CannedReader;
use crate::measure::{median, quantile};
use crate::stack::{self, Backup, BenchSite, Envelope, Kind, Raw, Stack};
use crate::{Res, allocations, measure, runtime};

/// GETs before those that count.
const WARM: usize = 50;

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Child {
    /// Makes GETs and counts allocations
    Get { kind: Kind, place: String, count: usize },
    /// Reads one list again and again and counts allocations
    Decode { list: BodyKind, rows: u64, times: usize },
    /// Reads a long list over the wire: by how many bytes the largest memory grows
    Grow { how: How, place: String, rows: u64 },
    /// Waits for the tasks whose UPIDs come on stdin
    Wait { place: String, seconds: u64 },
    /// The largest memory of a command in bytes
    Peak {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Is the agent, built as this program is
    Agent {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
}

/// How a list is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum How {
    /// The raw stack, and the types of this project
    Typed,
    /// The raw stack, and `serde_json::Value`
    Value,
    Ours,
}

/// What waiting took.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Waits {
    /// Seconds of the processor.
    pub(crate) cpu: f64,
    /// Seconds after the end of the task.
    pub(crate) late_median: f64,
    pub(crate) late_p99: f64,
    pub(crate) failed: usize,
}

impl Child {
    pub(crate) fn run(self) -> Res<()> {
        measure::pin(0);
        let said = match self {
            Self::Get { kind, place, count } => get(kind, &serde_json::from_str(&place)?, count)?,
            Self::Decode { list, rows, times } => decode(list, rows, times)?,
            Self::Grow { how, place, rows } => grow(how, &serde_json::from_str(&place)?, rows)?,
            Self::Wait { place, seconds } => wait(&serde_json::from_str(&place)?, seconds)?,
            Self::Peak { command } => peak(&command)?,
            Self::Agent { words } => agent(words)?,
        };
        println!("{said}");
        Ok(())
    }
}

fn get(kind: Kind, place: &BenchSite, count: usize) -> Res<Value> {
    runtime()?.block_on(async {
        let stack = Arc::new(Stack::open(kind, place).await?);
        stack::run(&stack, WARM, 1).await?;
        let before = allocations();
        stack::run(&stack, count, 1).await?;
        Ok(json!((allocations() - before) as f64 / count as f64))
    })
}

fn decode(list: BodyKind, rows: u64, times: usize) -> Res<Value> {
    let reader = CannedReader::new(list, &list.body(rows), true)?;
    let before = allocations();
    for _ in 0..times {
        reader.read()?;
    }
    Ok(json!((allocations() - before) as f64 / rows as f64))
}

fn grow(how: How, place: &BenchSite, rows: u64) -> Res<Value> {
    runtime()?.block_on(async {
        let (node, storage) = ("pve1".parse()?, format!("rows-{rows}").parse()?);
        let target = format!("/api2/json/nodes/pve1/storage/rows-{rows}/content");
        let (raw, connection) = (Raw::open(place).await?, place.connect()?);
        connection.client.version().await?;
        let before = measure::peak_memory();
        let read = match how {
            How::Ours => connection.client.node(&node).storage(&storage).content().await?.len(),
            How::Typed => {
                serde_json::from_slice::<Envelope<Vec<Backup>>>(&raw.get_target(&target).await?)?.data.len()
            }
            How::Value => {
                let value: Value = serde_json::from_slice(&raw.get_target(&target).await?)?;
                value["data"].as_array().map_or(0, Vec::len)
            }
        };
        if read as u64 == rows {
            Ok(json!(measure::peak_memory() - before))
        } else {
            Err("rows are missing".into())
        }
    })
}

fn wait(place: &BenchSite, seconds: u64) -> Res<Value> {
    runtime()?.block_on(async {
        let connection = place.connect()?;
        // As after the call that starts a task: a connection is open, and the server's clock is known.
        connection.client.version().await?;
        let upids: Vec<String> = serde_json::from_reader(std::io::stdin())?;
        let (cpu, start) = (measure::cpu(), Instant::now());
        let mut waits = Vec::new();
        for upid in upids {
            let (client, upid) = (connection.client.clone(), upid.parse::<Upid>()?);
            waits.push(tokio::spawn(async move {
                let ended = client.task(&upid).wait(Patience::new(Duration::from_secs(10 * seconds))).await;
                ended.map(|_| start.elapsed().as_secs_f64() - seconds as f64)
            }));
        }
        let (mut late, mut failed) = (Vec::new(), 0);
        for wait in waits {
            match wait.await? {
                Ok(seconds) => late.push(seconds),
                Err(_) => failed += 1,
            }
        }
        let (late_median, late_p99) = (median(&late), quantile(&late, 0.99));
        Ok(json!(Waits { cpu: (measure::cpu() - cpu) / 1e6, late_median, late_p99, failed }))
    })
}

fn peak(command: &[String]) -> Res<Value> {
    let (program, words) = command.split_first().ok_or("no command")?;
    measure::cost_of(Command::new(program).args(words))?;
    Ok(json!(measure::peak_memory_of_children()))
}

fn agent(words: Vec<String>) -> Res<Value> {
    let words = once("felhom-agent".to_owned()).chain(words).map(OsString::from);
    match cli::run(words, &Environment::default()).code() {
        0 => Ok(Value::Null),
        code => Err(format!("the agent ended with {code}").into()),
    }
}

/// Runs this program with these words, and reads what it says.
pub(crate) fn ask<T: DeserializeOwned>(words: &[&str]) -> Res<T> {
    read(Command::new(std::env::current_exe()?).arg("child").args(words))
}

/// How many instructions this program takes with these words.
pub(crate) fn instructions(words: &[&str]) -> Res<f64> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("callgrind.out");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--quiet"]).arg(format!("--callgrind-out-file={}", out.display()));
    read::<Value>(valgrind.arg(std::env::current_exe()?).arg("child").args(words))?;
    let text = std::fs::read_to_string(out)?;
    let sums = text.lines().find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
    Ok(sums.ok_or("valgrind counted nothing")?.trim().parse()?)
}

fn read<T: DeserializeOwned>(command: &mut Command) -> Res<T> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

//! `histories`: random histories on the simulated node, in virtual time, built for speed.

use std::process::{Command, ExitCode};

use clap::Args;
use snafu::{ResultExt, Whatever};

/// What `cargo xtask histories` can be told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
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

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Whatever> {
    let chosen = match arguments.seed {
        Some(seed) => vec![format!("--seed={seed}")],
        None => vec![format!("--seeds={}", arguments.seeds), format!("--from={}", arguments.from)],
    };
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--locked", "--profile=histories", "--package=felhom-agent"])
        .args(["--example=histories", "--"])
        .args(chosen)
        .status();
    let passes = status.whatever_context("cannot start cargo")?.success();
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

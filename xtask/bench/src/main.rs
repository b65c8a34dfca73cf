//! The benchmark: the client beside the raw stack that it stands on, and beside other clients.
//!
//! `cargo xtask bench` builds and runs it; how it measures is in `docs/benchmarks.md`.

mod bodies;
mod canned;
mod child;
mod counts;
mod curves;
mod figure;
mod measure;
mod page;
mod server;
mod simulation;
mod stack;
mod table;
mod tool;

use std::alloc::System;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use figure::{Extent, Measured};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

type Res<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Debug, Parser)]
#[command(about = "Measures the client beside its peers")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Measures the figures
    Run(Run),
    /// Compares what is counted with the limits
    Counts,
    /// The server that is asked
    #[command(hide = true)]
    Serve(server::Manners),
    /// One measurement in a process of its own
    #[command(hide = true, subcommand)]
    Child(child::Child),
}

#[derive(Debug, Args)]
struct Run {
    /// Fewer rounds: less than three minutes
    #[arg(long)]
    quick: bool,
    /// Only these figures
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// A checkout of this project to compare decoding with
    #[arg(long)]
    against: Option<PathBuf>,
    /// The binary that ships
    #[arg(long, default_value = "target/release/felhom-agent")]
    agent: PathBuf,
}

fn main() -> ExitCode {
    let done = match Cli::parse().verb {
        Verb::Run(run) => measure(run),
        Verb::Counts => counts::run(),
        Verb::Serve(manners) => server::run(manners).map(|()| ExitCode::SUCCESS),
        Verb::Child(child) => child.run().map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::from(2)
    })
}

fn measure(run: Run) -> Res<ExitCode> {
    measure::pin(0);
    let extent = Extent { is_quick: run.quick, agent: run.agent, against: run.against };
    let mut all = Measured::default();
    for (name, figure) in figure::ALL {
        if run.only.is_empty() || run.only.iter().any(|only| only.eq_ignore_ascii_case(name)) {
            eprintln!("{name} ...");
            let measured = figure(&extent).map_err(|error| format!("{name}: {error}"))?;
            all.rows.extend(measured.rows);
            all.notes.extend(measured.notes);
            all.curves.extend(measured.curves);
        }
    }
    if !run.quick && run.only.is_empty() {
        page::write(&all, "docs".as_ref())?;
    }
    println!("{}", table::markdown(&all.rows));
    all.notes.iter().for_each(|note| println!("{note}"));
    Ok(ExitCode::SUCCESS)
}

/// A runtime on this thread alone.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// The folder that this program was built into.
fn target_folder() -> Res<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.parent().and_then(std::path::Path::parent).ok_or("this program is in no folder")?.to_owned())
}

/// Allocations so far, those that grow what is there included.
fn allocations() -> usize {
    let stats = ALLOCATOR.stats();
    stats.allocations + stats.reallocations
}

//! Random histories: the agent's own code against the simulated node, with a fault at any request, in virtual time.
//!
//! A seed makes a world, a program and the faults that it meets; what must hold after each is in `judge`. A seed that
//! fails prints its history, shrunk, as the Rust that makes it again, for a test in `found`.

mod call;
#[cfg(test)]
mod found;
mod history;
mod invent;
mod judge;
mod node;
mod play;
mod wire;

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use clap::Parser;
use felhom_agent::config::Config;
use history::History;

/// Plays random histories.
#[derive(Clone, Debug, Parser)]
struct Playing {
    /// How many seeds are played
    #[arg(long, default_value_t = 2000)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Plays this seed alone, and shows all of it
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// How many failing seeds are shown before it ends
    #[arg(long, default_value_t = 1)]
    failures: u64,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<ExitCode, Failure> {
    let playing = Playing::parse();
    if let Some(seed) = playing.seed {
        let desk = Desk::new()?;
        let history = invent::invent(seed);
        let (wrong, told) = desk.read(&history)?;
        println!("seed {seed}: {history}\n\n{}\n", told.join("\n"));
        print!("{}", listed(&wrong));
        return Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let start = Instant::now();
    let failed = play_all(&playing)?;
    println!("{} histories, {failed} failed, {:.1} s", playing.seeds, start.elapsed().as_secs_f64());
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Plays all seeds, on all processors; how many failed.
fn play_all(playing: &Playing) -> Result<u64, Failure> {
    let (next, failed) = (AtomicU64::new(0), AtomicU64::new(0));
    let work = || -> Result<(), Failure> {
        let desk = Desk::new()?;
        while failed.load(Ordering::Relaxed) < playing.failures {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= playing.seeds {
                break;
            }
            let seed = playing.from + number;
            let history = invent::invent(seed);
            if desk.fails(&history) {
                failed.fetch_add(1, Ordering::Relaxed);
                show(&desk, seed, &history)?;
            }
        }
        Ok(())
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| Err("a thread died".into())))
    })?;
    Ok(failed.into_inner())
}

/// Shrinks what failed, and shows it.
fn show(desk: &Desk, seed: u64, history: &History) -> Result<(), Failure> {
    let smallest = history.shrunk(&mut |history| desk.fails(history));
    let (wrong, told) = desk.read(&smallest)?;
    println!("seed {seed}: {smallest}\n{}\n{}", told.join("\n"), listed(&wrong));
    Ok(())
}

fn listed(wrong: &[String]) -> String {
    let lines: Vec<String> = wrong.iter().map(|wrong| format!("WRONG  {wrong}\n")).collect();
    lines.concat()
}

/// Where a thread plays: a configuration in a folder in memory.
struct Desk {
    config: Config,
    _folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Result<Self, Failure> {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.into() } else { std::env::temp_dir() };
        let folder = tempfile::Builder::new().prefix("histories-").tempdir_in(parent)?;
        Ok(Self { config: play::configured(folder.path())?, _folder: folder })
    }

    /// Whether something is wrong after a history. A panic is.
    fn fails(&self, history: &History) -> bool {
        self.judged(history, false).map_or(true, |(wrong, _)| !wrong.is_empty())
    }

    /// What is wrong after a history, and what happened in it.
    fn read(&self, history: &History) -> Result<(Vec<String>, Vec<String>), Failure> {
        self.judged(history, true)
    }

    fn judged(&self, history: &History, is_told: bool) -> Result<(Vec<String>, Vec<String>), Failure> {
        let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let tale = play::play(history, &self.config, is_told)?;
            Ok((judge::judge(history, &tale), tale.told))
        }));
        played.unwrap_or_else(|_| Ok((vec!["it panicked".into()], Vec::new())))
    }
}

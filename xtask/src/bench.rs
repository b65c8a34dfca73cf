//! `bench`: builds the benchmark, a workspace of its own, and runs it.

use std::process::{Command, ExitCode};

use clap::Args;
use snafu::{ResultExt, Whatever, ensure_whatever};

/// Where it is built: the CI's other builds have nothing in common with it.
const TARGET: &str = "target/bench";

/// What `cargo xtask bench` can be told.
#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    /// Only compares what is counted with `xtask/bench/limits.json`
    #[arg(long, conflicts_with_all = ["quick", "only", "against"])]
    counts: bool,
    /// Fewer rounds: less than three minutes
    #[arg(long)]
    quick: bool,
    /// Only these figures, such as `F1,F7`
    #[arg(long, value_name = "FIGURES")]
    only: Option<String>,
    /// A checkout of commit 0a23620 to compare decoding with
    #[arg(long, value_name = "DIR")]
    against: Option<String>,
}

impl BenchArguments {
    /// The words for the benchmark.
    fn words(&self) -> Vec<&str> {
        if self.counts {
            return vec!["counts"];
        }
        let options = [("--only", &self.only), ("--against", &self.against)];
        let options = options.into_iter().filter_map(|(name, value)| Some([name, value.as_deref()?]));
        ["run"].into_iter().chain(self.quick.then_some("--quick")).chain(options.flatten()).collect()
    }
}

/// Builds and runs it: what it finds is its exit code.
pub(crate) fn run(arguments: &BenchArguments) -> Result<ExitCode, Whatever> {
    let build = [
        "build",
        "--release",
        "--locked",
        "--manifest-path",
        "xtask/bench/Cargo.toml",
        "--target-dir",
        TARGET,
    ];
    if arguments.counts {
        cargo(&build)?;
    } else {
        cargo(&["build", "--release", "--locked", "--package", "felhom-agent", "--bin", "felhom-agent"])?;
        cargo(&[&build[..], &["--features", "peers"]].concat())?;
    }
    let bench = Command::new(format!("{TARGET}/release/bench")).args(arguments.words()).status();
    let code = bench.whatever_context("cannot start the benchmark")?.code();
    Ok(code.and_then(|code| u8::try_from(code).ok()).map_or_else(|| ExitCode::from(2), ExitCode::from))
}

fn cargo(words: &[&str]) -> Result<(), Whatever> {
    let built = Command::new(env!("CARGO")).args(words).status();
    ensure_whatever!(built.whatever_context("cannot start cargo")?.success(), "the build failed");
    Ok(())
}

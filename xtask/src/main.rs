//! Every developer verb of the workspace: `cargo xtask <verb>`.
//!
//! It depends on no other member, so that it is built at once and looks at a workspace that does not compile. What
//! needs the members stands in examples: `xtask/examples/pages/` and those of the agent.

mod bench;
mod ci;
mod demo;
mod fence;
mod source;
mod weight;
mod workspace;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use snafu::{Report, Whatever};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Developer verbs of the workspace")]
enum XtaskVerb {
    /// Checks that no fenced crate can name a process or a socket
    FenceCheck(fence::FenceArguments),
    /// Runs everything that must hold before a change is merged
    Ci(ci::CiArguments),
    /// Writes the pages that are made from data
    Docs {
        /// Fails if a page is not up to date, and writes nothing
        #[arg(long)]
        check: bool,
    },
    /// Plays random histories of the agent on the simulated node
    Histories(demo::HistoriesArguments),
    /// Counts lines and files, and finds long files, full folders, names defined twice and circles of imports
    Weight,
    /// Puts the prebuilt tools of the CI into target/tools
    Tools,
    /// Measures the client beside the raw stack and beside others
    Bench(bench::BenchArguments),
    /// Runs the agent's self-test against a simulated node
    Demo,
}

fn main() -> ExitCode {
    run(XtaskVerb::parse()).unwrap_or_else(|error| {
        eprintln!("{}", Report::from_error(error));
        ExitCode::from(2)
    })
}

/// Runs one verb: 0 is a pass, 1 a finding; that the verb could not do its work is the error.
fn run(verb: XtaskVerb) -> Result<ExitCode, Whatever> {
    match verb {
        XtaskVerb::FenceCheck(arguments) => fence::run(&arguments),
        XtaskVerb::Ci(arguments) => ci::run(&arguments),
        XtaskVerb::Weight => weight::run(),
        XtaskVerb::Tools => ci::install_tools(Path::new(".")).map(|_| ExitCode::SUCCESS),
        XtaskVerb::Bench(arguments) => bench::run(&arguments),
        XtaskVerb::Demo => demo::demo(),
        XtaskVerb::Histories(arguments) => demo::histories(&arguments),
        XtaskVerb::Docs { check } => {
            let arguments = check.then(|| "--check".to_owned());
            demo::cargo("run --quiet --locked --package xtask --example pages --", arguments.as_slice())
        }
    }
}

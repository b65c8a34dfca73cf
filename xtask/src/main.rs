//! Every developer verb of the workspace, one file each: `cargo xtask <verb>`.

mod api;
mod ci;
mod demo;
mod docs;
mod fence;
mod histories;
mod links;
mod list;
mod paths;
mod tokens;
mod tools;
mod weight;
mod workspace;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use snafu::{Report, Whatever};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Developer verbs of the workspace")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Checks that no fenced crate can name a process or a socket
    FenceCheck(fence::Arguments),
    /// Runs everything that must hold before a change is merged
    Ci(ci::Arguments),
    /// Writes the pages that are made from data
    Docs(docs::Arguments),
    /// Plays random histories of the agent on the simulated node
    Histories(histories::Arguments),
    /// Counts lines and files, and finds long files, full folders, names defined twice and circles of imports
    Weight,
    /// Puts the prebuilt tools of the CI into target/tools
    Tools,
    /// Runs the agent's self-test against a simulated node
    Demo,
}

fn main() -> ExitCode {
    run(Cli::parse().verb).unwrap_or_else(|error| {
        eprintln!("{}", Report::from_error(error));
        ExitCode::from(2)
    })
}

/// Runs one verb: 0 is a pass, 1 a finding; that the verb could not do its work is the error.
fn run(verb: Verb) -> Result<ExitCode, Whatever> {
    match verb {
        Verb::FenceCheck(arguments) => fence::run(&arguments),
        Verb::Ci(arguments) => ci::run(&arguments),
        Verb::Weight => weight::run(),
        Verb::Tools => tools::install(Path::new(".")).map(|_| ExitCode::SUCCESS),
        Verb::Demo => demo::run(),
        Verb::Histories(arguments) => histories::run(&arguments),
        Verb::Docs(arguments) => docs::run(&arguments),
    }
}

//! The agent's binary: the command line, and an exit code.

use std::process::ExitCode;

use felhom_agent::cli;
use felhom_agent::config::Environment;

fn main() -> ExitCode {
    // A panic's payload may hold anything, so only its place is told.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        eprintln!("felhom-agent: internal error at {place}");
    }));
    let exit = cli::run(std::env::args_os(), &Environment::of_process());
    ExitCode::from(exit.code())
}

//! The agent's binary: the command line, and an exit code.

use std::process::ExitCode;

use felhom_agent::cli;
use felhom_agent::config::Environment;
use felhom_agent::process::hide_payloads;
use felhom_agent::report::exit::Exit;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

fn main() -> ExitCode {
    // No core dump and no debugger of the same user may take the token out of the memory. It works or the kernel is none.
    let _hidden = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    hide_payloads();
    let run = || cli::run(std::env::args_os(), &Environment::of_process());
    let exit = std::panic::catch_unwind(run).unwrap_or(Exit::Internal);
    ExitCode::from(exit.code())
}

//! The command line.

mod cleanup;
mod disks;
mod golden;
mod output;
mod selftest;
mod sensors;
mod session;
mod sudoers;
mod table;
mod usb;

use std::borrow::Cow;
use std::ffi::OsString;

use clap::{Parser, Subcommand};
use proxmox_types::redact_strictly;

use self::output::{Common, print_error};
use crate::config::Environment;
use crate::report;
use crate::report::exit::Exit;

/// What stands below the help.
const AFTER_HELP: &str = "\
felhom-agent --selftest[=task] is the same as felhom-agent selftest [--task]

Exit codes:
  0  everything passed            5  could not be checked: network, certificate, token
  1  a check failed               6  the exercise left something behind
  2  wrong command line           7  another exercise is running
  3  warnings, with --strict      8  the time was used up
  4  no usable configuration     70  something inside is wrong; 130, 143: a signal";

/// Looks after the LXC containers of one Proxmox VE host.
#[derive(Debug, Parser)]
#[command(
    name = "felhom-agent",
    version = report::LONG_VERSION,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = AFTER_HELP
)]
struct CommandLine {
    #[command(subcommand)]
    command: AgentCommand,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum AgentCommand {
    /// Checks the configuration, the way to the API, the privileges and the node; changes nothing without --task
    Selftest(selftest::SelftestArguments),
    /// Removes what an exercise of the self-test has left behind
    Cleanup(cleanup::CleanupArguments),
    /// Tells the health of every disk, or of one, worst first
    Disks(disks::DisksArguments),
    /// Tells temperatures, fans and voltages, worst first
    Sensors,
    /// Brings USB disks in by the UUID of their file system, and out again
    #[command(subcommand)]
    Usb(usb::UsbVerb),
    /// Makes the container that customers' containers are restored from
    #[command(subcommand)]
    Golden(golden::GoldenVerb),
    /// Prints the sudoers drop-in with what the agent may run as root
    Sudoers(sudoers::SudoersArguments),
}

/// Writes the option `--selftest` as the command that it stands for.
fn spelled_out(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut spelled: Vec<OsString> = Vec::new();
    for argument in arguments {
        let is_task = argument == "--selftest=task";
        if !is_task && argument != "--selftest" && argument != "--selftest=read-only" {
            spelled.push(argument);
            continue;
        }
        if !spelled.iter().any(|earlier| earlier == "selftest") {
            spelled.push("selftest".into());
        }
        spelled.extend(is_task.then(|| "--task".into()));
    }
    spelled
}

/// Runs the agent and says how it ended.
pub fn run(arguments: impl IntoIterator<Item = OsString>, environment: &Environment) -> Exit {
    let line = match CommandLine::try_parse_from(spelled_out(arguments)) {
        Ok(line) => line,
        Err(error) => {
            let is_help = !error.use_stderr();
            let text = error.render().to_string();
            match redact_strictly(&text) {
                // Nothing better can be done if the terminal is gone.
                Cow::Borrowed(_) => error.print().unwrap_or_default(),
                Cow::Owned(redacted) => print_error(redacted.trim_end()),
            }
            return if is_help { Exit::Ok } else { Exit::Usage };
        }
    };
    match line.command {
        AgentCommand::Selftest(arguments) => selftest::run(&line.common, &arguments, environment),
        AgentCommand::Disks(arguments) => disks::run(&line.common, &arguments, environment),
        AgentCommand::Sensors => sensors::run(&line.common, environment),
        AgentCommand::Usb(verb) => usb::run(&line.common, &verb, environment),
        AgentCommand::Golden(verb) => golden::run(&line.common, &verb, environment),
        AgentCommand::Sudoers(arguments) => sudoers::run(&line.common, &arguments),
        AgentCommand::Cleanup(arguments) => cleanup::run(&line.common, &arguments, environment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_selftest_is_the_command() {
        let spelled = |line: &str| {
            let words: Vec<OsString> = spelled_out(line.split(' ').map(Into::into));
            words.join(" ".as_ref()).into_string().unwrap()
        };
        assert_eq!(spelled("a --selftest -o json"), "a selftest -o json");
        assert_eq!(spelled("a --config f --selftest=task"), "a --config f selftest --task");
        assert_eq!(spelled("a selftest --selftest=task --vmid 300"), "a selftest --task --vmid 300");
        assert_eq!(spelled("a cleanup --dry-run"), "a cleanup --dry-run");
    }
}

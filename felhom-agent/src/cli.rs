//! The command line.

pub mod cleanup;
mod disks;
mod golden;
mod problem;
mod selftest;
mod sensors;
mod session;
mod sudoers;
mod table;
mod usb;

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use proxmox_types::{redact, redact_strictly};

use crate::config::{Environment, LogLevel};
use crate::report;
use crate::report::exit::Exit;
use crate::report::terminal::Color;

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
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks the configuration, the way to the API, the privileges and the node; changes nothing without --task
    Selftest(selftest::Arguments),
    /// Removes what an exercise of the self-test has left behind
    Cleanup(cleanup::Arguments),
    /// Tells the health of every disk, or of one, worst first
    Disks(disks::Arguments),
    /// Tells temperatures, fans and voltages, worst first
    Sensors,
    /// Brings USB disks in by the UUID of their file system, and out again
    #[command(subcommand)]
    Usb(usb::Verb),
    /// Makes the container that customers' containers are restored from
    #[command(subcommand)]
    Golden(golden::Verb),
    /// Prints the sudoers drop-in with what the agent may run as root
    Sudoers(sudoers::Arguments),
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

/// Options of every command.
#[derive(Clone, Debug, Args)]
struct Common {
    /// Configuration file [env: `FELHOM_AGENT_CONFIG`] [default: /etc/felhom-agent/config.json]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How the result is written to stdout
    #[arg(short, long, global = true, value_name = "FORMAT", default_value = "text")]
    output: Output,
    /// Logs more to stderr; -vv and -vvv even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
    /// Shows only what is not well
    #[arg(short, long, global = true)]
    quiet: bool,
    /// When text is coloured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: Color,
}

/// How a result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
}

impl Common {
    /// The level of the log: as the flags say, else as configured.
    fn log_level(&self, configured: LogLevel) -> LogLevel {
        match (self.verbose, self.quiet) {
            (0, true) => LogLevel::Error,
            (0, false) => configured,
            (1, _) => LogLevel::Debug,
            _ => LogLevel::Trace,
        }
    }
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
        Command::Selftest(arguments) => selftest::run(&line.common, &arguments, environment),
        Command::Disks(arguments) => disks::run(&line.common, &arguments, environment),
        Command::Sensors => sensors::run(&line.common, environment),
        Command::Usb(verb) => usb::run(&line.common, &verb, environment),
        Command::Golden(verb) => golden::run(&line.common, &verb, environment),
        Command::Sudoers(arguments) => sudoers::run(&line.common, &arguments),
        Command::Cleanup(arguments) => cleanup::run(&line.common, &arguments, environment),
    }
}

/// Longest time that can be given for something.
const LONGEST: Duration = Duration::from_hours(24);

/// Reads `500ms`, `30s`, `2m` or a number of seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| "must be a time such as 500ms, 30s or 2m".to_string())?;
    let duration = match text.get(digits.len()..) {
        Some("ms") => Duration::from_millis(number),
        Some("" | "s") => Duration::from_secs(number),
        Some("m") => Duration::from_secs(number.saturating_mul(60)),
        _ => return Err("must end in ms, s or m".into()),
    };
    if duration.is_zero() || duration > LONGEST {
        return Err("must be more than nothing and at most a day".into());
    }
    Ok(duration)
}

fn usage(problem: &str) -> Exit {
    print_error(&format!("felhom-agent: {problem}"));
    Exit::Usage
}

/// Prints the result without any token in it, and says how the run ends because of that. A closed pipe is the reader's choice and no error.
fn print(text: &str) -> Exit {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(redact(text).as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            print_error(&format!("felhom-agent: cannot write the result: {error}"));
            Exit::Internal
        }
        _ => Exit::Ok,
    }
}

fn print_error(text: &str) {
    // Nothing better can be done if stderr is gone.
    let _written = writeln!(std::io::stderr(), "{}", redact(text));
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

    #[test]
    fn times_have_a_unit_or_are_seconds() {
        let read = ["500ms", "30s", "2m", "7"].map(|text| duration(text).unwrap().as_millis());
        assert_eq!(read, [500, 30_000, 120_000, 7000]);
        for text in ["0s", "1h", "x", "-1s", "", "1441m", "18446744073709551615"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}

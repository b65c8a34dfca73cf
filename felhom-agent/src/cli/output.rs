//! What every command shares: its options, and how its result or what stopped it is written.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use proxmox_types::redact;
use serde_json::{Value, json};

use crate::config::LogLevel;
use crate::report::exit::Exit;
use crate::report::finding::Finding;
use crate::report::terminal::{self, Color, plain};

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub(super) struct Common {
    /// Configuration file [env: `FELHOM_AGENT_CONFIG`] [default: /etc/felhom-agent/config.json]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// How the result is written to stdout
    #[arg(short, long, global = true, value_name = "FORMAT", default_value = "text")]
    pub(super) output: Output,
    /// Logs more to stderr; -vv and -vvv even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub(super) verbose: u8,
    /// Shows only what is not well
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// When text is coloured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Color,
}

/// How a result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    Text,
    Json,
}

impl Common {
    /// The level of the log: as the flags say, else as configured.
    pub(super) fn log_level(&self, configured: LogLevel) -> LogLevel {
        match (self.verbose, self.quiet) {
            (0, true) => LogLevel::Error,
            (0, false) => configured,
            (1, _) => LogLevel::Debug,
            _ => LogLevel::Trace,
        }
    }
}

/// The result of a command, as text and as a JSON document, and how the run ends.
#[derive(Clone, Debug)]
pub(super) struct Printed {
    pub(super) text: String,
    pub(super) json: String,
    pub(super) exit: Exit,
}

impl Printed {
    pub(super) fn new(text: impl Into<String>, document: &Value, exit: Exit) -> Self {
        Self { text: text.into(), json: terminal::document(document), exit }
    }

    /// Prints it as it is wanted, and says how the run ends.
    pub(super) fn print(&self, common: &Common) -> Exit {
        let printed = print(match common.output {
            Output::Text => &self.text,
            Output::Json => &self.json,
        });
        Exit::of([printed, self.exit])
    }
}

/// A finding that stops a command, and how the run ends because of it.
pub(super) fn stopped(text: impl Into<String>, exit: Exit) -> Box<Finding> {
    Box::new(Finding::skip(text).ending(exit))
}

/// Prints what stopped a command: on stderr, and in JSON on stdout as well.
pub(super) fn print_stopped(common: &Common, finding: &Finding) -> Exit {
    print_problem(finding);
    let exit = finding.exit.unwrap_or(Exit::Fail);
    if common.output == Output::Text {
        return exit;
    }
    let mut document =
        json!({ "schema": "felhom.problem/1", "problem": finding.summary, "exit": exit.code() });
    let commands = [("fix", &finding.fix), ("look", &finding.look)];
    if let Some(fields) = document.as_object_mut() {
        let commands = commands.into_iter().filter(|(_, lines)| !lines.is_empty());
        fields.extend(commands.map(|(key, lines)| (key.into(), json!(lines))));
    }
    Exit::of([print(&terminal::document(&document)), exit])
}

/// Prints a finding on stderr: the line, why, and what repairs it.
pub(super) fn print_problem(problem: &Finding) {
    print_error(&format!("felhom-agent: {}", plain(&problem.summary)));
    let why = problem.detail.iter().flat_map(|detail| detail.lines()).map(|line| ("why", line));
    let lines = why.chain(problem.commands());
    lines.for_each(|(label, line)| print_error(&format!("  {label:4} {}", plain(line))));
}

/// Longest time that can be given for something.
const LONGEST: Duration = Duration::from_hours(24);

/// Reads `500ms`, `30s`, `2m` or a number of seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
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

pub(super) fn usage(problem: &str) -> Exit {
    print_error(&format!("felhom-agent: {problem}"));
    Exit::Usage
}

/// Prints the result without any token in it, and says how the run ends because of that. A closed pipe is the reader's choice and no error.
pub(super) fn print(text: &str) -> Exit {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(redact(text).as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            print_error(&format!("felhom-agent: cannot write the result: {error}"));
            Exit::Internal
        }
        _ => Exit::Ok,
    }
}

pub(super) fn print_error(text: &str) {
    // Nothing better can be done if stderr is gone.
    let _written = writeln!(std::io::stderr(), "{}", redact(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_or_are_seconds() {
        let read = ["500ms", "30s", "2m", "7"].map(|text| duration(text).unwrap().as_millis());
        assert_eq!(read, [500, 30_000, 120_000, 7000]);
        for text in ["0s", "1h", "x", "-1s", "", "1441m", "18446744073709551615"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}

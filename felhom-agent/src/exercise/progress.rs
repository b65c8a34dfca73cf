//! Progress on stderr: one line that is rewritten on a terminal, plain lines in a pipe, nothing if it is not wanted.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use proxmox_types::{Upid, redact};

use crate::config::Environment;
use crate::report::finding::Status;
use crate::report::terminal::plain;

/// Frames of the wheel.
const WHEEL: [char; 4] = ['|', '/', '-', '\\'];

/// Columns, where the terminal does not say how many it has.
const COLUMNS: usize = 80;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not at all.
    Silent,
    /// A line per step, one more every ten seconds, one at its end.
    Lines,
    /// One line, rewritten ten times a second.
    Terminal,
}

/// A step that is shown.
#[derive(Debug)]
pub struct Shown {
    progress: Progress,
    step: String,
    start: Instant,
    frame: usize,
}

impl Progress {
    /// As stderr is, unless nothing is wanted; in lines where log lines stand between.
    pub fn of_stderr(is_quiet: bool, is_logged: bool, environment: &Environment) -> Self {
        let is_terminal = stderr().is_terminal() && !is_logged && environment.get("TERM") != Some("dumb");
        match (is_quiet, is_terminal) {
            (true, _) => Self::Silent,
            (false, true) => Self::Terminal,
            (false, false) => Self::Lines,
        }
    }

    /// How often a step that takes long is shown again.
    pub const fn interval(self) -> Duration {
        match self {
            Self::Terminal => Duration::from_millis(100),
            Self::Silent | Self::Lines => Duration::from_secs(10),
        }
    }

    /// Shows that a step begins.
    pub fn begin(self, step: &str) -> Shown {
        let shown = Shown { progress: self, step: step.into(), start: Instant::now(), frame: 0 };
        if self == Self::Lines {
            write(&format!("{step}\n"));
        }
        shown
    }

    /// Shows a step that has begun, by its task.
    pub fn resume(self, step: &str, upid: &Upid) -> Shown {
        let step = format!("{step}  {} {} {}", upid.node(), upid.worker_type(), upid.id());
        Shown { progress: self, step, start: Instant::now(), frame: 0 }
    }

    /// Says something that is no step.
    pub fn say(self, text: &str) {
        match self {
            Self::Silent => {}
            Self::Lines => write(&format!("{text}\n")),
            Self::Terminal => write(&format!("\r\x1b[2K{text}\n")),
        }
    }
}

impl Drop for Shown {
    /// The line of a terminal is for what goes on.
    fn drop(&mut self) {
        if self.progress == Progress::Terminal {
            write("\r\x1b[2K");
        }
    }
}

impl Shown {
    /// Shows how long it takes already, and the last line of its log.
    pub fn again(&mut self, last: &str) {
        let seconds = self.start.elapsed().as_secs();
        let line = format!("{}  {:02}:{:02}  {}", self.step, seconds / 60, seconds % 60, plain(last));
        match self.progress {
            Progress::Silent => {}
            Progress::Lines => write(&format!("{line}\n")),
            Progress::Terminal => {
                self.frame += 1;
                let wheel = WHEEL.get(self.frame % WHEEL.len()).copied().unwrap_or_default();
                let line: String = line.chars().take(columns().saturating_sub(3)).collect();
                write(&format!("\r\x1b[2K{wheel} {line}"));
            }
        }
    }

    /// Shows how it ended.
    pub fn end(self, status: Status) {
        match self.progress {
            Progress::Silent | Progress::Terminal => {}
            Progress::Lines => {
                let took = self.start.elapsed().as_secs_f64();
                write(&format!("{}  {} after {took:.1} s\n", self.step, status.label()));
            }
        }
    }
}

fn columns() -> usize {
    rustix::termios::tcgetwinsize(stderr()).map_or(COLUMNS, |size| match size.ws_col {
        0 => COLUMNS,
        columns => columns.into(),
    })
}

fn write(text: &str) {
    // Progress that cannot be shown is no reason to stop.
    let _written = stderr().write_all(redact(text).as_bytes());
}

//! The seam to the world: who runs a command, and what came of it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::pin::Pin;
use core::time::Duration;

use snafu::Snafu;

use crate::{Command, Program};

/// A future on the heap that may move between threads.
pub type RunFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs commands, the ones that need root through `sudo -n`.
///
/// Implementors run exactly [`Command::program`] with [`Command::args`], no shell, an empty environment but
/// `LC_ALL=C.UTF-8` and a fixed `PATH`, standard input closed. They bound the output and the time ([`Command::limit`]),
/// end a child with SIGTERM (SIGKILL on sudo leaves its child alone and running), and never retry: only the caller
/// knows whether a repeat is safe.
#[cfg_attr(test, mockall::automock)]
pub trait Runner: Send + Sync {
    /// Runs the command to its end. The future does not borrow the command.
    fn run(&self, command: &Command) -> RunFuture<'_, Result<CommandOutput, RunError>>;
}

/// A closure answers at once: for tests, examples and recordings.
impl<F> Runner for F
where
    F: Fn(&Command) -> Result<CommandOutput, RunError> + Send + Sync,
{
    fn run(&self, command: &Command) -> RunFuture<'_, Result<CommandOutput, RunError>> {
        let answer = self(command);
        Box::pin(async move { answer })
    }
}

/// What a command that ended left behind, whatever its exit status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandOutput {
    /// How the process ended.
    pub end: CommandEnd,
    /// Standard output, as far as the runner kept it.
    pub stdout: Vec<u8>,
    /// Standard error, as far as the runner kept it.
    pub stderr: Vec<u8>,
    /// Whether standard output was longer than the runner keeps.
    pub stdout_truncated: bool,
    /// Whether standard error was longer than the runner keeps.
    pub stderr_truncated: bool,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandEnd {
    /// It exited with this status.
    Exit(i32),
    /// This signal killed it.
    Signal(i32),
}

/// What `mount` says after the reason. Seen with util-linux 2.38.
const HINT: &str = "dmesg(1) may have more information";

impl From<&str> for CommandOutput {
    /// A process that printed this and exited with status 0.
    fn from(stdout: &str) -> Self {
        let (stdout, stderr) = (stdout.into(), Vec::new());
        Self { end: CommandEnd::Exit(0), stdout, stderr, stdout_truncated: false, stderr_truncated: false }
    }
}

impl CommandOutput {
    /// Whether the process exited with status 0.
    pub fn is_success(&self) -> bool {
        self.end == CommandEnd::Exit(0)
    }

    /// The last line of standard error that is not blank and gives a reason, else how the process ended.
    pub(crate) fn last_words(&self) -> String {
        let stderr = String::from_utf8_lossy(&self.stderr);
        let says = |line: &&str| !line.is_empty() && !line.starts_with(HINT);
        match stderr.lines().map(str::trim).rfind(says) {
            Some(line) => line.into(),
            None => alloc::format!("{}", self.end),
        }
    }
}

impl CommandEnd {
    /// Whether a signal ended the process. sudo reports that as 128 and the number of the signal.
    pub fn is_killed(self) -> bool {
        match self {
            Self::Exit(status) => (129..=192).contains(&status),
            Self::Signal(_) => true,
        }
    }
}

impl core::fmt::Display for CommandEnd {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Exit(status) => write!(f, "exit status {status}"),
            Self::Signal(signal) => write!(f, "killed by signal {signal}"),
        }
    }
}

/// Why a command has no [`CommandOutput`].
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
#[non_exhaustive]
pub enum RunError {
    /// The sudoers rules do not cover the command. Nothing ran.
    #[snafu(display("sudo does not permit `{command}`"))]
    NotPermitted {
        /// The command line.
        command: String,
    },
    /// sudo would have asked for a password, which is what it does when no rule says NOPASSWD. Nothing ran.
    #[snafu(display("sudo asks for a password"))]
    PasswordWanted,
    /// sudo cannot become root at all. Nothing ran.
    #[snafu(display("sudo cannot be used: {trouble}"))]
    SudoUnusable {
        /// What keeps it from working.
        trouble: SudoTrouble,
    },
    /// The program is not installed. Nothing ran.
    #[snafu(display("there is no {program}"))]
    ProgramMissing {
        /// The program.
        program: Program,
    },
    /// The operating system refused to start it: not executable, an unknown format, no descriptor or process left.
    /// Nothing ran.
    #[snafu(display("cannot be started: {message}"))]
    NotStarted {
        /// Which program, and the text of the operating system.
        message: String,
    },
    /// The command was ended at its time limit. What it had done by then stays done.
    #[snafu(display("ended at its time limit of {} s", limit.as_secs()))]
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// The command passed its time limit and could not be ended; it may still do its work. Also the answer to the same
    /// command as long as it does, and then nothing more was started.
    #[snafu(display("still running as process {pid}"))]
    StillRunning {
        /// The process of sudo, or of the program itself.
        pid: u32,
    },
    /// The operating system refused something after the command had begun.
    #[snafu(display("{message}"))]
    Io {
        /// Its text.
        message: String,
    },
}

impl RunError {
    /// Whether the command may have done something. If not, it was never started.
    pub const fn may_have_happened(&self) -> bool {
        matches!(self, Self::TimedOut { .. } | Self::StillRunning { .. } | Self::Io { .. })
    }
}

/// What keeps sudo from becoming root.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
#[non_exhaustive]
pub enum SudoTrouble {
    /// There is no sudo.
    #[snafu(display("it is not installed"))]
    Missing,
    /// The process runs with `NoNewPrivileges=yes` or under `no_new_privs`.
    #[snafu(display("the \"no new privileges\" flag is set"))]
    NoNewPrivileges,
    /// The binary is not owned by root or has no setuid bit.
    #[snafu(display("it is not owned by root with the setuid bit"))]
    NotSetuid,
    /// Anything else, in sudo's words.
    #[snafu(display("{message}"))]
    Other {
        /// sudo's text.
        message: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_are_the_reason_and_not_the_hint_behind_it() {
        let words = |stderr: &str| crate::script::exited(32, "", stderr).last_words();
        let said = [
            "mount: /mnt/felhom/usb: unknown filesystem type 'vfat'.\n       \
             dmesg(1) may have more information after failed mount system call.\n",
            "\n \n",
        ];
        let reason = "mount: /mnt/felhom/usb: unknown filesystem type 'vfat'.";
        assert_eq!(said.map(words), [reason, "exit status 32"]);
    }

    #[test]
    fn only_what_was_started_may_have_happened() {
        let (program, limit) = (Program::PCT, Duration::ZERO);
        let (command, message, trouble) = (String::new(), String::new(), SudoTrouble::Missing);
        let rows = [
            (RunError::NotPermitted { command }, false),
            (RunError::PasswordWanted, false),
            (RunError::SudoUnusable { trouble }, false),
            (RunError::ProgramMissing { program }, false),
            (RunError::NotStarted { message: message.clone() }, false),
            (RunError::TimedOut { limit }, true),
            (RunError::StillRunning { pid: 7 }, true),
            (RunError::Io { message }, true),
        ];
        for (error, may_have_happened) in rows {
            assert_eq!(error.may_have_happened(), may_have_happened, "{error}");
        }
    }
}

//! Runs root commands as processes: directly, or through `sudo -n`.
//!
//! This is the one file of the agent that may start a process. Each one gets an absolute path, no shell, `/` as its
//! folder, no standard input, an environment of two variables, and a process group of its own: sudo does not pass on a
//! signal that comes from its own group.
//!
//! **Time.** At its limit a process is told to end with SIGTERM, which sudo hands on. Never with SIGKILL: that would
//! end sudo and leave the root command without anybody who watches it. Five seconds later the caller is told that it
//! still runs, and the same command is refused until it has ended. A caller that stops waiting ends its command
//! likewise. Whoever watches a process is a task of its own, so that it is always waited for.
#![expect(clippy::disallowed_types, reason = "the runner is the one place that starts a process")]

mod capture;
mod sudo;

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use proxmox_privileged::{Command, CommandEnd, CommandOutput, Program, RunError, RunFuture, Runner};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tokio::process::{Child, ChildStderr, ChildStdout, Command as Process};
use tokio::sync::{OnceCell, oneshot};
use tokio::time::{sleep, timeout};

use crate::config::PrivilegedMode;
use capture::Capture;

/// How long a process may take to end once it was told to.
const GRACE: Duration = Duration::from_secs(5);
/// How long the output of a process that has ended may stay open. Someone whom it left behind holds it then.
const LINGER: Duration = Duration::from_secs(1);
/// How long sudo may take to say what it permits.
const ASKING: Duration = Duration::from_secs(10);

/// All that a process finds in its environment.
const ENVIRONMENT: [(&str, &str); 2] = [("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), ("LC_ALL", "C.UTF-8")];

/// Runs the commands of `proxmox-privileged` on this host.
///
/// Needs a tokio runtime with I/O and time. In the mode `sudo` a command that needs root goes through `sudo -n`, unless
/// this process is root itself: the rules are for the agent's account, and sudo would add nothing. In the mode `direct`
/// everything runs as this process is.
#[derive(Debug)]
pub struct ProcessRunner {
    mode: PrivilegedMode,
    unfinished: Arc<Unfinished>,
    noise: OnceCell<Vec<u8>>,
}

impl ProcessRunner {
    /// A runner of this mode. Starts nothing yet.
    pub fn new(mode: PrivilegedMode) -> Self {
        Self { mode, unfinished: Arc::default(), noise: OnceCell::new() }
    }

    async fn execute(&self, command: &Command) -> Result<CommandOutput, RunError> {
        let program = command.program();
        if is_missing(program) {
            return Err(RunError::ProgramMissing { program });
        }
        let needs_root = command.needs_root();
        if needs_root {
            tracing::info!(%command, purpose = command.purpose(), "runs as root");
        }
        if needs_root && self.mode == PrivilegedMode::Sudo && !geteuid().is_root() {
            self.through_sudo(command).await
        } else {
            self.process(line(&[], command), command.limit()).await
        }
    }

    /// Runs a process to its end, its limit, or the end of the caller's interest, unless the same one still runs.
    async fn process(&self, line: Vec<String>, limit: Duration) -> Result<CommandOutput, RunError> {
        if let Some(pid) = self.unfinished.pid(&line) {
            return Err(RunError::StillRunning { pid });
        }
        let process = Running::start(&line)?;
        let entry = UnfinishedEntry { unfinished: self.unfinished.clone(), line, pid: process.pid };
        let (caller, answer) = oneshot::channel();
        tokio::spawn(watch(process, limit, caller, entry));
        answer.await.unwrap_or_else(|_| Err(RunError::Io { message: "the runtime ended".into() }))
    }
}

impl Runner for ProcessRunner {
    fn run(&self, command: &Command) -> RunFuture<'_, Result<CommandOutput, RunError>> {
        let command = command.clone();
        Box::pin(async move { self.execute(&command).await })
    }
}

/// The words of a command line, some before the program.
fn line(before: &[&str], command: &Command) -> Vec<String> {
    let before = before.iter().map(ToString::to_string);
    let program = [command.program().path().to_owned()];
    before.chain(program).chain(command.args().iter().cloned()).collect()
}

/// Whether there is no such file. Anything else that is wrong with it shows when it is started.
fn is_missing(program: Program) -> bool {
    matches!(Path::new(program.path()).try_exists(), Ok(false))
}

/// Command lines that were told to end, and have not ended.
#[derive(Debug, Default)]
struct Unfinished(Mutex<Vec<(Vec<String>, u32)>>);

impl Unfinished {
    fn pid(&self, line: &[String]) -> Option<u32> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().find(|(known, _)| known == line).map(|(_, pid)| *pid)
    }
}

/// The place of one process in the list of those that have not ended. Leaves it when it is dropped, and leaves others
/// with the same command line there.
struct UnfinishedEntry {
    unfinished: Arc<Unfinished>,
    line: Vec<String>,
    pid: u32,
}

impl UnfinishedEntry {
    fn add(&self) {
        let mut lines = self.unfinished.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push((self.line.clone(), self.pid));
    }
}

impl Drop for UnfinishedEntry {
    fn drop(&mut self) {
        let mut lines = self.unfinished.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|(_, pid)| *pid != self.pid);
    }
}

/// Sees a process to its end, whatever becomes of the caller.
async fn watch(
    mut process: Running,
    limit: Duration,
    mut caller: oneshot::Sender<Result<CommandOutput, RunError>>,
    entry: UnfinishedEntry,
) {
    tokio::select! {
        biased;
        exit = process.exit() => {
            let output = process.output(exit).await;
            drop(entry);
            // Nobody may be left who wants to know; then there is nothing to do about it.
            let _unwanted = caller.send(output);
            return;
        }
        () = sleep(limit) => (),
        () = caller.closed() => (),
    }
    let pid = process.pid;
    entry.add();
    process.tell_to_end();
    if timeout(GRACE, process.exit()).await.is_ok() {
        drop(entry);
        let _unwanted = caller.send(Err(RunError::TimedOut { limit }));
        return;
    }
    tracing::warn!(pid, line = ?entry.line, "does not end although it was told to");
    let _unwanted = caller.send(Err(RunError::StillRunning { pid }));
    let _exit = process.exit().await;
}

/// A process, and what it has said so far. One that is given up is told to end.
struct Running {
    pid: u32,
    child: Child,
    stdout: Capture<ChildStdout>,
    stderr: Capture<ChildStderr>,
}

impl Running {
    fn start(line: &[String]) -> Result<Self, RunError> {
        let (program, args) =
            line.split_first().map_or(("", line), |(program, args)| (program.as_str(), args));
        let mut process = Process::new(program);
        process.args(args).env_clear().envs(ENVIRONMENT).current_dir("/").process_group(0);
        process.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let not_started = |error| RunError::NotStarted { message: format!("{program}: {error}") };
        let mut child = process.spawn().map_err(not_started)?;
        Ok(Self {
            pid: child.id().unwrap_or_default(),
            stdout: Capture::of(child.stdout.take()),
            stderr: Capture::of(child.stderr.take()),
            child,
        })
    }

    /// Waits for the process to end and reads what it says meanwhile. Nothing is lost if the wait is broken off.
    async fn exit(&mut self) -> io::Result<ExitStatus> {
        let Self { child, stdout, stderr, .. } = self;
        tokio::select! {
            exit = child.wait() => return exit,
            _ = async { tokio::join!(stdout.drain(), stderr.drain()) } => (),
        }
        child.wait().await
    }

    /// What the process that has ended left behind.
    async fn output(&mut self, exit: io::Result<ExitStatus>) -> Result<CommandOutput, RunError> {
        let end = match exit.map(|status| (status.code(), status.signal())) {
            Ok((Some(status), _)) => CommandEnd::Exit(status),
            Ok((None, signal)) => CommandEnd::Signal(signal.unwrap_or_default()),
            Err(error) => return Err(RunError::Io { message: error.to_string() }),
        };
        let Self { stdout, stderr, .. } = self;
        // What the process itself wrote is there by now; only others can keep the pipes open.
        let _lingers = timeout(LINGER, async { tokio::join!(stdout.drain(), stderr.drain()) }).await;
        let ((stdout, stdout_truncated), (stderr, stderr_truncated)) = (stdout.take(), stderr.take());
        Ok(CommandOutput { end, stdout, stderr, stdout_truncated, stderr_truncated })
    }

    /// Sends SIGTERM, unless the process was waited for already and its number may be another's.
    fn tell_to_end(&self) {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        if let Some(Err(error)) = pid.map(|pid| kill_process(pid, Signal::TERM)) {
            tracing::warn!(?pid, %error, "cannot be told to end");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tell_to_end();
    }
}

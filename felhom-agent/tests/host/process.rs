//! What the tests need of processes: stubs in the place of programs, who is running, a runtime.

use std::fs;

use felhom_agent::config::PrivilegedMode;
use felhom_agent::runner::ProcessRunner;
use proxmox_privileged::{Command, CommandEnd, CommandOutput, Program, RunError, Runner};

use crate::contained::write;

/// Puts a shell script in the place of a program.
pub(crate) fn stub(program: Program, script: &str) {
    write(program.path(), &format!("#!/bin/sh\n{script}\n"), 0o755);
}

/// The value of a future, on a runtime of its own in this thread.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Runs a command without sudo.
pub(crate) async fn run(command: &Command) -> Result<CommandOutput, RunError> {
    ProcessRunner::new(PrivilegedMode::Direct).run(command).await
}

/// Output of a process that exited and said this on stdout.
pub(crate) fn exited(status: i32, stdout: &str) -> CommandOutput {
    said(status, stdout, "")
}

/// Output of a process that exited and said this.
pub(crate) fn said(status: i32, stdout: &str, stderr: &str) -> CommandOutput {
    CommandOutput {
        end: CommandEnd::Exit(status),
        stdout: stdout.into(),
        stderr: stderr.into(),
        stdout_truncated: false,
        stderr_truncated: false,
    }
}

/// Names of all processes but this one and the first, with `(zombie)` behind those that nobody has waited for.
pub(crate) fn others() -> Vec<String> {
    let this = std::process::id().to_string();
    let folders = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
    let pids = folders.filter_map(|name| name.into_string().ok());
    let pids = pids.filter(|pid| pid.starts_with(|c: char| c.is_ascii_digit()) && *pid != this && pid != "1");
    let status = pids.filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/status")).ok());
    status.map(|status| name(&status)).collect()
}

fn name(status: &str) -> String {
    let value = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim();
    let mark = if value("State:").starts_with('Z') { " (zombie)" } else { "" };
    format!("{}{mark}", value("Name:"))
}

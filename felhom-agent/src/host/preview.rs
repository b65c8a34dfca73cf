//! A dry run: what only looks is run, what changes something is shown.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use proxmox_privileged::{Command, CommandOutput, RunError, RunFuture, Runner};

/// Runs what looks, and notes what would change something.
pub struct Preview {
    runner: Arc<dyn Runner>,
    noted: Mutex<Vec<String>>,
}

impl fmt::Debug for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Preview").field(&self.noted()).finish()
    }
}

impl Preview {
    /// A preview over the runner that would do it.
    pub fn new(runner: Arc<dyn Runner>) -> Self {
        Self { runner, noted: Mutex::default() }
    }

    /// The commands that would have been run, as they would be typed.
    pub fn noted(&self) -> Vec<String> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Runner for Preview {
    fn run(&self, command: &Command) -> RunFuture<'_, Result<CommandOutput, RunError>> {
        if !command.changes() {
            return self.runner.run(command);
        }
        let line = if command.needs_root() { format!("sudo -n -- {command}") } else { command.to_string() };
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        Box::pin(std::future::ready(Err(RunError::Io { message: "only shown, not run".into() })))
    }
}

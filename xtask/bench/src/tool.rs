//! Programs that may be there or not.

use std::process::Command;

/// What a program says of its version, in one line; nothing if it is not there.
pub(crate) fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
}

pub(crate) fn is_there(program: &str) -> bool {
    version(program).is_some()
}

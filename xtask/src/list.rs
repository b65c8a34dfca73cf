//! The committed lists: one `name = reason` per line, so that every exception is argued for where it is made.

use std::collections::BTreeSet;

use crate::workspace::{Violation, Workspace};

/// The names on `xtask/fence/{name}.list`.
pub(crate) fn read(workspace: &Workspace, name: &str) -> Result<BTreeSet<String>, Violation> {
    let path = format!("xtask/fence/{name}.list");
    let lines = workspace.text(&path)?.lines().zip(1..);
    let mut names = BTreeSet::new();
    for (line, number) in lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#')) {
        let here = |what: &str| Violation::new(format!("{path}:{number}: {what}"));
        let name = listed(line).ok_or_else(|| here("a line is `name = reason`"))?;
        if !names.insert(name.to_owned()) {
            return Err(here("the name is listed twice"));
        }
    }
    Ok(names)
}

/// The name on a line, if it has a reason and no odd blanks.
fn listed(line: &str) -> Option<&str> {
    let (name, reason) = line.split_once(" = ")?;
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@".contains(letter);
    let is_valid =
        !name.is_empty() && name.chars().all(is_name) && !reason.is_empty() && reason.trim() == reason;
    is_valid.then_some(name)
}

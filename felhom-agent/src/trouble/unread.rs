//! What is said of rows of a list that could not be read, and so are not known to be absent.

use proxmox_types::{NodeName, Unread};

use crate::finding::Finding;

/// The rows of a list of guests that may be containers of this node.
pub fn may_be_here(guests: &[Unread], node: &NodeName) -> Vec<Unread> {
    let says = |row: &Unread, key, text: &str| row.field(key).is_none_or(|found| found == text);
    guests
        .iter()
        .filter(|row| says(row, "type", "lxc") && says(row, "node", node.as_str()))
        .cloned()
        .collect()
}

/// A warning for each of the rows, which says what cannot be told because of it.
pub fn untold(rows: &[Unread], what: &str) -> Vec<Finding> {
    let warn = |row: &Unread| {
        let name = row.name();
        Finding::warn(format!("{name} could not be read, so {what}"))
            .about(name)
            .because(row.reason())
            .look("pveversion && felhom-agent --version")
    };
    rows.iter().map(warn).collect()
}

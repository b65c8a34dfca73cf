//! What exercises leave at containers, and how it is known for theirs.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use proxmox_api::{Client, Error};
use proxmox_types::{Malformed, NodeName, Resource, Rows, SnapshotEntry, SnapshotName, Tags, Unread, Vmid};
use serde::Serialize;

use crate::config::{Config, DEFAULT_PATH};
use crate::diagnosis::guests::{may_be_here, untold};
use crate::report::finding::Finding;
use crate::report::shell::word;

/// A container with this tag may be used for the exercise.
pub const TAG: &str = "felhom-selftest";

/// The tag that is set after the snapshot, and must be gone after the rollback. PVE keeps a description through a
/// rollback, so that one would prove nothing.
pub const MARKER: &str = "felhom-st-marker";

/// The description of the snapshots.
pub const DESCRIPTION: &str = "self-test of felhom-agent";

/// What the names of the snapshots begin with. The time and chance follow, eight hexadecimal digits each.
const PREFIX: &str = "felhom-st-";

/// Something of an exercise that is still there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// What.
    pub what: String,
    /// The command, to be run as root on the node, that removes it.
    pub command: String,
}

impl Leftover {
    /// Something, and what removes it.
    pub(super) fn new(what: impl Into<String>, command: impl Into<String>) -> Self {
        Self { what: what.into(), command: command.into() }
    }
}

/// What exercises have left at a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtContainer {
    /// The container.
    pub vmid: Vmid,
    /// The snapshots.
    pub snapshots: Vec<SnapshotName>,
    /// Snapshots of such a name that somebody else took. They are told, and never deleted.
    pub alike: Vec<String>,
    /// Snapshots that could not be read, and may be of an exercise.
    pub hidden: Vec<Unread>,
    /// Whether it has the marker.
    pub is_marked: bool,
}

impl AtContainer {
    /// What can be seen in the snapshots and tags of a container.
    pub fn new(vmid: Vmid, snapshots: &Rows<SnapshotEntry>, tags: &Tags) -> Self {
        let named = snapshots.iter().filter(|entry| entry.name.starts_with(PREFIX));
        let (ours, others): (Vec<_>, Vec<_>) = named.partition(|entry| is_ours(entry));
        Self {
            vmid,
            snapshots: ours.into_iter().filter_map(SnapshotEntry::snapshot).collect(),
            alike: others.into_iter().map(|entry| entry.name.clone()).collect(),
            hidden: snapshots.unread().iter().filter(|row| may_be_ours(row)).cloned().collect(),
            is_marked: tags.contains(MARKER),
        }
    }

    /// A warning for each snapshot that may be of an exercise.
    pub fn doubts(&self) -> Vec<Finding> {
        let what = format!("it cannot be told whether an exercise left it at container {}", self.vmid);
        untold(&self.hidden, &what)
    }

    /// Whether there is something to be removed.
    pub fn is_dirty(&self) -> bool {
        self.is_marked || !self.snapshots.is_empty()
    }
}

/// The command that finishes what an exercise has left, to be run by root: as the account that has the journal.
pub fn cleanup_line(config: &Config) -> String {
    let owner = fs::metadata(&config.state_dir).map_or(0, |facts| facts.uid());
    let account = if owner == 0 { String::new() } else { format!("sudo -u '#{owner}' ") };
    let path = if config.path == Path::new(DEFAULT_PATH) {
        String::new()
    } else {
        format!(" --config {}", word(&config.path))
    };
    format!("{account}felhom-agent cleanup{path}")
}

/// Takes the marker from a container whose tags are not known.
pub(super) fn unmark_line(vmid: Vmid) -> String {
    format!(
        "pct set {vmid} --tags \"$(pct config {vmid} | sed -n 's/^tags: //p' | tr ';' '\\n' | grep -vx {MARKER} | paste -sd ';')\""
    )
}

/// Looks at the containers of a node that are meant for exercises or were changed by one. Of a guest that could not be
/// read, it warns.
pub async fn search(
    client: &Client,
    node: &NodeName,
    guests: &Rows<Resource>,
) -> Result<(Vec<AtContainer>, Vec<Finding>), Error> {
    let is_meant = |tags: &Tags| tags.contains(TAG) || tags.contains(MARKER);
    let mut found = Vec::new();
    for guest in guests.iter().filter(|guest| guest.is_container_of(node) && is_meant(&guest.tags)) {
        let Some(vmid) = guest.vmid else { continue };
        let snapshots = client.node(node).lxc(vmid).snapshots().await?;
        found.push(AtContainer::new(vmid, &snapshots, &guest.tags));
    }
    let hidden = may_be_here(guests.unread(), node);
    Ok((found, untold(&hidden, "it cannot be told whether an exercise left something there")))
}

/// Whether a row that could not be read may be a snapshot of an exercise.
fn may_be_ours(row: &Unread) -> bool {
    row.field("name").is_none_or(|name| name.starts_with(PREFIX))
}

/// Whether an exercise took the snapshot: it has both the name and the description.
pub(super) fn is_ours(entry: &SnapshotEntry) -> bool {
    let description = entry.description.as_deref().unwrap_or_default();
    is_name(&entry.name) && description.trim_end() == DESCRIPTION
}

/// Whether it is a name that an exercise gives.
pub(super) fn is_name(name: &str) -> bool {
    let is_hex = |text: &str| text.len() == 8 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let parts = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(time, chance)| is_hex(time) && is_hex(chance))
}

/// A name that no other snapshot has.
pub(super) fn name(now: SystemTime) -> Result<SnapshotName, Malformed> {
    let time = now.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let chance = ring::rand::generate::<[u8; 4]>(&ring::rand::SystemRandom::new());
    let chance = chance.map_or_else(|_| std::process::id(), |bytes| u32::from_be_bytes(bytes.expose()));
    format!("{PREFIX}{:08x}-{chance:08x}", time & 0xffff_ffff).parse()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at_container(name: &str, description: &str) -> AtContainer {
        let entry =
            serde_json::from_value(json!({ "name": name, "description": description, "snaptime": 1 }));
        AtContainer::new(300.try_into().unwrap(), &vec![entry.unwrap()].into(), &Tags::default())
    }

    #[test]
    fn a_name_is_known_again_and_never_the_same() {
        let names = [(); 2].map(|()| name(SystemTime::now()).unwrap());
        assert_ne!(names[0], names[1]);
        for name in names {
            let found = at_container(name.as_str(), "self-test of felhom-agent\n");
            assert_eq!((found.snapshots, found.alike), (vec![name], Vec::new()));
        }
    }

    #[test]
    fn what_somebody_else_took_is_told_and_not_ours() {
        let others = [
            ("felhom-st-6b052c47-0a1b2c3d", "my own"),
            ("felhom-st-6b052c47-0a1b2c3d", ""),
            ("felhom-st-before-upgrade", DESCRIPTION),
            ("felhom-st-6B052C47-0a1b2c3d", DESCRIPTION),
            ("felhom-st-6b052c47", DESCRIPTION),
        ];
        for (name, description) in others {
            let found = at_container(name, description);
            assert!(!found.is_dirty());
            assert_eq!(found.alike, [name]);
        }
        assert_eq!(at_container("before-upgrade", DESCRIPTION).alike, Vec::<String>::new());
    }

    #[test]
    fn the_marker_alone_is_a_leftover() {
        let marked = AtContainer::new(
            300.try_into().unwrap(),
            &Rows::default(),
            &"a;felhom-st-marker".parse().unwrap(),
        );
        assert!(marked.is_dirty());
    }
}

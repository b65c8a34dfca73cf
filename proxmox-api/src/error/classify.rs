//! The one table that reads PVE's prose.
//!
//! PVE has no 404, 409 or 412: nearly every refusal is a 500 with a sentence, and a failed task has a sentence alone.
//! Each row names a recording in which the sentence was seen.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Cause, Denied, Thing};

/// One sentence and its meaning. `{}` in the pattern stands for any text; the texts are given to `meaning` in order.
struct Row {
    status: u16,
    pattern: &'static str,
    meaning: fn(&[&str]) -> Cause,
    /// Whether PVE says it before it does anything, so that it proves that nothing was done.
    comes_first: bool,
    /// A recording in which it was seen. A task's exit status counts as a 500.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the tests that replay the recordings"))]
    seen: &'static str,
}

const fn row(status: u16, pattern: &'static str, meaning: fn(&[&str]) -> Cause, seen: &'static str) -> Row {
    Row { status, pattern, meaning, comes_first: false, seen }
}

impl Row {
    /// Marks a refusal that comes before anything is done: before the worker is started, or before the first write of a
    /// call without one. What may also be said in the middle, such as a lock that could not be had, is not marked.
    const fn comes_first(self) -> Self {
        Self { comes_first: true, ..self }
    }

    fn fits(&self, status: u16, message: &str) -> bool {
        self.status == status && captures(self.pattern, message).is_some()
    }
}

/// The table; the first row that fits counts.
const ROWS: &[Row] = &[
    row(
        403,
        "Permission check failed ({} is only allowed for root@pam)",
        root_only,
        "config-put-keyctl-token",
    ),
    row(
        403,
        "Permission check failed (URI '{}' not available with API token{}",
        verbatim,
        "token-notallowed-endpoint",
    ),
    row(403, "Permission check failed ({}, {})", privileges, "start-403-none"),
    row(403, "Permission check failed", |_| Cause::Permission(Denied::default()), "lp-restore-nopool"),
    row(500, "CT is locked ({})", |texts| Cause::Locked { by: first(texts) }, "locked-delete").comes_first(),
    row(500, "can't lock file '{}' - got timeout", |_| Cause::LockTimeout, "flock-held-config-put"),
    row(500, "{} already running", |_| Cause::AlreadyRunning, "lxc-start-already-running").comes_first(),
    row(500, "can't overwrite running container", |_| Cause::AlreadyRunning, "restore-force-403-path100")
        .comes_first(),
    row(500, "{} not running", |_| Cause::NotRunning, "lxc-stop-not-running").comes_first(),
    row(500, "Configuration file '{}' does not exist", container, "get-lxc-config-missing").comes_first(),
    row(
        500,
        "storage '{}' does not exist",
        |texts| missing(Thing::Storage, texts),
        "get-storage-get-missing",
    )
    .comes_first(),
    row(
        500,
        "snapshot '{}' does not exist",
        |texts| missing(Thing::Snapshot, texts),
        "snapshot-config-missing",
    )
    .comes_first(),
    row(500, "volume '{}' does not exist", |texts| missing(Thing::Volume, texts), "extractconfig-missing"),
    row(500, "bridge '{}' does not exist", |texts| missing(Thing::Bridge, texts), "start-missing-bridge"),
    row(
        500,
        "volume_size_info on '{}' failed{}",
        |texts| missing(Thing::Volume, texts),
        "content-volume-get-missing",
    ),
    row(
        500,
        "no such token '{}' for user '{}'",
        |texts| missing(Thing::Token, texts),
        "token-get-missing.root",
    )
    .comes_first(),
    row(500, "hostname lookup '{}' failed{}", |texts| missing(Thing::Node, texts), "get-node-unknown")
        .comes_first(),
    row(
        500,
        "address lookup for '{}' did not find{}",
        |texts| missing(Thing::Node, texts),
        "offline-node-status",
    )
    .comes_first(),
    row(
        500,
        // A virtual machine has the VMID as well.
        "{} {} already exists on node '{}'",
        |texts| present(Thing::Container, texts.get(1..).unwrap_or_default()),
        "create-twice-second",
    )
    .comes_first(),
    row(
        500,
        "snapshot name '{}' already used",
        |texts| present(Thing::Snapshot, texts),
        "snapshot-create-dup",
    )
    .comes_first(),
    row(500, "detected modified configuration{}", |_| Cause::Conflict, "resize-digest").comes_first(),
    row(500, "can't remove CT {} - protection mode enabled", |_| Cause::Protected, "lxc-delete-protected")
        .comes_first(),
    row(500, "cannot remove protected volume{}", |_| Cause::Protected, "content-volume-delete-protected")
        .comes_first(),
    row(500, "you can't {} if it's a template", |_| Cause::IsTemplate, "template-snapshot").comes_first(),
    row(500, "you can't convert a template to a template", |_| Cause::IsTemplate, "template-again")
        .comes_first(),
    row(500, "snapshot feature is not available", |_| Cause::NoSnapshots, "snapshot-missing-disk")
        .comes_first(),
    row(500, "storage '{}' is disabled", unavailable, "content-disabled").comes_first(),
    row(500, "storage '{}' is not online", unavailable, "content-inactive").comes_first(),
    row(500, "could not activate storage '{}': storage '{}' is{}", unavailable, "vzdump-storage-inactive")
        .comes_first(),
    row(
        500,
        "could not activate storage '{}': storage '{}' does not exist{}",
        |texts| missing(Thing::Storage, texts),
        "vzdump-pbs",
    )
    .comes_first(),
];

/// Sentences of the sources that no recording holds.
const UNRECORDED: &[Row] = &[
    row(403, "pool '{}' does not exist", |texts| missing(Thing::Pool, texts), ""),
    row(403, "Permission check failed (user != root@pam)", |_| root_only(&["this"]), ""),
    row(500, "{}no quorum{}", |_| Cause::NoQuorum, ""),
    // pve-guest-common `PVE/AbstractConfig.pm`, `snapshot_delete`: after 10 s, also while the container is started.
    row(500, "Failed to obtain guest migration lock - replication running?", |_| Cause::LockTimeout, ""),
    // pve-common `PVE/RESTEnvironment.pm`, `fork_worker`: the list is written after the worker was let go.
    row(500, "can't lock file '/var/log/pve/tasks/.active.lock' - got timeout", |_| Cause::Unlisted, ""),
];

/// What the text of one refused parameter means, beside "PVE refused parameters".
const FIELD_ROWS: &[Row] = &[
    row(400, "no such task", |_| missing(Thing::Task, &[""]), "task-status-unknown.root"),
    row(400, "VM {} already exists", |texts| present(Thing::Container, texts), "get-nextid-taken"),
    row(400, "No such storage.", |_| missing(Thing::Storage, &[""]), "get-storage-status-missing"),
    row(400, "Only root may {} this option.", |_| root_only(&["this option"]), "lxc-start-skiplock-token"),
];

/// The meaning of an answer that is neither 200 nor 401.
pub(crate) fn classify(status: u16, message: &str, fields: BTreeMap<String, String>) -> Cause {
    if let 502..=504 | 595..=599 = status {
        return Cause::Gateway { status, reason: message.into() };
    }
    let field = fields.values().find_map(|text| find(FIELD_ROWS, 400, text.trim()));
    if let Some(meaning) = field {
        return meaning;
    }
    if !fields.is_empty() {
        return Cause::Parameters { fields };
    }
    find(UNRECORDED, status, message)
        .or_else(|| find(ROWS, status, message))
        .unwrap_or_else(|| Cause::Status { message: message.into() })
}

/// Statuses with which PVE and proxies refuse a request without handing it on.
const REFUSING: [u16; 15] = [400, 402, 403, 404, 405, 406, 407, 411, 413, 414, 415, 417, 426, 429, 431];

/// Whether such an answer proves that nothing was done. `refuses_first` is that of the endpoint.
pub(crate) fn proves_refusal(status: u16, message: &str, refuses_first: bool) -> bool {
    let row = || UNRECORDED.iter().chain(ROWS).find(|row| row.fits(status, message));
    REFUSING.contains(&status) || (refuses_first && row().is_some_and(|row| row.comes_first))
}

/// The meaning of a failed task's exit status. The text may have `unable to restore CT 161 - ` and a status before it.
pub(crate) fn classify_exit(exit: &str) -> Cause {
    let text = match captures("unable to {} CT {} - {}", exit).as_deref() {
        Some([_, _, reason]) => *reason,
        _ => exit,
    };
    match text.strip_prefix("403 ") {
        Some(message) => classify(403, message, BTreeMap::new()),
        None => match classify(500, text, BTreeMap::new()) {
            Cause::Status { .. } => Cause::Status { message: exit.into() },
            cause => cause,
        },
    }
}

fn find(rows: &[Row], status: u16, message: &str) -> Option<Cause> {
    rows.iter()
        .filter(|row| row.status == status)
        .find_map(|row| captures(row.pattern, message).map(|texts| (row.meaning)(&texts)))
}

/// The texts at each `{}` of the pattern, if the whole message fits. Each is as short as possible.
fn captures<'m>(pattern: &str, message: &'m str) -> Option<Vec<&'m str>> {
    let mut literals = pattern.split("{}");
    let mut rest = message.strip_prefix(literals.next()?)?;
    let mut texts = Vec::new();
    let mut literals = literals.peekable();
    while let Some(literal) = literals.next() {
        let is_last = literals.peek().is_none();
        let at = if is_last { rest.len().checked_sub(literal.len())? } else { rest.find(literal)? };
        let (text, tail) = rest.split_at_checked(at)?;
        rest = tail.strip_prefix(literal)?;
        texts.push(text);
    }
    rest.is_empty().then_some(texts)
}

fn first(texts: &[&str]) -> String {
    texts.first().copied().unwrap_or_default().to_string()
}

fn missing(what: Thing, texts: &[&str]) -> Cause {
    Cause::NotFound { what, name: first(texts) }
}

fn present(what: Thing, texts: &[&str]) -> Cause {
    Cause::AlreadyExists { what, name: first(texts) }
}

fn unavailable(texts: &[&str]) -> Cause {
    Cause::StorageUnavailable { name: first(texts) }
}

/// `nodes/pve1/lxc/999.conf` is container 999.
fn container(texts: &[&str]) -> Cause {
    let file = texts.first().copied().unwrap_or_default();
    let vmid = file.rsplit_once('/').and_then(|(_, name)| name.strip_suffix(".conf"));
    Cause::NotFound { what: Thing::Container, name: vmid.unwrap_or(file).to_string() }
}

fn root_only(texts: &[&str]) -> Cause {
    Cause::Permission(Denied { root_only: Some(first(texts)), ..Denied::default() })
}

fn verbatim(texts: &[&str]) -> Cause {
    Cause::Status { message: alloc::format!("`{}` cannot be used with an API token", first(texts)) }
}

fn privileges(texts: &[&str]) -> Cause {
    let listed = texts.get(1).copied().unwrap_or_default();
    Cause::Permission(Denied {
        path: Some(first(texts)),
        any: listed.contains('|'),
        privileges: listed.split(['|', ',']).map(|privilege| privilege.trim().to_string()).collect(),
        ..Denied::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_messages() {
        assert_eq!(
            captures("{} {} already exists on node '{}'", "CT 100 already exists on node 'pve1'"),
            Some(alloc::vec!["CT", "100", "pve1"])
        );
        let taken = classify(500, "VM 100 already exists on node 'pve1'", BTreeMap::new());
        assert_eq!(taken, Cause::AlreadyExists { what: Thing::Container, name: "100".into() });
        assert_eq!(captures("CT is locked ({})", "CT is locked (backup) and more"), None);
        assert_eq!(captures("{} not running", "VM 101 not running"), Some(alloc::vec!["VM 101"]));
    }

    /// Status, message and fields of a recorded refusal; a failed task counts as a 500.
    fn recorded(name: &str) -> (u16, String, BTreeMap<String, String>) {
        let read = |name: &str| {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../proxmox-types/fixtures");
            let text = std::fs::read_to_string(folder.join(alloc::format!("{name}.json")));
            text.ok().map(|text| serde_json::from_str::<serde_json::Value>(&text).unwrap())
        };
        let call = read(name).unwrap();
        let body = |file: &serde_json::Value| {
            serde_json::from_str::<serde_json::Value>(file["body"].as_str().unwrap()).unwrap()
        };
        if call["status"] == 200 {
            let task = body(&read(&alloc::format!("{name}.task-status")).unwrap());
            return (500, task["data"]["exitstatus"].as_str().unwrap().into(), BTreeMap::new());
        }
        let fields = serde_json::from_value(body(&call)["errors"].clone()).unwrap_or_default();
        let status = u16::try_from(call["status"].as_u64().unwrap()).unwrap();
        (status, call["reason"].as_str().unwrap().into(), fields)
    }

    #[test]
    fn every_sentence_was_said_in_the_recording_that_its_row_names() {
        for row in ROWS {
            let (status, message, _) = recorded(row.seen);
            assert_eq!(status, row.status, "{}", row.seen);
            assert!(captures(row.pattern, &message).is_some(), "{} in {}: {message}", row.pattern, row.seen);
        }
        for row in FIELD_ROWS {
            let (_, _, fields) = recorded(row.seen);
            assert!(fields.values().any(|text| captures(row.pattern, text.trim()).is_some()), "{}", row.seen);
        }
    }

    #[test]
    fn no_row_hides_another() {
        for (index, row) in ROWS.iter().enumerate() {
            let (status, message, _) = recorded(row.seen);
            let fits = |row: &Row| row.status == status && captures(row.pattern, &message).is_some();
            assert_eq!(ROWS.iter().position(fits), Some(index), "{}", row.seen);
        }
    }

    #[test]
    fn unrecorded_sentences_are_known_from_the_sources() {
        assert_eq!(classify(500, "cluster not ready - no quorum?", BTreeMap::new()), Cause::NoQuorum);
        assert_eq!(classify(403, "pool 'x' does not exist", BTreeMap::new()), missing(Thing::Pool, &["x"]));
    }

    #[test]
    fn a_permission_inside_an_exit_status_is_the_same_value_as_on_the_call() {
        let wanted = Cause::Permission(Denied {
            path: Some("/sdn/zones/localnetwork/vmbr0".into()),
            privileges: alloc::vec!["SDN.Use".into()],
            ..Denied::default()
        });
        let exit =
            "unable to restore CT 161 - 403 Permission check failed (/sdn/zones/localnetwork/vmbr0, SDN.Use)";
        let message = "Permission check failed (/sdn/zones/localnetwork/vmbr0, SDN.Use)";
        assert_eq!([classify_exit(exit), classify(403, message, BTreeMap::new())], [wanted.clone(), wanted]);
    }
}

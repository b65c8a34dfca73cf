//! Reads PVE's prose, by one table.
//!
//! PVE has no 404, 409 or 412: nearly every refusal is a 500 with a sentence, and a failed task has a sentence alone.

mod meaning;
mod pattern;
mod sentences;

use alloc::collections::BTreeMap;
use alloc::string::String;

use self::meaning::root_only;
use self::pattern::captures;
use self::sentences::{HEADS, ROWS, STEPS, SentenceRow};
use super::Cause;

/// The meaning of an answer that is neither 200 nor 401.
pub(crate) fn classify(status: u16, message: &str, fields: BTreeMap<String, String>) -> Cause {
    if let 502..=504 | 595..=599 = status {
        return Cause::Gateway { status, reason: message.into() };
    }
    if let Some(cause) = fields.iter().find_map(|(name, text)| field(name, text.trim())) {
        return cause;
    }
    if !fields.is_empty() {
        return Cause::Parameters { fields };
    }
    find(message).map_or_else(|| Cause::Status { message: message.into() }, |(_, cause)| cause)
}

/// What the text of one refused parameter means, beside "PVE refused parameters".
fn field(name: &str, text: &str) -> Option<Cause> {
    if captures("Only root{} may {} this option.", text).is_some() {
        return Some(root_only(name));
    }
    let is_thing = |cause: &Cause| matches!(cause, Cause::NotFound { .. } | Cause::AlreadyExists { .. });
    find(text).map(|(_, cause)| cause).filter(is_thing)
}

/// Statuses with which PVE and proxies refuse a request without handing it on.
const REFUSING: [u16; 15] = [400, 402, 403, 404, 405, 406, 407, 411, 413, 414, 415, 417, 426, 429, 431];

/// Beginnings of what is said of a parameter after it was written, although with a 400.
/// Recording `config-put-r2-running-mp-hotplug`; pve-container `PVE/LXC/Config.pm`, `vmconfig_apply_pending`.
const WRITTEN: [&str; 2] = ["unable to hotplug ", "unable to apply pending change "];

/// Whether what is said of a parameter means that it was written before.
pub(crate) fn was_written(text: &str) -> bool {
    WRITTEN.iter().any(|beginning| text.starts_with(beginning))
}

/// Whether such an answer proves that nothing was done. `refuses_first` is that of the endpoint.
pub(crate) fn proves_refusal(status: u16, message: &str, refuses_first: bool) -> bool {
    let comes_first = || find_below(&[HEADS], message).is_some_and(|(row, _)| row.comes_first);
    REFUSING.contains(&status) || (refuses_first && status == 500 && comes_first())
}

/// The meaning of a failed task's exit status. Why a command or a backup job failed stands in the log alone.
pub(crate) fn classify_exit(exit: &str, log: &[String]) -> Cause {
    let meaning = |line: &String| find(line).map(|(_, cause)| cause);
    let is_full = || log.iter().filter_map(meaning).find(|cause| *cause == Cause::NoSpace);
    let is_backup = |line: &&String| exit == "job errors" && line.starts_with("ERROR: Backup of VM ");
    let backup = || log.iter().filter(is_backup).find_map(meaning);
    let cause = find(exit).map(|(_, cause)| cause).or_else(is_full).or_else(backup);
    cause.unwrap_or_else(|| Cause::Status { message: exit.into() })
}

/// So many things stand before a sentence at most.
const DEPTH: usize = 4;

/// The row that a sentence fits, and what it means. Something else may stand before the sentence.
fn find(text: &str) -> Option<(&'static SentenceRow, Cause)> {
    find_below(&[HEADS, STEPS], text)
}

/// The same with these before the sentence, and the place in the source after it.
fn find_below(heads: &[&[&'static str]], text: &str) -> Option<(&'static SentenceRow, Cause)> {
    innermost(heads, without_place(text.trim()), DEPTH)
}

/// What the innermost sentence means; if it means nothing, the one around it.
fn innermost(heads: &[&[&'static str]], text: &str, depth: usize) -> Option<(&'static SentenceRow, Cause)> {
    let inside = |head: &&str| captures(head, text)?.last().copied();
    let inner = heads.iter().flat_map(|group| group.iter()).filter(|_| depth > 0).find_map(inside);
    inner.and_then(|inner| innermost(heads, inner, depth.saturating_sub(1))).or_else(|| row(text))
}

fn row(text: &str) -> Option<(&'static SentenceRow, Cause)> {
    let mut rows = ROWS.iter().flat_map(|group| group.iter());
    rows.find_map(|row| captures(row.pattern, text).map(|texts| (row, row.meaning.cause(text, &texts))))
}

/// The sentence without ` at /usr/share/perl5/PVE/Storage.pm line 651.`, which Perl adds.
fn without_place(text: &str) -> &str {
    match text.rsplit_once(" at /") {
        Some((sentence, place)) if place.contains(" line ") => sentence,
        _ => text,
    }
}

#[cfg(test)]
mod tests;

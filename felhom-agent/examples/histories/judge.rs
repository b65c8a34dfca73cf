//! What must be true after every history, whatever went wrong in it.

use std::collections::BTreeMap;
use std::time::Duration;

use felhom_agent::exercise::Exercised;
use felhom_agent::exercise::cleanup::CleanupReport;
use felhom_agent::exercise::leftover::{AtContainer, Leftover, MARKER, TAG};
use felhom_agent::report::exit::Exit;
use felhom_agent::report::finding::{Finding, Status};
use proxmox_api::Error;
use proxmox_api::sim::{Container, Received};
use proxmox_types::Upid;
use serde_json::json;

use crate::history::{Detail, GUEST, History, ProgramStep};
use crate::node::{self, LEFT, tags};
use crate::play::{Called, Ending, Played, Tale, has};
use crate::wire::Sent;

/// Looks at one side of a tale, and adds what is wrong.
type JudgeRule = fn(&History, &Tale, &mut Vec<String>);

const RULES: &[JudgeRule] = &[
    |_, tale, wrong| tale.played().for_each(|played| bounded(played, wrong)),
    |_, tale, wrong| tale.played().for_each(|played| never_repeated(tale, played, wrong)),
    |_, tale, wrong| tale.played().for_each(|played| truthful(tale, played, wrong)),
    leftovers_are_reported,
    others_keep_theirs,
    a_healthy_cleanup_cleans,
];

/// What is wrong with a tale; nothing if all is well.
pub(crate) fn judge(history: &History, tale: &Tale) -> Vec<String> {
    let mut wrong = Vec::new();
    for rule in RULES {
        rule(history, tale, &mut wrong);
    }
    wrong
}

impl Tale {
    fn played(&self) -> impl Iterator<Item = &Played> {
        self.steps.iter().chain([&self.last])
    }

    /// What the node did for the agent in a step, later included.
    fn applied(&self, played: &Played) -> Vec<Received> {
        let world = self.wire.sim.world();
        let of_step = |received: &&Received| {
            received.principal != node::other().as_str() && played.numbers.contains(&received.number)
        };
        let done = |received: &&Received| received.method != "GET" && received.status == 200;
        world.received.iter().filter(of_step).filter(done).cloned().collect()
    }

    fn sent(&self, played: &Played) -> impl Iterator<Item = &Sent> {
        self.sent.iter().filter(|sent| played.numbers.contains(&sent.number))
    }
}

/// Virtual time and requests that a step may take.
fn bounded(played: &Played, wrong: &mut Vec<String>) {
    let (minutes, requests) = match played.step {
        ProgramStep::Call(..) => (5, 400),
        ProgramStep::Exercise | ProgramStep::Cleanup => (20, 1500),
    };
    if played.took > Duration::from_mins(minutes) || played.numbers.len() > requests {
        wrong.push(format!("{:?} took {:?} and {} requests", played.step, played.took, played.numbers.len()));
    }
}

/// A change that may have left is never sent again without a look in between, and a POST never at all.
fn never_repeated(tale: &Tale, played: &Played, wrong: &mut Vec<String>) {
    let (mut last, mut posts) = (None, Vec::new());
    for sent in tale.sent(played).filter(|sent| sent.has_left) {
        if !sent.is_change {
            last = None;
            continue;
        }
        let is_again = last == Some(&sent.line) || posts.contains(&&sent.line);
        if is_again || matches!(played.step, ProgramStep::Call(..)) && !posts.is_empty() {
            wrong.push(format!("{:?} sent again: {}", played.step, sent.line));
        }
        last = Some(&sent.line);
        if sent.line.starts_with("POST") || matches!(played.step, ProgramStep::Call(..)) {
            posts.push(&sent.line);
        }
        let about = format!("/lxc/{GUEST}/");
        if !matches!(played.step, ProgramStep::Call(..)) && !sent.line.contains(&about) {
            wrong.push(format!("{:?} changed something else: {}", played.step, sent.line));
        }
    }
}

/// What a step reports is so.
fn truthful(tale: &Tale, played: &Played, wrong: &mut Vec<String>) {
    match &played.end {
        Ending::Called(called) => {
            if let Some(what) = false_report(tale, played, called) {
                wrong.push(format!("{:?}: {what}", played.step));
            }
        }
        Ending::Exercised(exercised) => false_claims(tale, played, exercised, wrong),
        Ending::Cleaned(_) | Ending::Killed => {}
    }
}

fn false_report(tale: &Tale, played: &Played, called: &Called) -> Option<String> {
    let applied = tale.applied(played);
    match &called.outcome {
        Err(error) if !error.may_have_happened() && !applied.is_empty() => {
            Some(format!("done, reported as not done: {error}"))
        }
        // A PUT may be refused after a part of it was done, so no text settles it.
        Err(error)
            if error.may_have_happened() && !played.is_disturbed && !tale.sent(played).any(Sent::is_put) =>
        {
            Some(format!("unknown without a reason: {error}"))
        }
        Ok(started) => {
            if applied.is_empty() && !called.is_in_effect {
                return Some(format!("not done, reported as done: {started:?}"));
            }
            let upid = started.upid()?;
            if !applied.iter().any(|applied| applied.upids.contains(&upid.to_string())) {
                return Some(format!("{upid} is not its task"));
            }
            false_end(played, upid, called)
        }
        _ => None,
    }
}

fn is_good(exit: Option<&str>) -> bool {
    exit.is_some_and(|exit| exit == "OK" || exit.starts_with("WARNINGS: "))
}

fn false_end(played: &Played, upid: &Upid, called: &Called) -> Option<String> {
    let known = played.exits.get(upid.as_str());
    let exit = known.and_then(Option::as_deref);
    let is_true = match called.waited.as_ref()? {
        Ok(_) => known.is_none() || is_good(exit),
        Err(Error::TaskFailed { exit: told, .. }) => known.is_none() || exit == Some(told),
        Err(Error::TaskUnknown { .. }) => known.is_none() || exit == Some("unexpected status"),
        Err(_) if !played.is_disturbed => exit.is_none(),
        Err(_) => true,
    };
    (!is_true).then(|| format!("{upid} ended with {exit:?}, reported as {:?}", called.waited))
}

/// What must be applied for a claim of the exercise to hold.
const CLAIMS: [(&str, &str); 4] = [
    ("x.snapshot", "snapshot.create"),
    ("x.marker", "lxc.set_config"),
    ("x.rollback", "snapshot.rollback"),
    ("x.delete", "snapshot.delete"),
];

fn false_claims(tale: &Tale, played: &Played, exercised: &Exercised, wrong: &mut Vec<String>) {
    let holds = |id: &str| {
        let is_ok = |finding: &Finding| finding.status == Status::Ok;
        exercised.checked.iter().any(|checked| checked.claim.id == id && checked.findings.iter().any(is_ok))
    };
    let applied = tale.applied(played);
    for (id, operation) in CLAIMS {
        if holds(id) && !applied.iter().any(|applied| applied.operation == operation) {
            wrong.push(format!("{id} is claimed, and nothing was applied"));
        }
    }
    let created = applied.iter().filter_map(|applied| applied.parameters.get("snapname"));
    if holds("x.gone") && created.into_iter().any(|name| played.snapshots.contains(name)) {
        wrong.push("x.gone is claimed, and the snapshot is there".into());
    }
    for task in &exercised.tasks {
        let known = played.exits.get(task.upid.as_str());
        if is_good(Some(&task.status)) && known.is_some_and(|exit| !is_good(exit.as_deref())) {
            wrong.push(format!("{} ended with {known:?}, reported as {}", task.upid, task.status));
        }
    }
}

/// What exercises left at their container.
fn left(containers: &BTreeMap<u32, Container>) -> Vec<String> {
    let Some(guest) = containers.get(&GUEST) else { return Vec::new() };
    let ours = guest.snapshots.iter().filter(|(name, snapshot)| is_ours(name, &snapshot.description));
    let marker = tags(guest).contains(MARKER).then(|| MARKER.to_string());
    ours.map(|(name, _)| name.clone()).chain(marker).collect()
}

/// Whether an exercise took such a snapshot, in the words of the agent itself.
fn is_ours(name: &str, description: &str) -> bool {
    let entries = json!([{ "name": name, "description": description, "snaptime": 1 }]);
    let entries = serde_json::from_value(entries).unwrap_or_default();
    let vmid = GUEST.try_into().ok();
    vmid.is_some_and(|vmid| AtContainer::new(vmid, &entries, &TAG.parse().unwrap_or_default()).is_dirty())
}

fn names(leftovers: &[Leftover], what: &str) -> bool {
    let hidden = format!("what is left at container {GUEST}");
    leftovers.iter().any(|leftover| leftover.what.contains(what) || leftover.what.contains(&hidden))
}

/// Whether the last step is an exercise that speaks of this, and does not say that it leaves it: its journal excuses one
/// that was killed, and no other.
fn is_silent(tale: &Tale, what: &str) -> bool {
    let Some(Ending::Exercised(exercised)) = tale.steps.last().map(|played| &played.end) else {
        return false;
    };
    let mut findings = exercised.checked.iter().flat_map(|checked| &checked.findings);
    findings.any(|finding| finding.summary.contains(what)) && !names(&exercised.leftovers, what)
}

fn leftovers_are_reported(history: &History, tale: &Tale, wrong: &mut Vec<String>) {
    let mut reports = tale.steps.iter().rev().filter_map(|played| match &played.end {
        Ending::Exercised(exercised) => Some(exercised.leftovers.as_slice()),
        Ending::Cleaned(report) => Some(report.leftovers.as_slice()),
        Ending::Killed | Ending::Called(_) => None,
    });
    let told = reports.next().unwrap_or_default();
    let noted = tale.journal.as_ref().filter(|entry| entry.vmid.get() == GUEST);
    let is_old = has(history, |detail| *detail == Detail::Left);
    for what in left(&tale.between) {
        let is_noted = noted.is_some_and(|entry| what == MARKER || what == entry.snapname.as_str());
        let is_exempt = is_old && (what == MARKER || what == LEFT);
        if !is_noted && !is_exempt && !names(told, &what) {
            wrong.push(format!("{what} is left, and neither reported nor in the journal"));
        }
        if is_silent(tale, &what) {
            wrong.push(format!("{what} is left, and the exercise that ended does not say so"));
        }
    }
}

/// What is compared of a container on which an exercise worked.
fn theirs(container: &Container) -> (serde_json::Map<String, serde_json::Value>, Vec<String>, bool) {
    let mut options = container.options.clone();
    options.retain(|name, _| name != "lock" && name != "tags");
    let tags = tags(container).0.into_iter().filter(|tag| tag != MARKER);
    (options, tags.collect(), container.is_running)
}

fn others_keep_theirs(history: &History, tale: &Tale, wrong: &mut Vec<String>) {
    let is_target = |vmid: &u32| {
        history.program.iter().any(|step| matches!(step, ProgramStep::Call(_, at) if at == vmid))
    };
    for (vmid, before) in tale.before.iter().filter(|(vmid, _)| !is_target(vmid)) {
        let Some(after) = tale.after.get(vmid) else {
            wrong.push(format!("container {vmid} is gone"));
            continue;
        };
        if theirs(before) != theirs(after) {
            wrong.push(format!("container {vmid} was changed: {before:?} became {after:?}"));
        }
        for (name, snapshot) in &before.snapshots {
            let is_kept = after.snapshots.get(name).is_some_and(|now| {
                (&now.options, &now.description, now.time)
                    == (&snapshot.options, &snapshot.description, snapshot.time)
            });
            let may_go = *vmid == GUEST && is_ours(name, &snapshot.description);
            if !is_kept && !may_go {
                wrong.push(format!("snapshot {name} of container {vmid} is gone"));
            }
        }
    }
    let world = tale.wire.sim.world();
    let of_others = world.received.iter().filter(|received| received.principal == node::other().as_str());
    for taken in of_others.filter(|received| received.operation == "snapshot.create") {
        let is_done = taken
            .upids
            .iter()
            .any(|upid| world.tasks().any(|(known, exit)| known == upid && exit == Some("OK")));
        let name = taken.parameters.get("snapname").map_or("", String::as_str);
        let is_there = tale.after.get(&GUEST).is_some_and(|guest| guest.snapshots.contains_key(name));
        if is_done && !is_there {
            wrong.push(format!("snapshot {name}, which somebody took meanwhile, is gone"));
        }
    }
}

/// At the end the node is well, so what cannot be cleaned up has a reason that somebody else made.
fn a_healthy_cleanup_cleans(history: &History, tale: &Tale, wrong: &mut Vec<String>) {
    let Ending::Cleaned(report) = &tale.last.end else {
        wrong.push("the last cleanup did not end".into());
        return;
    };
    let guest = tale.after.get(&GUEST);
    let is_locked = guest.is_some_and(|guest| guest.lock().is_some());
    let is_strange = has(history, |detail| matches!(detail, Detail::Untagged | Detail::Journal(..)));
    let left = left(&tale.after);
    for what in left.iter().filter(|what| !names(&report.leftovers, what)) {
        if !is_strange {
            wrong.push(format!("the last cleanup leaves {what}, and does not say so"));
        }
    }
    if !is_locked && !is_strange && (!left.is_empty() || report.exit() != Exit::Ok) {
        wrong.push(format!("the last cleanup of a healthy node did not clean: {}", in_words(report)));
    }
}

fn in_words(report: &CleanupReport) -> String {
    let problem = report.problem.as_ref().map(|problem| problem.summary.as_str());
    format!("left {:?}, done {:?}, {problem:?}", report.leftovers, report.done)
}

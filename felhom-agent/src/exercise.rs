//! The exercise: snapshots a container that is meant for it, changes it, rolls it back and deletes the snapshot.
//!
//! What is about to be done is on disk before it is done, so whatever ends the run, it is known what must be undone.

pub mod cleanup;
mod guest;
pub mod journal;
pub mod leftover;
pub mod site;
pub mod state;
mod steps;

use std::time::Duration;

use proxmox_types::Vmid;
use tokio::time::Instant;

use crate::process::catch_panic;
use crate::report::exit::Exit;
use crate::report::finding::{Checked, Finding, Found, Remedy, Status};

pub use steps::CLAIMS;

use journal::{Journal, StateDir, UNWRITTEN};
use leftover::{Leftover, cleanup_line};
use site::{LENIENCE, Site, TaskRun};
use steps::{ExerciseStep, STEPS, Steps};

/// What became of an exercise.
#[derive(Debug, Default)]
pub struct Exercised {
    /// One per claim.
    pub checked: Vec<Checked>,
    /// The tasks that were started.
    pub tasks: Vec<TaskRun>,
    /// What could not be removed.
    pub leftovers: Vec<Leftover>,
    /// Why it ended otherwise than by what was found.
    pub exit: Option<Exit>,
}

impl Exercised {
    /// One that never began.
    pub fn skipped(reason: &Finding) -> Self {
        let mut exercised = Self::default();
        exercised.skip_the_rest(reason);
        exercised
    }

    /// Says what was found for the next claim.
    fn record(&mut self, findings: Vec<Finding>, duration: Duration) {
        if let Some(claim) = CLAIMS.get(self.checked.len()) {
            self.checked.push(Checked { claim, findings, duration });
        }
    }

    /// Fills in the claims that were not come to.
    fn skip_the_rest(&mut self, reason: &Finding) {
        while self.checked.len() < CLAIMS.len() {
            self.record(vec![reason.clone()], Duration::ZERO);
        }
    }
}

/// Runs the exercise on a container, from taking the state folder to leaving nothing behind.
pub async fn run(site: Site<'_>, vmid: Option<Vmid>) -> Exercised {
    let mut exercised = Exercised::default();
    let (start, interrupt) = (Instant::now(), site.interrupt.clone());
    let mut signal = interrupt.clone();
    let prepared = tokio::select! {
        biased;
        _ = signal.nth(1) => Err(vec![Finding::skip("interrupted")]),
        prepared = prepare(site, vmid, &mut exercised.leftovers) => prepared,
    };
    match prepared {
        Ok((steps, finding)) => {
            exercised.record(vec![finding], start.elapsed());
            exercise(steps, exercised).await
        }
        Err(findings) => {
            let is_busy = findings.iter().any(|finding| finding.exit == Some(Exit::Busy));
            exercised.record(findings, start.elapsed());
            exercised.exit = interrupt.exit();
            let is_put_off = is_busy || exercised.exit.is_some();
            exercised.skip_the_rest(&if is_put_off {
                Finding::skip("not begun")
            } else {
                Finding::needs("x.guest")
            });
            exercised
        }
    }
}

/// Everything that must be well before the first step; else every reason against it.
async fn prepare<'c>(
    site: Site<'c>,
    vmid: Option<Vmid>,
    leftovers: &mut Vec<Leftover>,
) -> Result<(Steps<'c>, Finding), Vec<Finding>> {
    let Some(vmid) = vmid.or(site.config.selftest.vmid) else {
        let fix = Remedy::fix("felhom-agent selftest --task --vmid VMID");
        return Err(vec![Finding::fail("no container is named for it", fix)]);
    };
    let state = take(&site, leftovers).map_err(|finding| vec![*finding])?;
    let (before, finding) = guest::examine(&site, vmid).await?;
    let snapname = leftover::name((site.clock)()).map_err(|error| vec![internal(&error.to_string())])?;
    let journal = Journal { node: site.config.node.clone(), vmid, snapname, time: 0 };
    Ok((Steps::new(site, state, before, journal), finding))
}

/// Takes the state folder, which must not hold the journal of a run that did not get to its end.
fn take<'c>(site: &Site<'c>, leftovers: &mut Vec<Leftover>) -> Found<StateDir<'c>> {
    let taken = StateDir::take(site.config).and_then(|state| Ok((state.read()?, state)));
    match taken.map_err(|finding| finding.because(UNWRITTEN))? {
        (None, state) => Ok(state),
        (Some(Journal { vmid, snapname, .. }), _) => {
            let command = cleanup_line(site.config);
            leftovers
                .push(Leftover::new(format!("snapshot {snapname} of container {vmid}, perhaps"), &command));
            let text = format!("an earlier exercise of container {vmid} did not get to its end");
            Err(Finding::fail(text, command).into())
        }
    }
}

/// What is found where the agent itself is wrong.
fn internal(text: &str) -> Finding {
    Finding::fail(text, Remedy::look("felhom-agent --version"))
}

/// What a step found, unless it is interrupted for longer than it may go on.
async fn taken(step: ExerciseStep, steps: &mut Steps<'_>) -> Finding {
    let mut signal = steps.site.interrupt.clone();
    tokio::select! {
        biased;
        _ = signal.spent(LENIENCE) => Finding::skip("interrupted"),
        found = catch_panic(step(steps)) => match found {
            Some(found) => found.unwrap_or_else(|finding| *finding),
            None => internal("internal error: the step panicked").ending(Exit::Internal),
        },
    }
}

async fn exercise(mut steps: Steps<'_>, mut exercised: Exercised) -> Exercised {
    for (claim, step) in CLAIMS.iter().skip(1).zip(STEPS) {
        if steps.site.interrupt.exit().is_some() {
            break;
        }
        let (start, progress) = (Instant::now(), steps.site.progress.clone());
        progress.note(claim.id);
        let finding = progress.wait(claim.id, taken(step, &mut steps)).await;
        let (id, took) = (claim.id, start.elapsed().as_secs_f64());
        progress.note(&format!("{id}  {} after {took:.1} s", finding.status.label()));
        let is_over = finding.status == Status::Fail || steps.site.interrupt.exit().is_some();
        exercised.record(vec![finding], start.elapsed());
        if is_over {
            break;
        }
    }
    let reason = match exercised.checked.iter().find(|checked| checked.has_failed()) {
        Some(failed) => Finding::needs(failed.claim.id),
        None => Finding::skip("interrupted"),
    };
    exercised.skip_the_rest(&reason);
    exercised.leftovers = match catch_panic(steps.undo()).await {
        Some(leftovers) => leftovers,
        None => steps.suspected(),
    };
    exercised.exit = steps.site.interrupt.exit();
    exercised.tasks = steps.site.tasks;
    exercised
}

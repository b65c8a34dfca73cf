//! The exercise: snapshots a container that is meant for it, changes it, rolls it back and deletes the snapshot.
//!
//! What is about to be done is on disk before it is done, so whatever ends the run, it is known what must be undone.

pub mod cleanup;
mod guest;
pub mod journal;
pub mod leftover;
pub mod progress;
pub mod site;
pub mod state;
mod steps;

use std::time::Duration;

use proxmox_types::Vmid;
use tokio::time::Instant;

use crate::process::catch_panic;
use crate::report::exit::Exit;
use crate::report::finding::{Checked, Finding, Remedy, Status};

pub use steps::CLAIMS;

use journal::{JournalError, StateDir};
use leftover::{Leftover, cleanup_line};
use site::{LENIENCE, Site, TaskRun};
use steps::{STEPS, Steps};

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
    /// An exercise that never began.
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
    let start = Instant::now();
    let mut signal = site.interrupt.clone();
    let prepared = tokio::select! {
        biased;
        exit = signal.nth(1) => Err(Unready::interrupted(exit)),
        prepared = prepare(site, vmid) => prepared,
    };
    match prepared {
        Ok((steps, finding)) => {
            exercised.record(vec![finding], start.elapsed());
            exercise(steps, exercised).await
        }
        Err(refusal) => {
            exercised.record(refusal.findings, start.elapsed());
            let is_stopped = refusal.exit.is_some();
            exercised.skip_the_rest(&if is_stopped {
                Finding::skip("not begun")
            } else {
                Finding::needs("x.guest")
            });
            exercised.exit = refusal.exit;
            exercised.leftovers = refusal.leftovers;
            exercised
        }
    }
}

/// Why an exercise does not begin.
#[derive(Debug, Default)]
struct Unready {
    findings: Vec<Finding>,
    exit: Option<Exit>,
    leftovers: Vec<Leftover>,
}

impl Unready {
    fn interrupted(exit: Exit) -> Self {
        Self { exit: Some(exit), ..vec![Finding::skip("interrupted")].into() }
    }
}

impl From<Vec<Finding>> for Unready {
    fn from(findings: Vec<Finding>) -> Self {
        Self { findings, ..Self::default() }
    }
}

async fn prepare(site: Site<'_>, vmid: Option<Vmid>) -> Result<(Steps<'_>, Finding), Unready> {
    let Some(vmid) = vmid.or(site.config.selftest.vmid) else {
        let fix = "felhom-agent selftest --task --vmid VMID";
        return Err(vec![Finding::fail("no container is named for it", Remedy::fix(fix))].into());
    };
    let state = take(&site)?;
    let (guest, finding) = guest::examine(&site, vmid).await?;
    let name = leftover::name((site.clock)());
    let name =
        name.map_err(|error| vec![Finding::fail(error.to_string(), Remedy::look("felhom-agent --version"))])?;
    Ok((Steps::new(site, state, guest, name), finding))
}

/// Takes the state folder, which must not hold the journal of a run that did not get to its end.
fn take(site: &Site<'_>) -> Result<StateDir, Unready> {
    let folder = &site.config.state_dir;
    let taken = StateDir::take(folder).and_then(|state| state.read().map(|journal| (state, journal)));
    match taken {
        Ok((state, None)) => Ok(state),
        Ok((_, Some(journal))) => Err(Unready {
            findings: vec![Finding::fail(
                format!("an earlier exercise of container {} did not get to its end", journal.vmid),
                Remedy::fix(cleanup_line(site.config)),
            )],
            exit: None,
            leftovers: vec![Leftover {
                what: format!("snapshot {} of container {}, perhaps", journal.snapname, journal.vmid),
                command: cleanup_line(site.config),
            }],
        }),
        Err(error) => {
            let exit = matches!(error, JournalError::Busy).then_some(Exit::Busy);
            let finding = Finding::fail(error.to_string(), error.repair(site.config))
                .because("nothing is done that cannot be written down before");
            Err(Unready { findings: vec![finding], exit, leftovers: Vec::new() })
        }
    }
}

async fn exercise(mut steps: Steps<'_>, mut exercised: Exercised) -> Exercised {
    for (claim, step) in CLAIMS.iter().skip(1).zip(STEPS) {
        if steps.site.interrupt.exit().is_some() {
            break;
        }
        let (start, shown) = (Instant::now(), steps.site.progress.begin(claim.id));
        let mut signal = steps.site.interrupt.clone();
        let finding = tokio::select! {
            biased;
            _ = signal.spent(LENIENCE) => Finding::skip("interrupted"),
            finding = catch_panic(step(&mut steps)) => finding.unwrap_or_else(panicked),
        };
        shown.end(finding.status);
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

/// What is found by a step that panicked.
fn panicked() -> Finding {
    Finding::fail("internal error: the step panicked", Remedy::look("felhom-agent --version"))
        .ending(Exit::Internal)
}

//! The exercise: snapshots a container that is meant for it, changes it, rolls it back and deletes the snapshot.
//!
//! What is about to be done is on disk before it is done, so whatever ends the run, it is known what must be undone.

pub mod claims;
pub mod cleanup;
mod guest;
pub mod journal;
pub mod names;
pub mod progress;
pub mod site;
mod steps;

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use proxmox_types::{Malformed, SnapshotName, Vmid};
use serde::Serialize;

use crate::config::Config;
use crate::exit::Exit;
use crate::selftest::check::{Claim, Finding, Outcome, Status};

use journal::{JournalError, StateDir};
use names::PREFIX;
use site::{Site, TaskRun};
use steps::{STEPS, Steps};

/// Something of the exercise that is still there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// What.
    pub what: String,
    /// The command, to be run as root on the node, that removes it.
    pub command: String,
}

/// What became of an exercise.
#[derive(Debug, Default)]
pub struct Exercised {
    /// One outcome per claim.
    pub outcomes: Vec<Outcome>,
    /// The tasks that were started.
    pub tasks: Vec<TaskRun>,
    /// What could not be removed.
    pub leftovers: Vec<Leftover>,
    /// Why it ended otherwise than by its outcomes.
    pub exit: Option<Exit>,
}

impl Exercised {
    /// An exercise that never began.
    pub fn skipped(reason: &str) -> Self {
        let mut exercised = Self::default();
        exercised.skip_the_rest(reason);
        exercised
    }

    fn record(&mut self, claim: &'static Claim, finding: Finding, duration: Duration) {
        self.outcomes.push(Outcome { claim, findings: vec![finding], duration, is_reported: true });
    }

    /// Fills in the claims that were not come to.
    fn skip_the_rest(&mut self, reason: &str) {
        let missing = claims::ALL.iter().skip(self.outcomes.len());
        missing.for_each(|claim| self.record(claim, Finding::skip(reason), Duration::ZERO));
    }
}

/// Runs the exercise on a container, from taking the state folder to leaving nothing behind.
pub async fn run(site: Site<'_>, config: &Config, vmid: Option<Vmid>) -> Exercised {
    let mut exercised = Exercised::default();
    let start = Instant::now();
    match prepare(site, config, vmid).await {
        Ok((steps, finding)) => {
            exercised.record(&claims::GUEST, finding, start.elapsed());
            exercise(steps, exercised).await
        }
        Err(refusal) => {
            exercised.outcomes.push(Outcome {
                claim: &claims::GUEST,
                findings: refusal.findings,
                duration: start.elapsed(),
                is_reported: true,
            });
            exercised.skip_the_rest("needs x.guest");
            exercised.exit = refusal.exit;
            exercised.leftovers = refusal.leftovers;
            exercised
        }
    }
}

/// Why an exercise does not begin.
#[derive(Debug, Default)]
struct Refusal {
    findings: Vec<Finding>,
    exit: Option<Exit>,
    leftovers: Vec<Leftover>,
}

impl From<Vec<Finding>> for Refusal {
    fn from(findings: Vec<Finding>) -> Self {
        Self { findings, ..Self::default() }
    }
}

async fn prepare<'c>(
    site: Site<'c>,
    config: &Config,
    vmid: Option<Vmid>,
) -> Result<(Steps<'c>, Finding), Refusal> {
    let Some(vmid) = vmid.or(config.selftest_vmid) else {
        let fix = "felhom-agent selftest --task --vmid VMID";
        return Err(vec![Finding::fail("no container is named for it", fix)].into());
    };
    let state = take(&config.state_dir)?;
    let (guest, finding) = guest::examine(&site, config, vmid).await?;
    let name = name().map_err(|error| vec![Finding::fail(error.to_string(), "felhom-agent --version")])?;
    Ok((Steps::new(site, state, guest, name), finding))
}

/// Takes the state folder, which must not hold the journal of a run that did not get to its end.
fn take(folder: &Path) -> Result<StateDir, Refusal> {
    let taken = StateDir::take(folder).and_then(|state| state.read().map(|entry| (state, entry)));
    match taken {
        Ok((state, None)) => Ok(state),
        Ok((_, Some(entry))) => Err(Refusal {
            findings: vec![Finding::fail(
                format!("an earlier exercise of container {} did not get to its end", entry.vmid),
                "felhom-agent cleanup",
            )],
            exit: None,
            leftovers: vec![Leftover {
                what: format!("snapshot {} of container {}, perhaps", entry.snapname, entry.vmid),
                command: "felhom-agent cleanup".into(),
            }],
        }),
        Err(error) => {
            let exit = matches!(error, JournalError::Busy).then_some(Exit::Busy);
            let fix = match error {
                JournalError::Busy => "ps -C felhom-agent -o pid,lstart,args".into(),
                _ => format!("ls -ld {0} && df -h {0}", folder.display()),
            };
            let finding = Finding::fail(error.to_string(), fix)
                .because("nothing is done that cannot be written down before");
            Err(Refusal { findings: vec![finding], exit, leftovers: Vec::new() })
        }
    }
}

async fn exercise(mut steps: Steps<'_>, mut exercised: Exercised) -> Exercised {
    for (claim, step) in STEPS {
        if steps.site.interrupt.exit().is_some() {
            break;
        }
        let (start, shown) = (Instant::now(), steps.site.progress.begin(claim.id));
        let finding = step(&mut steps).await;
        shown.end(finding.status);
        let is_over = finding.status == Status::Fail || steps.site.interrupt.exit().is_some();
        exercised.record(claim, finding, start.elapsed());
        if is_over {
            break;
        }
    }
    let reason = match exercised.outcomes.iter().find(|outcome| outcome.has(Status::Fail)) {
        Some(failed) => format!("needs {}", failed.claim.id),
        None => "interrupted".into(),
    };
    exercised.skip_the_rest(&reason);
    exercised.leftovers = steps.undo().await;
    exercised.exit = steps.site.interrupt.exit();
    exercised.tasks = steps.site.tasks;
    exercised
}

/// A name that no other snapshot has: the time and chance.
fn name() -> Result<SnapshotName, Malformed> {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let chance = ring::rand::generate::<[u8; 4]>(&ring::rand::SystemRandom::new());
    let chance = chance.map_or_else(|_| std::process::id(), |bytes| u32::from_be_bytes(bytes.expose()));
    format!("{PREFIX}{:08x}-{chance:08x}", time & 0xffff_ffff).parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_snapshot_names_and_never_the_same() {
        let names = [name().unwrap(), name().unwrap()];
        assert_ne!(names[0], names[1]);
        assert!(names.iter().all(|name| name.as_str().starts_with(PREFIX)));
    }
}

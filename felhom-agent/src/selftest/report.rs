//! The report: what was checked, what was found, and how the run ends.

mod json;
mod text;

use std::time::{Duration, Instant, SystemTime};

use crate::config::Config;
use crate::exercise::Exercised;
use crate::exercise::leftover::Leftover;
use crate::report::exit::Exit;
use crate::transport::Counters;

use super::context::Context;
use super::engine::Run;
use crate::report::finding::{Claim, Finding, Outcome, Status};

pub use text::Style;

/// What the self-test was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Look, and change nothing.
    ReadOnly,
    /// Take a snapshot, roll back, delete it.
    Task,
}

/// The report of one run.
#[derive(Debug)]
pub struct Report {
    mode: Mode,
    started: SystemTime,
    duration: Duration,
    target: Option<Target>,
    config_path: String,
    run: Run,
    exercised: Option<Exercised>,
    counters: Counters,
    is_strict: bool,
}

/// Whom the run was about.
#[derive(Debug)]
struct Target {
    url: String,
    node: String,
    auth: String,
    pve: Option<String>,
}

/// When something began: by the clock of the wall, and by one that nobody sets.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    wall: SystemTime,
    monotonic: Instant,
}

impl Moment {
    /// Now.
    pub fn now() -> Self {
        Self { wall: SystemTime::now(), monotonic: Instant::now() }
    }
}

impl Report {
    /// The report of a run that has ended.
    pub fn new(
        context: &Context,
        config_path: String,
        run: Run,
        exercised: Option<Exercised>,
        started: Moment,
        is_strict: bool,
    ) -> Self {
        let connection = context.connection.as_ref().and_then(|connection| connection.as_ref().ok());
        let wire = connection.and_then(|connection| connection.wire.as_ref());
        Self {
            mode: if exercised.is_some() { Mode::Task } else { Mode::ReadOnly },
            started: started.wall,
            duration: started.monotonic.elapsed(),
            target: context.config.as_ref().ok().map(|config| Target::new(config, context)),
            config_path,
            run,
            exercised,
            counters: wire.map(|wire| wire.record.counters()).unwrap_or_default(),
            is_strict,
        }
    }

    /// How the run ends.
    pub fn exit(&self) -> Exit {
        let mut exits: Vec<Exit> = self.outcomes().flat_map(Outcome::exits).collect();
        exits.extend(self.run.cut_short);
        exits.extend(self.exercised.as_ref().and_then(|exercised| exercised.exit));
        exits.extend((!self.leftovers().is_empty()).then_some(Exit::Leftover));
        exits.extend(self.run.has_panicked.then_some(Exit::Internal));
        exits.extend((self.is_strict && self.count(Status::Warn) > 0).then_some(Exit::Warnings));
        Exit::of(exits)
    }

    /// What the exercise could not remove.
    pub fn leftovers(&self) -> &[Leftover] {
        self.exercised.as_ref().map_or(&[], |exercised| &exercised.leftovers)
    }

    /// Whether everything was done that was asked for.
    fn is_complete(&self) -> bool {
        let interrupted = self.exercised.as_ref().and_then(|exercised| exercised.exit);
        self.run.cut_short.or(interrupted).is_none()
    }

    fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        let exercised = self.exercised.iter().flat_map(|exercised| &exercised.outcomes);
        self.run.outcomes.iter().chain(exercised)
    }

    fn reported(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes().filter(|outcome| outcome.is_reported)
    }

    fn lines(&self) -> impl Iterator<Item = (&'static Claim, &Finding)> {
        self.reported().flat_map(|outcome| outcome.findings.iter().map(|finding| (outcome.claim, finding)))
    }

    fn count(&self, status: Status) -> usize {
        self.lines().filter(|(_, finding)| finding.status == status).count()
    }
}

impl Target {
    fn new(config: &Config, context: &Context) -> Self {
        Self {
            url: config.url.to_string(),
            node: config.node.to_string(),
            auth: config.token.id().to_string(),
            pve: context.pve_version().map(ToString::to_string),
        }
    }
}

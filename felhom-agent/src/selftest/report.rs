//! The report: what was checked, what was found, and how the run ends.

mod json;
mod text;

use std::time::{Duration, Instant, SystemTime};

use crate::config::Config;
use crate::exercise::Exercised;
use crate::exercise::leftover::Leftover;
use crate::report::exit::Exit;
use crate::transport::Counters;

use super::setup::Setup;
use crate::report::finding::{Checked, Claim, Finding, Status};

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
    checked: Vec<Checked>,
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
        setup: &Setup,
        config_path: String,
        checked: Vec<Checked>,
        exercised: Option<Exercised>,
        started: Moment,
        is_strict: bool,
    ) -> Self {
        let wire = setup.ready().and_then(|ready| ready.connection.wire.as_ref());
        Self {
            mode: if exercised.is_some() { Mode::Task } else { Mode::ReadOnly },
            started: started.wall,
            duration: started.monotonic.elapsed(),
            target: setup.config.as_ref().ok().map(|config| Target::new(config, setup)),
            config_path,
            checked,
            exercised,
            counters: wire.map(|wire| wire.record.counters()).unwrap_or_default(),
            is_strict,
        }
    }

    /// How the run ends.
    pub fn exit(&self) -> Exit {
        let mut exits: Vec<Exit> = self.checked().flat_map(Checked::exits).collect();
        exits.extend(self.exercised.as_ref().and_then(|exercised| exercised.exit));
        exits.extend((!self.leftovers().is_empty()).then_some(Exit::Leftover));
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
        let is_cut = |exit| matches!(exit, Exit::OutOfTime | Exit::Interrupted | Exit::Terminated);
        interrupted.is_none() && !self.checked().flat_map(Checked::exits).any(is_cut)
    }

    fn checked(&self) -> impl Iterator<Item = &Checked> {
        let exercised = self.exercised.iter().flat_map(|exercised| &exercised.checked);
        self.checked.iter().chain(exercised)
    }

    fn lines(&self) -> impl Iterator<Item = (&'static Claim, &Finding)> {
        self.checked().flat_map(|checked| checked.findings.iter().map(|finding| (checked.claim, finding)))
    }

    fn count(&self, status: Status) -> usize {
        self.lines().filter(|(_, finding)| finding.status == status).count()
    }
}

impl Target {
    fn new(config: &Config, setup: &Setup) -> Self {
        Self {
            url: config.url.to_string(),
            node: config.node.to_string(),
            auth: config.token.id().to_string(),
            pve: setup.pve_version().map(ToString::to_string),
        }
    }
}

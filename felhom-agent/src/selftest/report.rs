//! The report: what was checked, what was found, and how the run ends.

mod text;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::setup::Setup;
use crate::exercise::Exercised;
use crate::exercise::leftover::Leftover;
use crate::report::exit::Exit;
use crate::report::finding::{Checked, Claim, Finding, Status};
use crate::report::{self, terminal};
use crate::tls::timestamp;
use crate::transport::WireCounters;

pub use text::Style;

/// The report of one run.
#[derive(Debug)]
pub struct Report {
    /// What the run began with.
    pub setup: Arc<Setup>,
    /// The configuration file.
    pub config_path: String,
    /// When it began.
    pub started: SystemTime,
    /// How long it took.
    pub duration: Duration,
    /// What was checked without changing anything.
    pub checked: Vec<Checked>,
    /// What became of the exercise, if one was asked for.
    pub exercised: Option<Exercised>,
    /// Whether warnings count.
    pub is_strict: bool,
}

impl Report {
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
        let is_cut =
            |exit| matches!(exit, Exit::OutOfTime | Exit::Busy | Exit::Interrupted | Exit::Terminated);
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

    fn counters(&self) -> WireCounters {
        let wire = self.setup.ready().and_then(|ready| ready.connection.wire.as_ref());
        wire.map(|wire| wire.record.counters()).unwrap_or_default()
    }

    /// The report for programs: one document, schema `felhom.selftest/1`, to which keys are only added.
    pub fn json(&self) -> String {
        let counters = self.counters();
        let document = json!({
            "schema": "felhom.selftest/1",
            "agent": { "version": report::VERSION, "git": report::COMMIT.strip_prefix('g').unwrap_or(report::COMMIT) },
            "mode": if self.exercised.is_some() { "task" } else { "read-only" },
            "started": started(self),
            "duration_ms": millis(self.duration),
            "target": self.setup.config.as_ref().ok().map(|config| json!({
                "url": config.url.to_string(), "node": config.node, "pve": self.setup.pve_version(),
                "auth": config.token.id().to_string(),
            })),
            "config": self.config_path,
            "result": self.result(),
            "exit": self.exit().code(),
            "complete": self.is_complete(),
            "counts": {
                "ok": self.count(Status::Ok), "warn": self.count(Status::Warn),
                "fail": self.count(Status::Fail), "skip": self.count(Status::Skip),
            },
            "transport": {
                "requests": counters.requests, "connections": counters.connections,
                "handshakes": counters.handshakes, "closed_by_server": counters.closed_by_server,
                "retries": counters.retries, "bytes_in": counters.bytes_in,
            },
            "checks": self.checks(),
            "tasks": self.exercised.as_ref().map_or(&[][..], |exercised| &exercised.tasks),
            "leftovers": self.leftovers(),
        });
        terminal::document(&document)
    }

    fn result(&self) -> &'static str {
        match self.exit() {
            Exit::Ok if self.count(Status::Warn) > 0 => "warn",
            Exit::Ok => "ok",
            Exit::Warnings => "warn",
            Exit::Config
            | Exit::Unchecked
            | Exit::OutOfTime
            | Exit::Busy
            | Exit::Interrupted
            | Exit::Terminated => "unknown",
            _ => "fail",
        }
    }

    fn checks(&self) -> Vec<Value> {
        let described = |checked: &Checked, finding: &Finding| {
            let claim = checked.claim;
            let mut check = json!({
                "id": claim.id_of(finding), "group": claim.heading().to_lowercase(), "needs": claim.needs,
                "source": claim.source, "duration_ms": millis(checked.duration),
            });
            let found = serde_json::to_value(finding).unwrap_or_default();
            if let (Some(check), Value::Object(found)) = (check.as_object_mut(), found) {
                check.extend(found);
            }
            check
        };
        let each = |checked: &Checked| -> Vec<Value> {
            checked.findings.iter().map(|finding| described(checked, finding)).collect()
        };
        self.checked().flat_map(each).collect()
    }
}

fn started(report: &Report) -> String {
    let seconds = report.started.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    timestamp(seconds)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

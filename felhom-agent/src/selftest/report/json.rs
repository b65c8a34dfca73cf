//! The report for programs: one document, schema `felhom.selftest/1`, to which keys are only added.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::{Mode, Report};
use crate::report::exit::Exit;
use crate::report::finding::{Checked, Finding, Status};
use crate::report::{self, terminal};
use crate::tls::utc;

impl Report {
    /// The report as one JSON document.
    pub fn json(&self) -> String {
        let document = json!({
            "schema": "felhom.selftest/1",
            "agent": { "version": report::VERSION, "git": report::COMMIT.strip_prefix('g').unwrap_or(report::COMMIT) },
            "mode": match self.mode { Mode::ReadOnly => "read-only", Mode::Task => "task" },
            "started": started(self),
            "duration_ms": millis(self.duration),
            "target": self.target.as_ref().map(|target| json!({
                "url": target.url, "node": target.node, "pve": target.pve, "auth": target.auth,
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
                "requests": self.counters.requests, "connections": self.counters.connections,
                "handshakes": self.counters.handshakes, "closed_by_server": self.counters.closed_by_server,
                "retries": self.counters.retries, "bytes_in": self.counters.bytes_in,
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
    utc(seconds).replace(" UTC", "Z").replacen(' ', "T", 1)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

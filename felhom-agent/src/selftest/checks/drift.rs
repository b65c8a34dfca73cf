//! The check that looks back at all answers.

use std::sync::Arc;

use serde_json::json;

use crate::connection::Drifted;
use crate::report::finding::Finding;
use crate::selftest::check::{Findings, found};
use crate::selftest::context::Context;

/// Fields that are known and left out on purpose.
const LEFT_OUT: [&str; 5] = [
    "GET /nodes: data.*.id",
    "GET /nodes: data.*.type",
    "GET /nodes/{node}/status: data.idle",
    "GET /nodes/{node}/disks/list: data.*.osdid",
    "GET /nodes/{node}/disks/list: data.*.osdid-list",
];

/// How many of those that could not be read are shown; all of them are in the JSON.
const SHOWN: usize = 5;

pub(super) fn fields(context: Arc<Context>) -> Findings {
    found(async move {
        let (_, connection) = context.connected()?;
        let mut seen = connection.drift.seen();
        seen.unknown.retain(|field| !LEFT_OUT.contains(&field.as_str()));
        let data = json!({ "unknown_fields": seen.unknown, "unread": seen.unread });
        Ok(vec![judge(&seen).with(data)])
    })
}

fn judge(seen: &Drifted) -> Finding {
    let places: Vec<String> =
        seen.unread.iter().map(|(place, reason)| format!("{place}: {reason}")).collect();
    match (places.len(), seen.unknown.len()) {
        (0, 0) => Finding::ok("every field of every answer is known"),
        (0, 1) => Finding::ok("1 field is unknown to this version, and ignored"),
        (0, more) => Finding::ok(format!("{more} fields are unknown to this version, and ignored")),
        (1, _) => unread("1 thing that PVE said could not be read", &places),
        (more, _) => unread(&format!("{more} things that PVE said could not be read"), &places),
    }
}

fn unread(summary: &str, places: &[String]) -> Finding {
    let shown = places.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("\n");
    Finding::warn(summary).because(shown).fix("pveversion && felhom-agent --version")
}

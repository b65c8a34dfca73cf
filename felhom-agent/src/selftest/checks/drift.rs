//! The check that looks back at all answers.

use std::sync::Arc;

use serde_json::json;

use crate::finding::Finding;
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

pub(super) fn fields(context: Arc<Context>) -> Findings {
    found(async move {
        let (_, connection) = context.connected()?;
        let mut unknown = connection.drift.fields();
        unknown.retain(|field| !LEFT_OUT.contains(&field.as_str()));
        let summary = match unknown.len() {
            0 => "every field of every answer is known".to_string(),
            1 => "1 field is unknown to this version, and ignored".to_string(),
            more => format!("{more} fields are unknown to this version, and ignored"),
        };
        Ok(vec![Finding::ok(summary).with(json!({ "unknown_fields": unknown }))])
    })
}

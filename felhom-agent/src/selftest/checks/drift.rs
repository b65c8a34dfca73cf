//! The check that looks back at all answers.

use std::sync::Arc;

use serde_json::json;

use crate::selftest::check::{Finding, Findings, findings};
use crate::selftest::context::Context;

pub(super) fn fields(context: Arc<Context>) -> Findings {
    findings(async move {
        let Some((_, connection)) = context.parts() else {
            return vec![Finding::skip("there is no configuration")];
        };
        let unknown = connection.drift.fields();
        let summary = match unknown.len() {
            0 => "every field of every answer is known".to_string(),
            1 => "1 field is unknown to this version, and ignored".to_string(),
            more => format!("{more} fields are unknown to this version, and ignored"),
        };
        vec![Finding::ok(summary).with(json!({ "unknown_fields": unknown }))]
    })
}

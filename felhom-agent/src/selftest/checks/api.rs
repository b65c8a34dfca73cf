//! Checks of the first answer: the token, the version, the clock.

use std::sync::Arc;

use serde_json::json;

use crate::config::Config;
use crate::finding::{Finding, Remedy};
use crate::selftest::check::{Findings, found};
use crate::selftest::context::{Context, Probe};
use crate::trouble::call::call_failed;

/// Major versions of PVE that this version was made for.
const KNOWN: std::ops::RangeInclusive<u32> = 8..=9;

fn check(context: Arc<Context>, judge: fn(&Config, &Probe) -> Finding) -> Findings {
    found(async move {
        let (config, connection) = context.connected()?;
        Ok(vec![judge(config, context.probe(connection).await)])
    })
}

pub(super) fn token(context: Arc<Context>) -> Findings {
    check(context, |config, probe| match &probe.answer {
        Ok(_) => Finding::ok(format!("{} is accepted", config.token.id())),
        Err(error) => call_failed(config, error),
    })
}

pub(super) fn version(context: Arc<Context>) -> Findings {
    check(context, |_, probe| {
        let Ok(version) = &probe.answer else { return Finding::skip("there was no answer") };
        let major: Option<u32> = version.version.split('.').next().and_then(|major| major.parse().ok());
        let summary = format!("PVE {}", version.version);
        match major {
            Some(major) if KNOWN.contains(&major) => Finding::ok(summary),
            Some(major) if major < *KNOWN.start() => Finding::fail(
                format!("{summary} is too old, 8.0 is the least"),
                Remedy::look("apt update && apt dist-upgrade"),
            ),
            _ => Finding::warn(format!("{summary} is newer than this agent"))
                .because("its answers may hold what this version does not know; see decode.drift"),
        }
        .with(json!({ "version": version.version }))
    })
}

pub(super) fn skew(context: Arc<Context>) -> Findings {
    check(context, |_, probe| {
        let Some(skew) = probe.skew else { return Finding::skip("the answer had no date") };
        let direction = if skew > 0 { "ahead" } else { "behind" };
        let summary = format!("server clock is {} s {direction}", skew.unsigned_abs());
        let because = "task start times, token expiry and certificates are judged by a wrong clock";
        match skew.unsigned_abs() {
            0..=1 => Finding::ok("the clocks agree"),
            2..=5 => Finding::ok(summary),
            6..=60 => Finding::warn(summary).because(because).fix("chronyc makestep"),
            _ => Finding::fail(summary, Remedy::fix("chronyc makestep")).because(because),
        }
        .with(json!({ "skew_s": skew }))
    })
}

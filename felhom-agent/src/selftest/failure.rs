//! What is said of a call that failed.

use proxmox_api::{Cause, Error};

use super::check::Finding;
use crate::config::Config;

/// What a check says that its call failed: with the grant if a privilege is missing, else with where to look.
pub fn call_failed(config: &Config, error: &Error) -> Finding {
    let text = snafu::Report::from_error(error).to_string();
    let summary = text.lines().next().unwrap_or_default().to_string();
    let detail =
        text.lines().skip(1).map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let fix = match error.cause() {
        Some(Cause::Permission(denied)) => denied
            .pveum(config.token.id())
            .unwrap_or_else(|| format!("pveum user permissions '{}'", config.token.id())),
        Some(Cause::Gateway { .. }) => "systemctl restart pvedaemon && systemctl status pvedaemon".into(),
        _ => "journalctl -u pveproxy -u pvedaemon --since -10min".into(),
    };
    let finding = Finding::fail(summary, fix);
    if detail.is_empty() { finding } else { finding.because(detail) }
}

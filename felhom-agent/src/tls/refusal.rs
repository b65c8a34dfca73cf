//! That TLS cannot be set up as configured, as a finding.

use crate::config::Config;
use crate::report::exit::Exit;
use crate::report::finding::Finding;
use crate::report::shell::edit_key;

/// That the server's identity cannot be checked as configured, which is never a reason to check less.
pub(super) fn refused(config: &Config, problem: String, fix: Option<String>) -> Finding {
    let fix = fix.unwrap_or_else(|| edit_key(&config.path, "tls.ca_file"));
    Finding::fail(problem, fix).ending(Exit::Config)
}

/// That TLS cannot be set up, for this reason.
pub(crate) fn unusable(config: &Config, reason: &dyn std::fmt::Display) -> Finding {
    refused(config, format!("TLS cannot be set up: {reason}"), None)
}

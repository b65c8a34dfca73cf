//! Checks of the configuration itself. They ask nobody.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use crate::config::{Config, ConfigError, TokenProblem, TokenSource, install_line};
use crate::selftest::check::{Finding, Findings, findings};
use crate::selftest::context::Context;
use crate::tls::TlsError;

/// Where the token is kept unless something else is said.
const TOKEN_FILE: &str = "/etc/felhom-agent/token";

pub(super) fn file(context: Arc<Context>) -> Findings {
    findings(async move {
        vec![match &context.config {
            Err(error) if !error.is_about_token() => Finding::fail(error.to_string(), repair(error)),
            Ok(config) => Finding::ok(format!("{} holds what it may", config.path.display())),
            Err(_) => Finding::ok("holds what it may"),
        }]
    })
}

/// How to repair the file: by hand, since only its owner knows what was meant.
fn repair(error: &ConfigError) -> String {
    match error {
        ConfigError::Variable { variable, .. } => format!("unset {variable}"),
        ConfigError::Unreadable { path, .. }
        | ConfigError::Malformed { path, .. }
        | ConfigError::Invalid { path, .. } => edit(path),
        ConfigError::Token { .. } => "felhom-agent selftest --only config".into(),
    }
}

/// Opens a file by hand.
fn edit(path: &Path) -> String {
    format!("\"${{EDITOR:-nano}}\" {}", path.display())
}

pub(super) fn secret(context: Arc<Context>) -> Findings {
    findings(async move {
        vec![match &context.config {
            Ok(config) => accepted(config),
            Err(ConfigError::Token { source }) => {
                let fix = source.fix().map_or_else(|| new_token(source), Into::into);
                Finding::fail(source.to_string(), fix)
            }
            Err(_) => Finding::skip("there is no configuration"),
        }]
    })
}

fn accepted(config: &Config) -> Finding {
    let data = json!({ "token": config.token.id().to_string(), "source": config.token_source.to_string() });
    let summary = format!("{} from {}", config.token.id(), config.token_source);
    match config.token_source {
        TokenSource::Environment => Finding::warn(summary)
            .because("every process of the same user can read it in /proc")
            .fix(install_line(TOKEN_FILE.as_ref())),
        _ => Finding::ok(summary),
    }
    .with(data)
}

/// How to come by a token file, if there is none that can be used.
fn new_token(problem: &TokenProblem) -> String {
    match problem {
        TokenProblem::Malformed {
            origin: TokenSource::File(path) | TokenSource::Credential(path), ..
        }
        | TokenProblem::Unreadable { path, .. } => install_line(path),
        TokenProblem::Malformed { origin: TokenSource::Environment, .. } => "unset FELHOM_AGENT_TOKEN".into(),
        TokenProblem::Malformed { origin: TokenSource::Config(path), .. } => edit(path),
        _ => install_line(TOKEN_FILE.as_ref()),
    }
}

pub(super) fn tls(context: Arc<Context>) -> Findings {
    findings(async move {
        let Ok(config) = &context.config else { return vec![Finding::skip("there is no configuration")] };
        vec![match &context.connection {
            Some(Err(error)) => Finding::fail(error.to_string(), usable(config, error)),
            _ if config.tls.is_insecure => {
                Finding::warn("insecure: any server is accepted, and is sent the token")
                    .because("whoever answers on this port gets a token that can destroy every container")
                    .fix("openssl x509 -in /etc/pve/local/pve-ssl.pem -noout -fingerprint -sha256")
            }
            _ => Finding::ok(policy(config)),
        }]
    })
}

/// Leads to what cannot be used: the CA file, or the configuration that asks for something else.
fn usable(config: &Config, error: &TlsError) -> String {
    match error {
        TlsError::Unreadable { path, .. } => format!("ls -l {}", path.display()),
        TlsError::Empty { path } | TlsError::Malformed { path, .. } => {
            format!("openssl x509 -in {} -noout -subject && ls -l /etc/pve/pve-root-ca.pem", path.display())
        }
        TlsError::NotAuthority { .. } | TlsError::Unusable { .. } => edit(&config.path),
    }
}

fn policy(config: &Config) -> String {
    let tls = &config.tls;
    let count = |number: usize, what: &str| match number {
        0 => None,
        1 => Some(format!("1 {what}")),
        number => Some(format!("{number} {what}s")),
    };
    let ca = tls.ca_file.as_ref().map(|path| format!("CA {}", path.display()));
    let parts = [count(tls.pins.len(), "pin"), count(tls.spki_pins.len(), "key pin"), ca];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

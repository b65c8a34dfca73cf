//! What is said of a configuration that cannot be used.

use std::path::Path;

use crate::config::{Config, ConfigError, TokenProblem, TokenSource, access_line, install_line};
use crate::exit::Exit;
use crate::finding::{Finding, Remedy};
use crate::tls::TlsError;

/// Where the token is kept unless something else is said.
pub const TOKEN_FILE: &str = "/etc/felhom-agent/token";

/// What is wrong with the configuration.
pub fn config_failed(error: &ConfigError) -> Finding {
    let fix = match error {
        ConfigError::Variable { variable, .. } => format!("unset {variable}"),
        ConfigError::Unreadable { path, source } if source.is_forbidden() => access_line(path),
        ConfigError::Unreadable { path, .. }
        | ConfigError::Malformed { path, .. }
        | ConfigError::Invalid { path, .. } => edit_line(path),
        ConfigError::Token { source } => source.fix().map_or_else(|| token_line(source), Into::into),
    };
    Finding::fail(error.to_string(), Remedy::fix(fix)).ending(Exit::Config)
}

/// Opens a file by hand, since only its owner knows what was meant.
pub fn edit_line(path: &Path) -> String {
    format!("\"${{EDITOR:-nano}}\" {}", path.display())
}

/// How to come by a token that can be used.
fn token_line(problem: &TokenProblem) -> String {
    match problem {
        TokenProblem::Unreadable { path, source } if source.is_forbidden() => access_line(path),
        TokenProblem::Malformed {
            origin: TokenSource::File(path) | TokenSource::Credential(path), ..
        }
        | TokenProblem::Unreadable { path, .. } => install_line(path),
        TokenProblem::Malformed { origin: TokenSource::Environment, .. } => "unset FELHOM_AGENT_TOKEN".into(),
        TokenProblem::Malformed { origin: TokenSource::Config(path), .. } => edit_line(path),
        _ => install_line(TOKEN_FILE.as_ref()),
    }
}

/// What is wrong with the rules for the server's identity: the CA file, or that the configuration asks for it.
pub fn tls_failed(config: &Config, error: &TlsError) -> Finding {
    let remedy = match error {
        TlsError::Unreadable { path, .. } => Remedy::look(format!("ls -l {}", path.display())),
        TlsError::Empty { path } | TlsError::Malformed { path, .. } => Remedy::look(format!(
            "openssl x509 -in {} -noout -subject && ls -l /etc/pve/pve-root-ca.pem",
            path.display()
        )),
        TlsError::NotAuthority { .. } | TlsError::Unusable { .. } => Remedy::fix(edit_line(&config.path)),
    };
    Finding::fail(error.to_string(), remedy).ending(Exit::Config)
}

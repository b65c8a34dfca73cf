//! What is said of a configuration that cannot be used.

use std::path::Path;

use crate::config::{Config, ConfigError, FileError, TokenProblem, TokenSource, access_line, install_line};
use crate::report::exit::Exit;
use crate::report::finding::{Finding, Remedy};
use crate::report::shell::{edit_key, edit_line, word};
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

/// The CA of PVE itself, which signs the certificates of its nodes unless they have others.
const PVE_CA: &str = "/etc/pve/pve-root-ca.pem";

/// How to come by a CA file that can be read. Below /etc/pve nobody but root and www-data can, and no mode can be set.
fn authority_line(config: &Config, path: &Path, error: &FileError) -> String {
    match error {
        _ if path.starts_with("/etc/pve") => {
            let copy = "/etc/felhom-agent/ca.pem";
            let edit = edit_key(&config.path, &format!("tls.ca_file: {copy}"));
            format!("install -m 0644 {} {copy} && {edit}", path.display())
        }
        FileError::Exposed { exposure } => exposure.fix.clone(),
        error if error.is_not_found() => format!("install -D -m 0644 {PVE_CA} {}", word(path)),
        error if error.is_forbidden() => access_line(path),
        _ => edit_line(&config.path),
    }
}

/// What is wrong with the rules for the server's identity: the CA file, or that the configuration asks for it.
pub fn tls_failed(config: &Config, error: &TlsError) -> Finding {
    let fix = match error {
        TlsError::Unreadable { path, source } => authority_line(config, path, source),
        TlsError::NotCertificate { path, label, .. } if label == "TRUSTED CERTIFICATE" => {
            format!("cp {0} {0}.trusted && openssl x509 -in {0}.trusted -out {0}", word(path))
        }
        TlsError::Binary { path, form: "DER" } => {
            format!("cp {0} {0}.der && openssl x509 -inform DER -in {0}.der -out {0}", word(path))
        }
        TlsError::Binary { path, .. } => {
            format!("cp {0} {0}.utf16 && iconv -f UTF-16 -t UTF-8 {0}.utf16 -o {0}", word(path))
        }
        _ => edit_key(&config.path, "tls.ca_file"),
    };
    Finding::fail(error.to_string(), Remedy::fix(fix)).ending(Exit::Config)
}

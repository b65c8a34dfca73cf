//! How the server proves who it is: pins, a CA, both, or, said explicitly, nothing.

mod accepted;
mod authority;
mod certificate;
mod verifier;

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::ring::default_provider;

pub use certificate::{Leaf, timestamp, utc};
pub use verifier::{CertificateVerdict, SeenCertificate, Verifier};

use crate::config::Config;
use crate::report::exit::Exit;
use crate::report::finding::{Finding, Found};
use crate::report::shell::edit_key;

/// The TLS configuration of a client, and the verifier that keeps what it saw.
///
/// Resumption is off: a resumed session would not ask the verifier again. ring is named as the provider, because two
/// providers in one build make the default one panic.
pub fn client_config(config: &Config) -> Found<(ClientConfig, Arc<Verifier>)> {
    let provider = Arc::new(default_provider());
    let verifier = Arc::new(Verifier::new(config, &provider)?);
    let unusable = |error| unusable(config, &error);
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone())
        .with_no_client_auth();
    client.resumption = Resumption::disabled();
    Ok((client, verifier))
}

/// That the server's identity cannot be checked as configured, which is never a reason to check less.
fn refused(config: &Config, problem: String, fix: Option<String>) -> Finding {
    let fix = fix.unwrap_or_else(|| edit_key(&config.path, "tls.ca_file"));
    Finding::fail(problem, fix).ending(Exit::Config)
}

/// That TLS cannot be set up, for this reason.
pub(crate) fn unusable(config: &Config, reason: &dyn std::fmt::Display) -> Finding {
    refused(config, format!("TLS cannot be set up: {reason}"), None)
}

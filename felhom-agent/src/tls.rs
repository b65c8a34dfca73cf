//! How the server proves who it is: pins, a CA, both, or, said explicitly, nothing.

mod accepted;
mod authority;
mod certificate;
mod refusal;
mod verifier;

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::ring::default_provider;

pub use certificate::{Leaf, timestamp, utc};
pub(crate) use refusal::unusable;
pub use verifier::{CertificateVerdict, SeenCertificate, Verifier};

use crate::config::Config;
use crate::report::finding::Found;

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

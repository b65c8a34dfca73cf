//! How the server proves who it is: pins, a CA, both, or, said explicitly, nothing.

mod authority;
mod certificate;
mod error;
mod verifier;

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::ring::default_provider;

pub use certificate::{Leaf, utc};
pub use error::TlsError;
pub(crate) use error::UnusableSnafu;
pub use verifier::{CertificateVerdict, SeenCertificate, Verifier};

use crate::config::TlsConfig;

/// The TLS configuration of a client, and the verifier that keeps what it saw.
///
/// Resumption is off: a resumed session would not ask the verifier again. ring is named as the provider, because two
/// providers in one build make the default one panic.
pub fn client_config(tls: &TlsConfig) -> Result<(ClientConfig, Arc<Verifier>), TlsError> {
    let provider = Arc::new(default_provider());
    let verifier = Arc::new(Verifier::new(tls, &provider)?);
    let unusable = |error: rustls::Error| UnusableSnafu { reason: error.to_string() }.build();
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone())
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok((config, verifier))
}

//! Reads the CA file. An empty file, an unreadable one, or one that holds no CA is an error, never a fall-back.

use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use snafu::{ResultExt, ensure};

use super::certificate::Leaf;
use super::{EmptySnafu, MalformedSnafu, NotAuthoritySnafu, TlsError, UnreadableSnafu, UnusableSnafu};
use crate::config::read_bounded;

/// Largest CA file that is read, in bytes.
const MOST: u64 = 1 << 20;

/// A verifier that trusts the CAs of a file and nothing else.
pub(super) fn verifier(
    path: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, TlsError> {
    let file = read_bounded(path, MOST).context(UnreadableSnafu { path })?;
    let mut roots = RootCertStore::empty();
    for (number, read) in (1_usize..).zip(CertificateDer::pem_slice_iter(file.text.as_bytes())) {
        let malformed = |reason: String| MalformedSnafu { path, number, reason }.build();
        let der = read.map_err(|error| malformed(error.to_string()))?;
        let facts = Leaf::read(&der).map_err(|error| malformed(error.to_string()))?;
        let (subject, fingerprint) = (facts.subject, facts.fingerprint);
        ensure!(facts.is_authority, NotAuthoritySnafu { path, number, subject, fingerprint });
        roots.add(der).map_err(|error| malformed(error.to_string()))?;
    }
    ensure!(!roots.is_empty(), EmptySnafu { path });
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| UnusableSnafu { reason: error.to_string() }.build())
}

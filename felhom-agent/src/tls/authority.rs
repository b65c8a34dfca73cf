//! Reads the CA file. An empty file, an unreadable one, or one that holds no CA is an error, never a fall-back.

use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use snafu::ResultExt;

use super::blocks::{Block, blocks};
use super::certificate::Leaf;
use super::{
    BinarySnafu, EmptySnafu, MalformedSnafu, NotAuthoritySnafu, NotCertificateSnafu, TlsError,
    UnreadableSnafu, UnusableSnafu,
};
use crate::config::read_guarded;

/// Largest CA file that is read, in bytes.
const MOST: u64 = 1 << 20;

/// A verifier that trusts the CAs of a file and nothing else.
#[derive(Debug)]
pub(super) struct Authority {
    pub(super) verifier: Arc<WebPkiServerVerifier>,
    /// Why blocks of the file are not used.
    pub(super) skipped: Vec<TlsError>,
}

impl Authority {
    /// Reads the CAs of a file. What is none is skipped, as long as there is one.
    pub(super) fn read(path: &Path, provider: &Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let file = read_guarded(path, MOST).context(UnreadableSnafu { path })?;
        let (mut roots, mut skipped) = (RootCertStore::empty(), Vec::new());
        for (number, block) in (1_usize..).zip(blocks(&file.bytes)) {
            let added = certificate(path, number, &block).and_then(|der| {
                let malformed = |error: rustls::Error| malformed(path, number, error.to_string());
                roots.add(der).map_err(malformed)
            });
            skipped.extend(added.err());
        }
        if roots.is_empty() {
            return Err(skipped.into_iter().next().unwrap_or_else(|| none(path, &file.bytes)));
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .map_err(|error| UnusableSnafu { reason: error.to_string() }.build())?;
        Ok(Self { verifier, skipped })
    }
}

/// The certificate of a CA in a block.
fn certificate(path: &Path, number: usize, block: &Block) -> Result<CertificateDer<'static>, TlsError> {
    if !block.is_certificate() {
        return NotCertificateSnafu { path, number, label: block.label() }.fail();
    }
    let der = block.certificate().map_err(|reason| malformed(path, number, reason))?;
    let facts = Leaf::read(&der).map_err(|error| malformed(path, number, error.to_string()))?;
    if facts.is_authority {
        return Ok(der);
    }
    let (subject, fingerprint) = (facts.subject, facts.fingerprint);
    NotAuthoritySnafu { path, number, subject, fingerprint }.fail()
}

fn malformed(path: &Path, number: usize, reason: String) -> TlsError {
    MalformedSnafu { path, number, reason }.build()
}

/// Why a file has no block: it may be a certificate in another form.
fn none(path: &Path, bytes: &[u8]) -> TlsError {
    if Leaf::read(bytes).is_ok() {
        return BinarySnafu { path, form: "DER" }.build();
    }
    let narrow: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    let marks = [&b"\xff\xfe"[..], b"\xfe\xff"];
    let text = marks.iter().find_map(|mark| narrow.strip_prefix(*mark)).unwrap_or(&narrow);
    if narrow.len() < bytes.len() && !blocks(text).is_empty() {
        return BinarySnafu { path, form: "UTF-16" }.build();
    }
    EmptySnafu { path }.build()
}

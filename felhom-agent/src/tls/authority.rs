//! Reads the CA file, of which only the PEM blocks matter. An empty file, an unreadable one, or one that holds no CA is an error, never a fall-back.

use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use snafu::ResultExt;

use super::certificate::Leaf;
use super::error::{
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

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// What some editors put before the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Labels of certificates; the second is what they were called before RFC 7468.
const CERTIFICATES: [&[u8]; 2] = [b"CERTIFICATE", b"X509 CERTIFICATE"];

/// A PEM block.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Block {
    label: Vec<u8>,
    lines: Vec<u8>,
    has_end: bool,
}

/// The blocks of a file, in their order. Lines end as on any system, and may be indented.
fn blocks(bytes: &[u8]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in bytes.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line).trim_ascii();
        if let Some(label) = line.strip_prefix(BEGIN) {
            blocks.extend(open.take());
            let label = label.strip_suffix(DASHES).unwrap_or(label).to_vec();
            open = Some(Block { label, lines: Vec::new(), has_end: false });
        } else if line.starts_with(END) {
            blocks.extend(open.take().map(|block| Block { has_end: true, ..block }));
        } else if let Some(block) = &mut open {
            block.lines.extend_from_slice(line);
            block.lines.push(b'\n');
        }
    }
    blocks.extend(open);
    blocks
}

impl Block {
    /// Whether it says that it is a certificate.
    fn is_certificate(&self) -> bool {
        CERTIFICATES.contains(&self.label.as_slice())
    }

    /// What it says that it is.
    fn label(&self) -> String {
        let label = String::from_utf8_lossy(&self.label);
        let shown = label.chars().take(40).map(|c| if c.is_ascii_graphic() { c } else { ' ' });
        shown.collect()
    }

    /// The certificate in it.
    fn certificate(&self) -> Result<CertificateDer<'static>, String> {
        if !self.has_end {
            return Err("its END line is missing".into());
        }
        let text =
            [&b"-----BEGIN CERTIFICATE-----\n"[..], &self.lines, b"-----END CERTIFICATE-----\n"].concat();
        CertificateDer::from_pem_slice(&text).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Labels, and whether the certificate in it can be read.
    fn labels(bytes: &[u8]) -> Vec<(String, bool)> {
        blocks(bytes).iter().map(|block| (block.label(), block.certificate().is_ok())).collect()
    }

    #[test]
    fn what_stands_outside_of_blocks_does_not_matter() {
        let plain = b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        let cases: [(&str, Vec<u8>); 9] = [
            ("latin-1 before", [b"# Soci\xe9t\xe9\n", &plain[..]].concat()),
            ("binary after", [&plain[..], b"\0\xff\xfe\x80"].concat()),
            ("byte order mark", [b"\xef\xbb\xbf", &plain[..]].concat()),
            ("dos", String::from_utf8_lossy(plain).replace('\n', "\r\n").into_bytes()),
            ("old mac", String::from_utf8_lossy(plain).replace('\n', "\r").into_bytes()),
            ("indented", String::from_utf8_lossy(plain).replace('\n', " \n\t ").into_bytes()),
            ("no newline at the end", plain.trim_ascii_end().to_vec()),
            ("an END without BEGIN", [b"-----END X-----\n", &plain[..]].concat()),
            (
                "bag attributes",
                [b"Bag Attributes\n    friendlyName: \xfc\nsubject=CN=a\n", &plain[..]].concat(),
            ),
        ];
        for (what, bytes) in cases {
            assert_eq!(labels(&bytes), [("CERTIFICATE".into(), true)], "{what}");
        }
    }

    #[test]
    fn a_broken_block_does_not_hide_the_next() {
        let broken = "-----BEGIN CERTIFICATE-----\nMAA=\n-----BEGIN X509 CERTIFICATE-----\nMAA=\n-----END X509 \
                      CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n-----BEGIN EC \
                      PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n";
        let expected = [
            ("CERTIFICATE", false),
            ("X509 CERTIFICATE", true),
            ("CERTIFICATE", false),
            ("EC PRIVATE KEY", true),
        ];
        assert_eq!(labels(broken.as_bytes()), expected.map(|(label, is_read)| (label.to_string(), is_read)));
    }
}

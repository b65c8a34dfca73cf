//! Reads the CA file, of which only the PEM blocks matter. An empty file, an unreadable one, or one that holds no CA is an error, never a fall-back.

use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::certificate::Leaf;
use super::refusal;
use crate::config::{Config, FileError, read_guarded};
use crate::report::finding::Found;
use crate::report::shell::{edit_key, edit_line, word};

/// Largest CA file that is read, in bytes.
const MOST: u64 = 1 << 20;

/// The CA of PVE itself, which signs the certificates of its nodes unless they have others.
const PVE_CA: &str = "/etc/pve/pve-root-ca.pem";

/// A verifier that trusts the CAs of a file and nothing else.
#[derive(Debug)]
pub(super) struct Authority {
    pub(super) verifier: Arc<WebPkiServerVerifier>,
    /// Why blocks of the file are not used.
    pub(super) skipped: Vec<String>,
}

impl Authority {
    /// Reads the CAs of a file. What is none is skipped, as long as there is one.
    pub(super) fn read(config: &Config, path: &Path, provider: &Arc<CryptoProvider>) -> Found<Self> {
        let refused = |problem: &str, fix| {
            refusal::refused(config, format!("CA file {}{problem}", path.display()), fix)
        };
        let file = read_guarded(path, MOST)
            .map_err(|error| refused(&format!(": {}", error.problem), Some(repair(config, path, error))))?;
        let (mut roots, mut skipped) = (RootCertStore::empty(), Vec::new());
        for (number, block) in (1_usize..).zip(blocks(&file.bytes)) {
            let added = block.authority(number).and_then(|der| {
                roots.add(der).map_err(|error| format!(": certificate {number} is malformed: {error}"))
            });
            let against = |problem: String| refused(&problem, block.conversion(path));
            skipped.extend(added.err().map(against));
        }
        if roots.is_empty() {
            let (problem, fix) = without_a_block(path, &file.bytes);
            return Err(skipped.into_iter().next().unwrap_or_else(|| refused(problem, fix)).into());
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .map_err(|error| refusal::unusable(config, &error))?;
        Ok(Self { verifier, skipped: skipped.into_iter().map(|finding| finding.summary).collect() })
    }
}

/// How to come by a CA file that can be read. Below /etc/pve nobody but root and www-data can, and no mode can be set.
fn repair(config: &Config, path: &Path, error: FileError) -> String {
    if path.starts_with("/etc/pve") {
        let copy = "/etc/felhom-agent/ca.pem";
        let edit = edit_key(&config.path, &format!("tls.ca_file: {copy}"));
        return format!("install -m 0644 {} {copy} && {edit}", path.display());
    }
    let install = error.is_missing.then(|| format!("install -D -m 0644 {PVE_CA} {}", word(path)));
    error.fix.or(install).unwrap_or_else(|| edit_line(&config.path))
}

/// What is wrong with a file that has no block: it may be a certificate in another form.
fn without_a_block(path: &Path, bytes: &[u8]) -> (&'static str, Option<String>) {
    let narrow: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    let marks = [&b"\xff\xfe"[..], b"\xfe\xff"];
    let text = marks.iter().find_map(|mark| narrow.strip_prefix(*mark)).unwrap_or(&narrow);
    let path = word(path);
    if Leaf::read(bytes).is_ok() {
        let convert = format!("cp {path} {path}.der && openssl x509 -inform DER -in {path}.der -out {path}");
        (" is written in DER, and must be PEM", Some(convert))
    } else if narrow.len() < bytes.len() && !blocks(text).is_empty() {
        let convert = format!("cp {path} {path}.utf16 && iconv -f UTF-16 -t UTF-8 {path}.utf16 -o {path}");
        (" is written in UTF-16, and must be PEM", Some(convert))
    } else {
        (" holds no PEM certificate", None)
    }
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
    /// The certificate of a CA in it; else what is wrong with the block of this number.
    fn authority(&self, number: usize) -> Result<CertificateDer<'static>, String> {
        if !CERTIFICATES.contains(&self.label.as_slice()) {
            return Err(format!(": block {number} is no CERTIFICATE but a {}", self.label()));
        }
        let malformed = |reason: String| format!(": certificate {number} is malformed: {reason}");
        let der = self.certificate().map_err(malformed)?;
        let leaf = Leaf::read(&der).map_err(|error| malformed(error.to_string()))?;
        if leaf.is_authority {
            return Ok(der);
        }
        let Leaf { subject, fingerprint, .. } = leaf;
        Err(format!(
            ": certificate {number} ({subject}) is not a CA; its fingerprint for `tls.pins` is {fingerprint}"
        ))
    }

    /// Makes a plain certificate of one that has OpenSSL's own trust settings.
    fn conversion(&self, path: &Path) -> Option<String> {
        let path = word(path);
        (self.label == b"TRUSTED CERTIFICATE")
            .then(|| format!("cp {path} {path}.trusted && openssl x509 -in {path}.trusted -out {path}"))
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

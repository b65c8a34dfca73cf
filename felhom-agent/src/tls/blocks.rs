//! The PEM blocks of a file. What stands outside of them does not matter, whatever bytes it is.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// What some editors put before the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Labels of certificates; the second is what they were called before RFC 7468.
const CERTIFICATES: [&[u8]; 2] = [b"CERTIFICATE", b"X509 CERTIFICATE"];

/// A block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    label: Vec<u8>,
    lines: Vec<u8>,
    has_end: bool,
}

/// The blocks of a file, in their order. Lines end as on any system, and may be indented.
pub(super) fn blocks(bytes: &[u8]) -> Vec<Block> {
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
    pub(super) fn is_certificate(&self) -> bool {
        CERTIFICATES.contains(&self.label.as_slice())
    }

    /// What it says that it is.
    pub(super) fn label(&self) -> String {
        let label = String::from_utf8_lossy(&self.label);
        let shown = label.chars().take(40).map(|c| if c.is_ascii_graphic() { c } else { ' ' });
        shown.collect()
    }

    /// The certificate in it.
    pub(super) fn certificate(&self) -> Result<CertificateDer<'static>, String> {
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
    fn told(bytes: &[u8]) -> Vec<(String, bool)> {
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
            assert_eq!(told(&bytes), [("CERTIFICATE".into(), true)], "{what}");
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
        assert_eq!(told(broken.as_bytes()), expected.map(|(label, is_read)| (label.to_string(), is_read)));
    }
}

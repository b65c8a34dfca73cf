//! What a certificate says about itself.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use proxmox_types::Fingerprint;
use ring::digest::{SHA256, digest};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, SubjectAltName};

/// The facts of a server's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leaf {
    /// SHA-256 of the certificate.
    pub fingerprint: Fingerprint,
    /// SHA-256 of its public key; absent if the certificate cannot be read.
    pub spki_fingerprint: Option<Fingerprint>,
    /// Whom it names.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Since when it is valid, in seconds since 1970.
    pub not_before: u64,
    /// Until when it is valid, in seconds since 1970.
    pub not_after: u64,
    /// The names and addresses that it is for.
    pub names: Vec<String>,
    /// Whether it may sign others.
    pub is_authority: bool,
}

/// SHA-256 as a fingerprint.
fn sha256(bytes: &[u8]) -> Fingerprint {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    Fingerprint::new(hash)
}

impl Leaf {
    /// Reads a certificate in DER form. One that cannot be read still has a fingerprint.
    pub fn new(der: &[u8]) -> Self {
        Self::read(der).unwrap_or_else(|_| Self {
            fingerprint: sha256(der),
            spki_fingerprint: None,
            subject: "(unreadable)".into(),
            issuer: "(unreadable)".into(),
            not_before: 0,
            not_after: 0,
            names: Vec::new(),
            is_authority: false,
        })
    }

    /// Reads a certificate in DER form.
    pub fn read(der: &[u8]) -> Result<Self, x509_cert::der::Error> {
        let certificate = Certificate::from_der(der)?;
        let content = certificate.tbs_certificate();
        let names = content.get_extension::<SubjectAltName>().ok().flatten().map(|(_, names)| names.0);
        let constraints = content.get_extension::<BasicConstraints>().ok().flatten();
        Ok(Self {
            fingerprint: sha256(der),
            spki_fingerprint: Some(sha256(&content.subject_public_key_info().to_der()?)),
            subject: content.subject().to_string(),
            issuer: content.issuer().to_string(),
            not_before: content.validity().not_before.to_unix_duration().as_secs(),
            not_after: content.validity().not_after.to_unix_duration().as_secs(),
            names: names.unwrap_or_default().iter().filter_map(printed).collect(),
            is_authority: constraints.is_some_and(|(_, constraints)| constraints.ca),
        })
    }
}

fn printed(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(bytes) => match bytes.as_bytes() {
            &[a, b, c, d] => Some(Ipv4Addr::new(a, b, c, d).to_string()),
            bytes => <[u8; 16]>::try_from(bytes).ok().map(|octets| Ipv6Addr::from(octets).to_string()),
        },
        _ => None,
    }
}

/// A moment as `2026-11-24T06:21:15Z`.
pub fn timestamp(seconds: u64) -> String {
    let moment = x509_cert::der::DateTime::from_unix_duration(Duration::from_secs(seconds));
    moment.map_or_else(|_| format!("{seconds} s after 1970"), |moment| moment.to_string())
}

/// The same for people: `2026-11-24 06:21:15 UTC`.
pub fn utc(seconds: u64) -> String {
    timestamp(seconds).replace('T', " ").replace('Z', " UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_printed_in_utc() {
        assert_eq!(utc(1_795_501_275), "2026-11-24 06:21:15 UTC");
    }

    #[test]
    fn bytes_that_are_no_certificate_still_have_a_fingerprint() {
        let leaf = Leaf::new(b"nonsense");
        assert_eq!((leaf.fingerprint, leaf.subject.as_str()), (sha256(b"nonsense"), "(unreadable)"));
    }
}

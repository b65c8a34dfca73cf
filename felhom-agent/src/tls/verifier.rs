//! Judges the server's certificate, and keeps what it saw for the report.
//!
//! A pin is compared with the leaf alone and narrows trust: a valid chain does not make up for a wrong pin. Whatever
//! the policy, the handshake's signature is verified, since a certificate is public and proves nothing by itself.

use std::sync::{Arc, Mutex, PoisonError};

use proxmox_types::Fingerprint;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use super::authority::Authority;
use super::certificate::Leaf;
use crate::config::Config;
use crate::report::finding::Found;

/// The policy for the server's certificate.
#[derive(Debug)]
pub struct Verifier {
    pins: Vec<Fingerprint>,
    spki_pins: Vec<Fingerprint>,
    authority: Option<Arc<WebPkiServerVerifier>>,
    skipped: Vec<String>,
    is_insecure: bool,
    algorithms: WebPkiSupportedAlgorithms,
    seen: Mutex<Option<SeenCertificate>>,
}

/// The last certificate that was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SeenCertificate {
    /// The certificate.
    pub leaf: Leaf,
    /// The judgement.
    pub verdict: CertificateVerdict,
}

/// The judgement on a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateVerdict {
    /// It holds against everything that is configured.
    Accepted,
    /// It is none of the pinned ones.
    PinMismatch,
    /// The CA did not sign it, or it has expired. Says which.
    AuthorityRefused(String),
    /// The CA signed it, for other names than the one that is looked for.
    WrongName(String),
}

impl Verifier {
    pub(super) fn new(config: &Config, provider: &Arc<CryptoProvider>) -> Found<Self> {
        let tls = &config.tls;
        let read = |path| Authority::read(config, path, provider);
        let authority = tls.ca_file.as_deref().map(read).transpose()?;
        let (authority, skipped) = authority.map(|read| (read.verifier, read.skipped)).unzip();
        Ok(Self {
            pins: tls.pins.clone(),
            spki_pins: tls.spki_pins.clone(),
            authority,
            skipped: skipped.unwrap_or_default(),
            is_insecure: tls.is_insecure,
            algorithms: provider.signature_verification_algorithms,
            seen: Mutex::new(None),
        })
    }

    /// Why parts of the CA file are not used, although others are.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The last certificate that was judged, and how.
    pub fn seen(&self) -> Option<SeenCertificate> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is wrong with the last certificate: what was expected, and what was seen.
    pub(crate) fn complaint(&self) -> Option<String> {
        let SeenCertificate { leaf, verdict } = self.seen()?;
        match verdict {
            CertificateVerdict::Accepted => None,
            CertificateVerdict::PinMismatch => {
                let pins: Vec<String> =
                    self.pins.iter().chain(&self.spki_pins).map(ToString::to_string).collect();
                let key = leaf.spki_fingerprint.filter(|_| !self.spki_pins.is_empty());
                let key = key.map_or_else(String::new, |key| format!(" with the key {key}"));
                let (pins, seen) = (pins.join(" or "), leaf.fingerprint);
                Some(format!(
                    "the server's certificate is none of the pinned ones: expected {pins}, seen {seen}{key}"
                ))
            }
            CertificateVerdict::AuthorityRefused(reason) | CertificateVerdict::WrongName(reason) => {
                Some(format!("the server's certificate was refused: {reason}; seen {}", leaf.fingerprint))
            }
        }
    }

    /// Which of the pins the certificate matched: its number from 1, and how many there are.
    pub fn matching_pin(&self, leaf: &Leaf) -> Option<(usize, usize)> {
        let is_leaf = |pin: &Fingerprint| *pin == leaf.fingerprint;
        let is_key = |pin: &Fingerprint| Some(*pin) == leaf.spki_fingerprint;
        let index = self.pins.iter().position(is_leaf);
        let index =
            index.or_else(|| self.spki_pins.iter().position(is_key).map(|index| index + self.pins.len()));
        index.map(|index| (index + 1, self.pins.len() + self.spki_pins.len()))
    }

    fn judge(
        &self,
        leaf: &Leaf,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), (CertificateVerdict, Error)> {
        if self.is_insecure {
            return Ok(());
        }
        let is_pinned = !self.pins.is_empty() || !self.spki_pins.is_empty();
        if is_pinned && self.matching_pin(leaf).is_none() {
            let error = Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);
            return Err((CertificateVerdict::PinMismatch, error));
        }
        let Some(authority) = &self.authority else { return Ok(()) };
        let judged = authority.verify_server_cert(end_entity, intermediates, server_name, &[], now);
        judged.map(|_| ()).map_err(|error| (refusal(&error), error))
    }
}

fn refusal(error: &Error) -> CertificateVerdict {
    match error {
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => CertificateVerdict::WrongName(explain(error)),
        _ => CertificateVerdict::AuthorityRefused(explain(error)),
    }
}

/// What rustls says about a chain, in words that help.
fn explain(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            "it is not signed by the configured CA".into()
        }
        Error::InvalidCertificate(CertificateError::Other(other))
            if other.to_string().contains("CaUsedAsEndEntity") =>
        {
            "it is itself a CA certificate; put its fingerprint into `tls.pins` instead".into()
        }
        error => error.to_string(),
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let leaf = Leaf::new(end_entity);
        let judged = self.judge(&leaf, end_entity, intermediates, server_name, now);
        let verdict =
            judged.as_ref().err().map_or(CertificateVerdict::Accepted, |(verdict, _)| verdict.clone());
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(SeenCertificate { leaf, verdict });
        judged.map(|()| ServerCertVerified::assertion()).map_err(|(_, error)| error)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

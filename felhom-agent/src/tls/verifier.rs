//! Judges the server's certificate, and keeps what it saw for the report.
//!
//! The chain to the CA is verified once for a certificate and then for an hour not again; all else is with every handshake.
//! A pin is compared with the leaf alone and narrows trust: a valid chain does not make up for a wrong pin. Whatever
//! the policy, the handshake's signature is verified, since a certificate is public and proves nothing by itself.

use std::sync::{Arc, Mutex, PoisonError};

use proxmox_types::Fingerprint;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use super::accepted::AcceptedChain;
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
    accepted: Mutex<Option<AcceptedChain>>,
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
            accepted: Mutex::new(None),
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

    /// What was read of a chain that was accepted a while ago, if it is this one.
    fn accepted(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Option<Leaf> {
        let accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        let accepted = accepted.as_ref().filter(|accepted| accepted.covers(end_entity, intermediates, now));
        accepted.map(|accepted| accepted.leaf.clone())
    }

    /// Judges a certificate by the pins and by the name, and with `chain` by its chain too.
    fn judge(
        &self,
        leaf: &Leaf,
        end_entity: &CertificateDer<'_>,
        server_name: &ServerName<'_>,
        chain: Option<(&[CertificateDer<'_>], UnixTime)>,
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
        let judged = match chain {
            Some((intermediates, now)) => authority
                .verify_server_cert(end_entity, intermediates, server_name, &[], now)
                .map(|_verified| ()),
            None => ParsedCertificate::try_from(end_entity)
                .and_then(|certificate| verify_server_name(&certificate, server_name)),
        };
        judged.map_err(|error| (refusal(&error), error))
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
        let accepted = self.accepted(end_entity, intermediates, now);
        let chain = if accepted.is_some() { None } else { Some((intermediates, now)) };
        let leaf = accepted.unwrap_or_else(|| Leaf::new(end_entity));
        let judged = self.judge(&leaf, end_entity, server_name, chain);
        if judged.is_ok() && chain.is_some() {
            let accepted = AcceptedChain::new(leaf.clone(), end_entity, intermediates, now);
            *self.accepted.lock().unwrap_or_else(PoisonError::into_inner) = Some(accepted);
        }
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use rcgen::{BasicConstraints, CertificateParams, Issuer, KeyPair};
    use rustls::RootCertStore;
    use rustls::crypto::ring::default_provider;

    use super::*;

    const HOUR: u64 = 3600;

    /// The moment at which the certificate is accepted, in seconds since 1970.
    const THEN: u64 = 1_800_000_000;

    fn time(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    /// A CA, and its certificate.
    fn authority(name: &str) -> (Issuer<'static, KeyPair>, CertificateDer<'static>) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        (Issuer::new(params, key), certificate)
    }

    /// A certificate of `pve1` that ends so many seconds after `THEN`.
    fn node(issuer: &Issuer<'_, KeyPair>, end: u64) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(["pve1".into()]).unwrap();
        params.not_before = (SystemTime::UNIX_EPOCH + Duration::from_secs(THEN - HOUR)).into();
        params.not_after = (SystemTime::UNIX_EPOCH + Duration::from_secs(THEN + end)).into();
        params.signed_by(&KeyPair::generate().unwrap(), issuer).unwrap().der().clone()
    }

    /// The rules of one CA.
    fn trusting(authority: &CertificateDer<'static>) -> Verifier {
        let provider = Arc::new(default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone()).unwrap();
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
        Verifier {
            pins: Vec::new(),
            spki_pins: Vec::new(),
            authority: Some(verifier),
            skipped: Vec::new(),
            is_insecure: false,
            algorithms: provider.signature_verification_algorithms,
            accepted: Mutex::new(None),
            seen: Mutex::new(None),
        }
    }

    fn verdict(
        verifier: &Verifier,
        chain: &[CertificateDer<'static>],
        name: &'static str,
        now: u64,
    ) -> CertificateVerdict {
        let (end_entity, intermediates) = chain.split_first().unwrap();
        let name = ServerName::try_from(name).unwrap();
        let judged = verifier.verify_server_cert(end_entity, intermediates, &name, &[], time(now));
        let seen = verifier.seen().unwrap();
        assert_eq!(judged.is_ok(), seen.verdict == CertificateVerdict::Accepted);
        assert_eq!(seen.leaf, Leaf::new(end_entity));
        seen.verdict
    }

    /// How the rules judge now, in the first word of the verdict.
    fn word(verdict: &CertificateVerdict) -> String {
        let text = format!("{verdict:?}");
        text.split('(').next().unwrap().into()
    }

    type Chain<'a> = &'a [CertificateDer<'static>];

    /// What is presented first and then, under which name and when, and how it is judged.
    type Judged<'a> = (&'static str, Chain<'a>, Chain<'a>, &'static str, u64, &'static str);

    #[test]
    fn a_chain_is_verified_again_once_anything_of_it_or_of_the_time_has_changed() {
        let ((ours, root), (_, other)) = (authority("ours"), authority("other"));
        let (long, short, renewed) = (node(&ours, 9 * HOUR), node(&ours, 600), node(&ours, 9 * HOUR));
        let (long, short) = (&[long][..], &[short][..]);
        let longer = &[long, core::slice::from_ref(&root)].concat()[..];
        let fading = &[long, short].concat()[..];
        let rows: [Judged<'_>; 13] = [
            ("the same at once", long, long, "pve1", THEN, "Accepted"),
            ("the same in an hour", long, long, "pve1", THEN + HOUR, "Accepted"),
            ("the same after an hour", long, long, "pve1", THEN + HOUR + 1, "AuthorityRefused"),
            ("the same, with the clock set back", long, long, "pve1", THEN - 1, "AuthorityRefused"),
            ("another name", long, long, "pve2", THEN, "WrongName"),
            ("a renewed certificate", long, &[renewed], "pve1", THEN, "AuthorityRefused"),
            ("another certificate of the CA", long, short, "pve1", THEN, "AuthorityRefused"),
            ("more in the chain", long, longer, "pve1", THEN, "AuthorityRefused"),
            ("less in the chain", longer, long, "pve1", THEN, "AuthorityRefused"),
            ("a chain as it was", longer, longer, "pve1", THEN, "Accepted"),
            ("one that has not ended", short, short, "pve1", THEN + 600, "Accepted"),
            ("one that has ended", short, short, "pve1", THEN + 601, "AuthorityRefused"),
            (
                "one of whose chain a certificate has ended",
                fading,
                fading,
                "pve1",
                THEN + 601,
                "AuthorityRefused",
            ),
        ];
        for (what, before, after, name, now, expected) in rows {
            let mut verifier = trusting(&root);
            assert_eq!(verdict(&verifier, before, "pve1", THEN), CertificateVerdict::Accepted, "{what}");
            // From here on whatever is verified is refused.
            verifier.authority = trusting(&other).authority;
            assert_eq!(word(&verdict(&verifier, after, name, now)), expected, "{what}");
        }
    }

    #[test]
    fn what_other_rules_accepted_or_these_refused_is_verified() {
        let ((ours, root), (_, other)) = (authority("ours"), authority("other"));
        let chain = [node(&ours, 9 * HOUR)];
        assert_eq!(verdict(&trusting(&root), &chain, "pve1", THEN), CertificateVerdict::Accepted);
        let mut strangers = trusting(&other);
        for _ in 0..2 {
            assert_eq!(word(&verdict(&strangers, &chain, "pve1", THEN)), "AuthorityRefused");
        }
        let ours = trusting(&root);
        assert_eq!(word(&verdict(&ours, &chain, "pve2", THEN)), "WrongName");
        // A right name does not make up for a chain that was not accepted.
        strangers.accepted = ours.accepted;
        assert_eq!(word(&verdict(&strangers, &chain, "pve1", THEN)), "AuthorityRefused");
    }

    #[test]
    fn a_pin_is_compared_whatever_was_accepted() {
        let (ours, root) = authority("ours");
        let (chain, mut verifier) = ([node(&ours, 9 * HOUR)], trusting(&root));
        assert_eq!(verdict(&verifier, &chain, "pve1", THEN), CertificateVerdict::Accepted);
        verifier.pins = vec![Leaf::new(&root).fingerprint];
        assert_eq!(verdict(&verifier, &chain, "pve1", THEN), CertificateVerdict::PinMismatch);
    }
}

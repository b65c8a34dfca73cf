//! The certificate that was accepted last. While a server presents it byte for byte, its chain is not verified again.
//!
//! What the chain says depends on its bytes, the CAs and the time: the CAs never change within a verifier, and neither
//! an hour nor the end of any of the certificates may pass. What proves who the server is, the signature of the
//! handshake, the pins and the name, is no part of this. See `docs/adr/0015-a-chain-is-verified-once.md`.

use rustls::pki_types::{CertificateDer, UnixTime};

use super::certificate::Leaf;

/// How long it counts, in seconds.
const HOUR: u64 = 60 * 60;

/// A certificate with the chain that came with it.
#[derive(Debug)]
pub(super) struct AcceptedChain {
    pub(super) leaf: Leaf,
    /// The certificate, and the intermediates.
    chain: Vec<CertificateDer<'static>>,
    /// When it was verified, and until when it counts, in seconds since 1970.
    since: u64,
    until: u64,
}

impl AcceptedChain {
    /// A chain that was accepted now. One with a certificate that cannot be read does not count.
    pub(super) fn new(
        leaf: Leaf,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Self {
        let ends = intermediates.iter().map(|der| Leaf::new(der).not_after);
        let until = ends.fold(leaf.not_after.min(now.as_secs() + HOUR), u64::min);
        let chain = [end_entity].into_iter().chain(intermediates);
        let chain = chain.map(|der| der.clone().into_owned()).collect();
        Self { leaf, chain, since: now.as_secs(), until }
    }

    /// Whether exactly this was accepted, and counts at this time. It does not if the clock was set back.
    pub(super) fn covers(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> bool {
        let presented = [end_entity].into_iter().chain(intermediates);
        (self.since..=self.until).contains(&now.as_secs()) && self.chain.iter().eq(presented)
    }
}

//! Who the server is: pins, the CA, both, and certificates that were copied. Not a byte of a request leaves before.

use std::net::{IpAddr, Ipv4Addr};

use felhom_agent::tls::CertificateVerdict;
use proxmox_api::Stage;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, SupportedProtocolVersion};

use crate::agent::{Trust, get, not_sent, ok, transport};
use crate::certificate::{CLUSTER, EXPIRED, Identity, NODE, RSA_NODE, RSA_STRANGER, STRANGER, private};
use crate::faultd::{Face, Faultd, Play, Step, VERSIONS};

/// What came of one request.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Answered,
    /// Refused in the handshake, for this reason; the server got not a byte of plain text.
    Refused(String),
}

/// Sends a request to a server of this face, at this name.
async fn outcome(face: Face, host: &str, trust: &Trust) -> (Outcome, Option<CertificateVerdict>) {
    let address = host.trim_matches(['[', ']']).parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let server = Faultd::start_at(address, vec![Play { face, script: vec![Step::Serve(ok(), 1)] }]).await;
    let transport = transport(&format!("https://{host}:{}", server.address().port()), trust);
    let answer = get(&transport).await;
    let verdict = transport.verifier().seen().map(|seen| seen.verdict);
    if answer.is_ok() {
        return (Outcome::Answered, verdict);
    }
    let (stage, reason) = not_sent(answer);
    let seen = server.until_over(1).await;
    assert_eq!((stage, seen[0].handshake, seen[0].received.len()), (Stage::Tls, None, 0), "{reason}");
    (Outcome::Refused(reason), verdict)
}

async fn is_answered(face: Face, trust: &Trust) -> bool {
    outcome(face, "127.0.0.1", trust).await.0 == Outcome::Answered
}

/// Why the CA's verifier refuses.
async fn refusal(face: Face, host: &str, trust: &Trust) -> String {
    match outcome(face, host, trust).await {
        (
            Outcome::Refused(_),
            Some(CertificateVerdict::AuthorityRefused(reason) | CertificateVerdict::WrongName(reason)),
        ) => reason,
        other => panic!("not refused by the CA: {other:?}"),
    }
}

fn pinned(identity: &Identity) -> Trust {
    Trust { pins: vec![identity.pin()], ..Trust::default() }
}

fn vouched() -> Trust {
    Trust { authority: Some(CLUSTER.pem()), ..Trust::default() }
}

#[tokio::test]
async fn a_public_key_can_be_pinned() {
    let trust = |identity: &Identity| Trust { key_pins: vec![identity.key_pin()], ..Trust::default() };
    assert!(is_answered(Face::node(), &trust(&NODE)).await);
    assert!(!is_answered(Face::node(), &trust(&STRANGER)).await);
}

/// Whoever shows the certificate without having its key.
async fn assert_copy_is_refused(
    genuine: &Identity,
    key: &KeyPair,
    version: &'static SupportedProtocolVersion,
) {
    let insecure = Trust { is_insecure: true, ..Trust::default() };
    let key_pinned = Trust { key_pins: vec![genuine.key_pin()], ..Trust::default() };
    for trust in [pinned(genuine), key_pinned, vouched(), insecure] {
        let honest = Face::tls(&[genuine], genuine.key(), &[version], "");
        assert!(is_answered(honest, &trust).await, "{trust:?} refuses the genuine server");
        let copied = Face::tls(&[genuine], private(key), &[version], "");
        let (outcome, verdict) = outcome(copied, "127.0.0.1", &trust).await;
        assert_eq!(outcome, Outcome::Refused("invalid peer certificate: BadSignature".into()), "{trust:?}");
        assert_eq!(verdict, Some(CertificateVerdict::Accepted));
    }
}

#[tokio::test]
async fn a_copied_certificate_without_its_key_is_refused_in_both_versions() {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    for version in [&TLS12, &TLS13] {
        assert_copy_is_refused(&NODE, &key, version).await;
        assert_copy_is_refused(&RSA_NODE, &RSA_STRANGER, version).await;
    }
}

#[tokio::test]
async fn a_pinned_certificate_behind_another_leaf_is_refused() {
    let face = Face::tls(&[&STRANGER, &NODE], STRANGER.key(), VERSIONS, "");
    let (outcome, verdict) = outcome(face, "127.0.0.1", &pinned(&NODE)).await;
    assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    assert_eq!(verdict, Some(CertificateVerdict::PinMismatch));
}

#[tokio::test]
async fn a_ca_refuses_what_ended_has_another_address_or_is_not_its_own() {
    let rows = [
        (&EXPIRED, "127.0.0.1", "expired"),
        (&NODE, "127.0.0.2", "127.0.0.2"),
        (&STRANGER, "127.0.0.1", "it is not signed by the configured CA"),
    ];
    for (identity, host, part) in rows {
        let reason = refusal(Face::of(identity), host, &vouched()).await;
        assert!(reason.contains(part), "{host}: {reason}");
    }
    assert!(is_answered(Face::of(&EXPIRED), &pinned(&EXPIRED)).await, "a pin does not end");
}

#[tokio::test]
async fn a_ca_vouches_for_the_addresses_and_names_in_the_certificate() {
    let named = |name| Trust { server_name: Some(name), ..vouched() };
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        assert_eq!(outcome(Face::node(), host, &vouched()).await.0, Outcome::Answered, "{host}");
    }
    for name in ["pve1", "pve1.lan", "PVE1.lan", "127.0.0.1", "::1"] {
        assert_eq!(outcome(Face::node(), "127.0.0.1", &named(name)).await.0, Outcome::Answered, "{name}");
    }
    for name in ["pve2", "lan", "127.0.0.2"] {
        let reason = refusal(Face::node(), "127.0.0.1", &named(name)).await;
        assert!(reason.contains(name) && reason.contains("pve1.lan"), "{reason}");
    }
}

#[tokio::test]
async fn a_ca_that_serves_itself_is_told_to_be_pinned() {
    let reason = refusal(Face::of(CLUSTER.as_identity()), "127.0.0.1", &vouched()).await;
    assert_eq!(reason, "it is itself a CA certificate; put its fingerprint into `tls.pins` instead");
    assert!(is_answered(Face::of(CLUSTER.as_identity()), &pinned(CLUSTER.as_identity())).await);
}

#[tokio::test]
async fn every_connection_is_judged_anew() {
    let closing = vec![Step::Serve(ok(), 1), Step::Close];
    let play = |face| Play { face, script: closing.clone() };
    let server = Faultd::start(vec![play(Face::node()), play(Face::of(&STRANGER))]).await;
    let transport = transport(&format!("https://{}", server.address()), &pinned(&NODE));
    get(&transport).await.unwrap();
    server.until_over(1).await;
    // Also later errors say what was expected and what was seen.
    for _ in 0..2 {
        let (stage, reason) = not_sent(get(&transport).await);
        let told = format!("expected {}, seen {}", NODE.pin(), STRANGER.pin());
        assert!(stage == Stage::Tls && reason.ends_with(&told), "{reason}");
    }
}

#[tokio::test]
async fn no_session_is_resumed() {
    for version in [&TLS12, &TLS13] {
        let face = Face::tls(&[&NODE], NODE.key(), &[version], "");
        let server =
            Faultd::start(vec![Play { face, script: vec![Step::Serve(ok(), 1), Step::Close] }]).await;
        let transport = transport(&format!("https://{}", server.address()), &pinned(&NODE));
        for count in 1..=2 {
            get(&transport).await.unwrap();
            server.until_over(count).await;
        }
        let handshakes: Vec<_> = server.seen().iter().map(|seen| seen.handshake).collect();
        assert!(handshakes.iter().all(|kind| is_full(*kind)), "{handshakes:?}");
    }
}

/// Whether the certificate was looked at.
fn is_full(handshake: Option<HandshakeKind>) -> bool {
    matches!(handshake, Some(HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest))
}

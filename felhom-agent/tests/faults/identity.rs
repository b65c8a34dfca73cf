//! Who the server is: pins, the CA, both, and certificates that were copied. Not a byte of a request leaves before.

use std::net::{IpAddr, Ipv4Addr};

use felhom_agent::tls::CertificateVerdict;
use proxmox_api::Stage;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::HandshakeKind;
use rustls::version::{TLS12, TLS13};

use crate::agent::{Trust, get, not_sent, ok, transport};
use crate::certificate::{CLUSTER, EXPIRED, Identity, NODE, RSA_NODE, RSA_STRANGER, STRANGER, private};
use crate::faultd::{Face, Faultd, Play, Step, VERSIONS};

/// Why a server of this face and name is refused in the handshake, before it got a byte of plain text; nothing if it is not.
async fn refusal(face: Face, host: &str, trust: &Trust) -> String {
    let address = host.trim_matches(['[', ']']).parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let server = Faultd::start_at(address, vec![Play { face, script: vec![Step::Serve(ok(), 1)] }]).await;
    let transport = transport(&format!("https://{host}:{}", server.address().port()), trust);
    let answer = get(&transport).await;
    if answer.is_ok() {
        return String::new();
    }
    let (stage, reason) = not_sent(answer);
    let seen = server.until_over(1).await;
    assert_eq!((stage, seen[0].handshake, seen[0].received.len()), (Stage::Tls, None, 0), "{reason}");
    match transport.verifier().seen().unwrap().verdict {
        CertificateVerdict::AuthorityRefused(reason) | CertificateVerdict::WrongName(reason) => reason,
        CertificateVerdict::Accepted => format!("accepted, but {reason}"),
        verdict => format!("{verdict:?}"),
    }
}

fn pinned(identity: &Identity) -> Trust {
    Trust { pins: vec![identity.pin()], ..Trust::default() }
}

fn key_pinned(identity: &Identity) -> Trust {
    Trust { key_pins: vec![identity.key_pin()], ..Trust::default() }
}

fn vouched() -> Trust {
    Trust { authority: Some(CLUSTER.pem()), ..Trust::default() }
}

/// What the server shows, its address, what is trusted, and why it is refused, in words between dots; nothing if it is not.
type Judged = (Face, &'static str, Trust, &'static str);

fn by_pins() -> Vec<Judged> {
    let behind = Face::tls(&[&STRANGER, &NODE], STRANGER.key(), VERSIONS, "");
    vec![
        (Face::node(), "127.0.0.1", key_pinned(&NODE), ""),
        (Face::node(), "127.0.0.1", key_pinned(&STRANGER), "PinMismatch"),
        // The pinned certificate stands behind another leaf.
        (behind, "127.0.0.1", pinned(&NODE), "PinMismatch"),
        // A pin does not end.
        (Face::of(&EXPIRED), "127.0.0.1", pinned(&EXPIRED), ""),
        (Face::of(&CLUSTER), "127.0.0.1", pinned(&CLUSTER), ""),
    ]
}

fn by_the_ca() -> Vec<Judged> {
    let expecting = |name| Trust { server_name: Some(name), ..vouched() };
    let itself = "it is itself a CA certificate; put its fingerprint into `tls.pins` instead";
    let rows = vec![
        (Face::of(&EXPIRED), "127.0.0.1", vouched(), "expired"),
        (Face::node(), "127.0.0.2", vouched(), "127.0.0.2"),
        (Face::of(&STRANGER), "127.0.0.1", vouched(), "it is not signed by the configured CA"),
        (Face::of(&CLUSTER), "127.0.0.1", vouched(), itself),
    ];
    let hosts = ["127.0.0.1", "localhost", "[::1]"].map(|host| (Face::node(), host, vouched(), ""));
    let names = ["pve1", "pve1.lan", "PVE1.lan", "127.0.0.1", "::1"];
    let names = names.map(|name| (Face::node(), "127.0.0.1", expecting(name), ""));
    let others = [("pve2", "pve2..pve1.lan"), ("lan", "lan..pve1.lan"), ("127.0.0.2", "127.0.0.2..pve1.lan")];
    let others = others.map(|(name, words)| (Face::node(), "127.0.0.1", expecting(name), words));
    rows.into_iter().chain(hosts).chain(names).chain(others).collect()
}

/// Whoever shows a certificate, with its key and without, in both versions and under every kind of trust.
fn copied() -> Vec<Judged> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let mut rows = Vec::new();
    for (genuine, key) in [(&NODE, &key), (&RSA_NODE, &RSA_STRANGER)] {
        for version in [&TLS12, &TLS13] {
            let insecure = Trust { is_insecure: true, ..Trust::default() };
            for trust in [pinned(genuine), key_pinned(genuine), vouched(), insecure] {
                let face = |key| Face::tls(&[genuine], key, &[version], "");
                rows.push((face(genuine.key()), "127.0.0.1", trust.clone(), ""));
                let words = "accepted, but invalid peer certificate: BadSignature";
                rows.push((face(private(key)), "127.0.0.1", trust, words));
            }
        }
    }
    rows
}

#[tokio::test]
async fn a_server_is_what_is_trusted_and_has_the_key_or_it_gets_nothing() {
    for (face, host, trust, words) in by_pins().into_iter().chain(by_the_ca()).chain(copied()) {
        let reason = refusal(face, host, &trust).await;
        let is_said = words.split("..").all(|words| reason.contains(words));
        assert!(
            is_said && words.is_empty() == reason.is_empty(),
            "{host} {trust:?}: {words:?}, not {reason:?}"
        );
    }
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
async fn a_certificate_that_the_ca_vouched_for_a_moment_ago_proves_nothing_without_its_key() {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    for version in [&TLS12, &TLS13] {
        let copied = Face::tls(&[&NODE], private(&key), &[version], "");
        let (good, bad) = (Face::node(), Face::of(&STRANGER));
        let play = |face| Play { face, script: vec![Step::Serve(ok(), 1), Step::Close] };
        let server = Faultd::start([good.clone(), copied, good.clone(), bad, good].map(play).into()).await;
        let transport = transport(&format!("https://{}", server.address()), &vouched());
        for is_good in [true, false, true, false, true] {
            let answer = get(&transport).await;
            assert_eq!(answer.is_ok(), is_good, "{answer:?}");
            if !is_good {
                assert_eq!(not_sent(answer).0, Stage::Tls);
            }
            server.until(|seen| seen.last().is_some_and(|seen| seen.is_over)).await;
        }
        let requests: Vec<usize> = server.requests();
        assert_eq!(requests, [1, 0, 1, 0, 1]);
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
        // In a full handshake the certificate is looked at.
        let full = [HandshakeKind::Full, HandshakeKind::FullWithHelloRetryRequest];
        let is_full = |seen: &crate::faultd::Seen| seen.handshake.is_some_and(|kind| full.contains(&kind));
        assert!(server.seen().iter().all(is_full), "{:?}", server.seen());
    }
}

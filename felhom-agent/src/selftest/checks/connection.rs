//! Checks of the way to the server: TCP, TLS, and who the server is.

use std::time::{SystemTime, UNIX_EPOCH};

use proxmox_api::Stage;
use rustls::ProtocolVersion;
use serde_json::json;

use crate::config::Config;
use crate::diagnosis::of_handshake;
use crate::report::finding::{Claim, Finding, Remedy};
use crate::report::shell::{edit_key, edit_line};
use crate::selftest::{Check, FirstAnswer, Look};
use crate::tls::{CertificateVerdict, Leaf, SeenCertificate, utc};

pub(super) const CHECKS: &[Check] = &[
    Check::new(
        Claim::new("net.connect", "the name resolves and the port accepts", "TCP").needs(&["config.tls"]),
        Look::FirstAnswer(connect),
    ),
    Check::new(
        Claim::new(
            "tls.handshake",
            "the server speaks TLS 1.2 or 1.3 and holds the key of its certificate",
            "TLS",
        )
        .needs(&["net.connect"]),
        Look::FirstAnswer(handshake),
    ),
    Check::new(
        Claim::new("tls.pin", "the certificate is one of the pinned ones", "TLS").needs(&["tls.handshake"]),
        Look::FirstAnswer(pin),
    ),
    Check::new(
        Claim::new("tls.ca", "the CA signed the certificate, for this name and this time", "TLS")
            .needs(&["tls.handshake"]),
        Look::FirstAnswer(authority),
    ),
    Check::new(
        Claim::new("tls.expiry", "the certificate is valid for two weeks more", "TLS")
            .needs(&["tls.pin", "tls.ca"]),
        Look::FirstAnswer(expiry),
    ),
];

/// Shows what the node itself says its certificates are: the one of pveproxy, if there is one, and its own.
const SHOW: &str = "pvenode cert info";

/// Renews the certificate that PVE makes itself.
const RENEW: &str = "pvecm updatecerts -f && systemctl reload pveproxy";

/// What the issuer of every certificate that PVE makes itself has.
///
/// Source: pve-cluster `PVE/Cluster/Setup.pm`, `gen_pveca_cert`; recording `get-certificates-info.root`.
const OWN_ISSUER: &str = "PVE Cluster Manager CA";

const DAY: u64 = 86_400;

fn connect(view: &FirstAnswer<'_>) -> Finding {
    let url = &view.config.url;
    let listening = format!("ss -ltnp 'sport = :{}' && systemctl status pveproxy", url.port);
    match view.failure {
        Some((Stage::Resolve, reason)) => Finding::fail(reason, edit_line(&view.config.path))
            .look(format!("getent hosts {}", url.bare_host())),
        Some((Stage::Connect | Stage::Build, reason)) => {
            Finding::fail(reason, "systemctl restart pveproxy").look(listening)
        }
        _ => connected(view, &listening),
    }
}

fn connected(view: &FirstAnswer<'_>, listening: &str) -> Finding {
    let Some(facts) = view.wire.record.connect() else { return Finding::skip("nothing was connected") };
    let address = facts.address.map_or_else(|| view.config.url.to_string(), |address| address.to_string());
    let took = facts.connect_time.as_secs_f64() * 1000.0;
    let summary = format!("{address} in {took:.1} ms");
    if took > 200.0 { Finding::warn(summary).look(listening) } else { Finding::ok(summary) }
        .with(json!({ "address": address, "connect_ms": (took * 100.0).round() / 100.0 }))
}

fn handshake(view: &FirstAnswer<'_>) -> Finding {
    match (view.failure, &view.seen) {
        (Some((Stage::Tls, reason)), None) => Finding::fail(reason, of_handshake(reason)),
        (Some((Stage::Tls, reason)), Some(SeenCertificate { verdict: CertificateVerdict::Accepted, .. })) => {
            Finding::fail(reason, of_handshake(reason)).because(
                "the certificate is the right one, but the server could not prove that it holds the key",
            )
        }
        (Some(_), Some(_)) => Finding::ok("the server presented a certificate, which was then refused"),
        _ => {
            let version = view.wire.record.connect().and_then(|facts| facts.tls_version);
            let version = match version {
                Some(ProtocolVersion::TLSv1_3) => "TLS 1.3".into(),
                Some(ProtocolVersion::TLSv1_2) => "TLS 1.2".into(),
                other => format!("{other:?}"),
            };
            Finding::ok(version.clone()).with(json!({ "version": version }))
        }
    }
}

fn pin(view: &FirstAnswer<'_>) -> Finding {
    let tls = &view.config.tls;
    let pins: Vec<String> = tls.pins.iter().chain(&tls.spki_pins).map(ToString::to_string).collect();
    if pins.is_empty() {
        return Finding::skip("no pin is configured");
    }
    let Some(seen) = &view.seen else { return Finding::skip("no certificate was seen") };
    let (leaf, data) = (&seen.leaf, facts(&seen.leaf));
    match view.wire.verifier.matching_pin(leaf) {
            Some((number, of)) => {
                Finding::ok(format!("{} (pin {number} of {of})", short(leaf))).with(data)
            }
            None => Finding::fail(
                format!("expected {}, seen {}", pins.join(" or "), leaf.fingerprint),
                edit_key(&view.config.path, "tls.pins"),
            )
            .look(SHOW)
            .because(format!(
                "{}; if the node shows the same fingerprint, its certificate was renewed: put it into `tls.pins`. \
                 Nothing was sent to this server",
                described(leaf)
            ))
            .with(data),
        }
}

fn authority(view: &FirstAnswer<'_>) -> Finding {
    let Some(path) = &view.config.tls.ca_file else { return Finding::skip("no CA is configured") };
    let Some(seen) = &view.seen else { return Finding::skip("no certificate was seen") };
    match &seen.verdict {
        CertificateVerdict::Accepted => {
            Finding::ok(format!("{} signed {}", path.display(), seen.leaf.subject))
        }
        CertificateVerdict::PinMismatch => Finding::skip("not judged, since the pin did not match"),
        CertificateVerdict::WrongName(reason) => wrong_name(view.config, &seen.leaf, reason),
        CertificateVerdict::AuthorityRefused(reason) => {
            let key = format!("tls.ca_file: the CA that signed {}", seen.leaf.issuer);
            let verify = format!("openssl verify -CAfile {} /etc/pve/local/pve-ssl.pem", path.display());
            Finding::fail(reason.clone(), edit_key(&view.config.path, &key))
                .because(format!("{}; nothing was sent to this server", described(&seen.leaf)))
                .look(format!("{verify}; {SHOW}"))
        }
    }
    .with(facts(&seen.leaf))
}

/// The certificate is the CA's, and the name is not in it: another name of the certificate can be asked for.
fn wrong_name(config: &Config, leaf: &Leaf, reason: &str) -> Finding {
    let names: Vec<&str> = leaf.names.iter().map(String::as_str).filter(|name| !name.contains('*')).collect();
    let key = match names.as_slice() {
        [] => format!("tls.pins: {}, since no name of the certificate can be looked for", leaf.fingerprint),
        names => format!("tls.server_name: {}", names.join(" or ")),
    };
    Finding::fail(reason, edit_key(&config.path, &key))
        .because(format!(
            "{}; `tls.server_name` is the name to look for where `url` has another. Nothing was sent to this server",
            described(leaf)
        ))
        .look(SHOW)
}

fn expiry(view: &FirstAnswer<'_>) -> Finding {
    let Some(SeenCertificate { leaf, .. }) = &view.seen else {
        return Finding::skip("no certificate was seen");
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let data = json!({ "not_after": leaf.not_after });
    let (renew, why) = renewal(leaf);
    match leaf.not_after.checked_sub(now) {
        None => Finding::warn(format!("expired on {}", utc(leaf.not_after)))
            .because(format!("a pin is about identity and not about time, so this still works; {why}"))
            .remedy(renew),
        Some(left) if left < 14 * DAY => {
            let days = left / DAY;
            Finding::warn(format!("expires in {days} days, on {}", utc(leaf.not_after)))
                .because(why)
                .remedy(renew)
        }
        Some(left) => Finding::ok(format!("expires in {} days", left / DAY)),
    }
    .with(data)
}

/// How the certificate that is served is renewed, and what else is to be known of it. Only PVE's own has one way:
/// whether another came from ACME or was uploaded, it does not say itself.
fn renewal(leaf: &Leaf) -> (Remedy, &'static str) {
    if leaf.issuer.contains(OWN_ISSUER) {
        return (Remedy::fix(RENEW), "PVE renews it by itself, and then its fingerprint changes");
    }
    (
        Remedy::look(format!("pvenode config get && {SHOW}")),
        "it is not PVE's own, which would be renewed by itself. Is it from ACME: pvenode acme cert renew; was it \
         uploaded, upload the next one: pvenode cert set CERTIFICATE.pem KEY.pem --force --restart",
    )
}

/// The ends of a fingerprint, which are enough where it is the right one.
fn short(leaf: &Leaf) -> String {
    let pairs = leaf.fingerprint.to_string();
    let pairs: Vec<&str> = pairs.split(':').collect();
    let ends = pairs.get(..4).zip(pairs.get(29..));
    ends.map_or_else(String::new, |(head, tail)| format!("{}...{}", head.join(":"), tail.join(":")))
}

fn described(leaf: &Leaf) -> String {
    format!(
        "the server presented {}, valid from {} to {}",
        leaf.subject,
        utc(leaf.not_before),
        utc(leaf.not_after)
    )
}

fn facts(leaf: &Leaf) -> serde_json::Value {
    json!({
        "fingerprint": leaf.fingerprint, "spki_fingerprint": leaf.spki_fingerprint, "subject": leaf.subject,
        "issuer": leaf.issuer, "not_before": leaf.not_before, "not_after": leaf.not_after, "names": leaf.names,
    })
}

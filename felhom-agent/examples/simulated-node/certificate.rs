//! Certificates of the shape that PVE makes: a cluster CA, and a node's certificate that it signs.
//!
//! Source: pve-cluster `PVE/Cluster/Setup.pm`, `gen_pveca_cert` and `gen_pve_ssl_cert`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

use proxmox_types::Fingerprint;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, SanType,
};
use ring::digest::{SHA256, digest};
use rsa::pkcs8::EncodePrivateKey;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

type Failure = Box<dyn std::error::Error>;

const DAY: Duration = Duration::from_hours(24);

/// A node's certificate with its key, and the CA that signed it.
pub(crate) struct Identity {
    authority: rcgen::Certificate,
    leaf: rcgen::Certificate,
    key: KeyPair,
}

impl Identity {
    /// A fresh identity for a node of this name, valid for two years less a day.
    pub(crate) fn new(node: &str) -> Result<Self, Failure> {
        Self::valid_until(node, SystemTime::now() + 729 * DAY)
    }

    /// A fresh identity that ends at this time.
    pub(crate) fn valid_until(node: &str, end: SystemTime) -> Result<Self, Failure> {
        let authority_key = key(4096)?;
        let authority_params = authority(SystemTime::now() + 3650 * DAY);
        let authority = authority_params.self_signed(&authority_key)?;
        let key = key(2048)?;
        let leaf = leaf(node, end)?.signed_by(&key, &Issuer::new(authority_params, authority_key))?;
        Ok(Self { authority, leaf, key })
    }

    /// The CA as a file's content, `pve-root-ca.pem`.
    pub(crate) fn authority_pem(&self) -> String {
        self.authority.pem()
    }

    /// SHA-256 of the node's certificate.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, self.leaf.der()).as_ref());
        Fingerprint::new(hash)
    }

    /// The certificate. PVE does not send the CA with it.
    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.leaf.der().clone()]
    }

    /// The certificate's key.
    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }
}

fn key(bits: usize) -> Result<KeyPair, Failure> {
    let key = rsa::PrivateKey::new(&mut getrandom::SysRng, bits)?;
    let der = PrivatePkcs8KeyDer::from(key.to_pkcs8_der()?.as_bytes().to_vec());
    Ok(KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_RSA_SHA256)?)
}

fn authority(end: SystemTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(&[
        (DnType::CommonName, "Proxmox Virtual Environment"),
        (DnType::OrganizationalUnitName, &uuid()),
        (DnType::OrganizationName, "PVE Cluster Manager CA"),
    ]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = (SystemTime::now() - DAY).into();
    params.not_after = end.into();
    params
}

/// A random UUID, which tells one cluster's CA from another's.
fn uuid() -> String {
    let mut bytes = [0; 16];
    // Without randomness there were no keys either.
    let _filled = getrandom::fill(&mut bytes);
    let mut rest = bytes.iter();
    let parts = [4, 2, 2, 2, 6].map(|length| {
        let pairs: Vec<String> = rest.by_ref().take(length).map(|byte| format!("{byte:02x}")).collect();
        pairs.concat()
    });
    parts.join("-")
}

fn leaf(node: &str, end: SystemTime) -> Result<CertificateParams, Failure> {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(&[
        (DnType::OrganizationalUnitName, "PVE Cluster Node"),
        (DnType::OrganizationName, "Proxmox Virtual Environment"),
        (DnType::CommonName, &format!("{node}.lan")),
    ]);
    params.is_ca = IsCa::ExplicitNoCa;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.subject_alt_names = vec![
        SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        SanType::DnsName("localhost".try_into()?),
        SanType::IpAddress(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2))),
        SanType::DnsName(node.try_into()?),
        SanType::DnsName(format!("{node}.lan").try_into()?),
    ];
    params.not_before = (SystemTime::now().min(end) - DAY).into();
    params.not_after = end.into();
    Ok(params)
}

fn named(parts: &[(DnType, &str)]) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    for (kind, value) in parts {
        name.push(kind.clone(), *value);
    }
    name
}

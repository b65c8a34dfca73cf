//! Certificates of the shape that PVE makes: a cluster's CA, and leaves that it signs. The served simulated node has them
//! from here, too.
//!
//! Source: pve-cluster `PVE/Cluster/Setup.pm`, `gen_pveca_cert` and `gen_pve_ssl_cert`.
//! The keys are ECDSA, which cost nothing; where the kind of key matters there is RSA, as PVE has it.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use proxmox_types::Fingerprint;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData, SanType,
};
use ring::digest::{SHA256, digest};
use rsa::pkcs8::EncodePrivateKey;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

const DAY: Duration = Duration::from_hours(24);

/// The CA of the node's cluster.
pub(crate) static CLUSTER: LazyLock<Identity> =
    LazyLock::new(|| Identity::authority("PVE Cluster Manager CA"));

/// The node.
pub(crate) static NODE: LazyLock<Identity> = LazyLock::new(|| CLUSTER.signs(ecdsa(), later()));

/// The node, with an RSA key.
pub(crate) static RSA_NODE: LazyLock<Identity> = LazyLock::new(|| CLUSTER.signs(rsa(), later()));

/// The node, with a certificate that ended yesterday.
pub(crate) static EXPIRED: LazyLock<Identity> =
    LazyLock::new(|| CLUSTER.signs(ecdsa(), SystemTime::now() - DAY));

/// Somebody else, with the node's names and a CA of his own.
pub(crate) static STRANGER: LazyLock<Identity> =
    LazyLock::new(|| Identity::authority("another CA").signs(ecdsa(), later()));

/// A key of nobody's.
pub(crate) static RSA_STRANGER: LazyLock<KeyPair> = LazyLock::new(rsa);

/// A certificate with its key.
pub(crate) struct Identity {
    params: CertificateParams,
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Identity {
    /// A CA, which can take the part of a server as well.
    fn authority(organization: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Proxmox Virtual Environment");
        params
            .distinguished_name
            .push(DnType::OrganizationalUnitName, "73d0136c-228b-411e-82a1-ec4cdbdc3d66");
        params.distinguished_name.push(DnType::OrganizationName, organization);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.subject_alt_names = names();
        let key = ecdsa();
        Self { certificate: params.self_signed(&key).unwrap(), params, key }
    }

    /// A certificate for the node, signed by this CA, that ends at this time.
    fn signs(&self, key: KeyPair, end: SystemTime) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationalUnitName, "PVE Cluster Node");
        params.distinguished_name.push(DnType::OrganizationName, "Proxmox Virtual Environment");
        params.distinguished_name.push(DnType::CommonName, "pve1.lan");
        params.is_ca = IsCa::ExplicitNoCa;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.subject_alt_names = names();
        params.not_before = (SystemTime::now().min(end) - 30 * DAY).into();
        params.not_after = end.into();
        let issuer = Issuer::from_params(&self.params, &self.key);
        Self { certificate: params.signed_by(&key, &issuer).unwrap(), params, key }
    }

    /// The certificate as a file's content.
    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// The certificate.
    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    /// The key.
    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        private(&self.key)
    }

    /// SHA-256 of the certificate.
    pub(crate) fn pin(&self) -> Fingerprint {
        sha256(self.certificate.der())
    }

    /// SHA-256 of the public key.
    pub(crate) fn key_pin(&self) -> Fingerprint {
        sha256(&self.key.subject_public_key_info())
    }
}

/// A key as rustls takes it.
pub(crate) fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(key.serialize_der()).into()
}

fn names() -> Vec<SanType> {
    let name = |name: &str| SanType::DnsName(name.try_into().unwrap());
    let address = |address: &str| SanType::IpAddress(address.parse().unwrap());
    let (own, names) = (address("192.0.2.2"), [name("pve1"), name("pve1.lan")]);
    [address("127.0.0.1"), address("::1"), name("localhost"), own].into_iter().chain(names).collect()
}

fn later() -> SystemTime {
    SystemTime::now() + 729 * DAY
}

fn ecdsa() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}

fn rsa() -> KeyPair {
    let key = rsa::PrivateKey::new(&mut getrandom::SysRng, 2048).unwrap();
    let der = PrivatePkcs8KeyDer::from(key.to_pkcs8_der().unwrap().as_bytes().to_vec());
    KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_RSA_SHA256).unwrap()
}

fn sha256(bytes: &[u8]) -> Fingerprint {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    Fingerprint::new(hash)
}

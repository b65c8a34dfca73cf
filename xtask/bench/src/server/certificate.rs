//! A certificate as PVE makes it: RSA-2048, signed by a CA of RSA-4096, because the cost of a handshake depends on both.
//!
//! Source: pve-cluster `PVE/Cluster/Setup.pm`, `gen_pveca_cert` and `gen_pve_ssl_cert`.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, SanType,
};
use rsa::pkcs8::EncodePrivateKey;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::Res;

/// A node's certificate with its key, and the CA that signed it.
pub(super) struct Identity {
    /// `pve-root-ca.pem`.
    pub(super) authority: String,
    pub(super) certificate: CertificateDer<'static>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl Identity {
    pub(super) fn new() -> Res<Self> {
        let mut cluster = CertificateParams::default();
        cluster.distinguished_name.push(DnType::CommonName, "Proxmox Virtual Environment");
        cluster
            .distinguished_name
            .push(DnType::OrganizationalUnitName, "73d0136c-228b-411e-82a1-ec4cdbdc3d66");
        cluster.distinguished_name.push(DnType::OrganizationName, "PVE Cluster Manager CA");
        cluster.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        cluster.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let cluster_key = rsa(4096)?;
        let authority = cluster.self_signed(&cluster_key)?.pem();
        let mut node =
            CertificateParams::new(["localhost".to_owned(), "pve1".to_owned(), "pve1.lan".to_owned()])?;
        node.distinguished_name.push(DnType::OrganizationalUnitName, "PVE Cluster Node");
        node.distinguished_name.push(DnType::OrganizationName, "Proxmox Virtual Environment");
        node.distinguished_name.push(DnType::CommonName, "pve1.lan");
        node.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
        node.is_ca = IsCa::ExplicitNoCa;
        node.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = rsa(2048)?;
        let certificate = node.signed_by(&key, &Issuer::new(cluster, cluster_key))?.der().clone();
        Ok(Self { authority, certificate, key: PrivatePkcs8KeyDer::from(key.serialize_der()).into() })
    }
}

fn rsa(bits: usize) -> Res<KeyPair> {
    let key = rsa::PrivateKey::new(&mut getrandom::SysRng, bits)?;
    let der = PrivatePkcs8KeyDer::from(key.to_pkcs8_der()?.as_bytes().to_vec());
    Ok(KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_RSA_SHA256)?)
}

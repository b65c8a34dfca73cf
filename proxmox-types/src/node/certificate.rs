//! Certificates of a node.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;

use crate::{Fingerprint, lenient::or_default};

/// A row of `GET /nodes/{node}/certificates/info`: one file of those that exist.
///
/// `pveproxy-ssl.pem` is served if it exists, else `pve-ssl.pem`; `pve-root-ca.pem` signed the latter.
///
/// Source: pve-manager `PVE/API2/Certificates.pm`; recording `get-certificates-info.root`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Certificate {
    /// Name of the file.
    pub filename: Option<String>,
    /// SHA-256 of the certificate.
    pub fingerprint: Option<Fingerprint>,
    /// Whose it is: `/OU=PVE Cluster Node/...`.
    pub subject: Option<String>,
    /// Who signed it.
    pub issuer: Option<String>,
    /// Start of its validity in seconds since 1970.
    pub notbefore: Option<u64>,
    /// End of its validity in seconds since 1970.
    pub notafter: Option<u64>,
    /// Names and addresses that it is valid for.
    #[serde(default, deserialize_with = "or_default")]
    pub san: Vec<String>,
    /// The certificate in PEM.
    pub pem: Option<String>,
    /// Kind of its key: `rsaEncryption`.
    pub public_key_type: Option<String>,
    /// Size of its key.
    pub public_key_bits: Option<u32>,
}

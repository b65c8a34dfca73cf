//! Certificates of a node.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{Fingerprint, lenient};

/// A row of `GET /nodes/{node}/certificates/info`: one file of those that exist.
///
/// `pveproxy-ssl.pem` is served if it exists, else `pve-ssl.pem`; `pve-root-ca.pem` signed the latter.
///
/// Source: pve-manager `PVE/API2/Certificates.pm`; recording `get-certificates-info.root`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Certificate {
    /// Name of the file.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// SHA-256 of the certificate.
    #[serde(default, deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// Whose it is: `/OU=PVE Cluster Node/...`.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Who signed it.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Start of its validity in seconds since 1970.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub notbefore: Option<u64>,
    /// End of its validity in seconds since 1970.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub notafter: Option<u64>,
    /// Names and addresses that it is valid for.
    #[serde(default, deserialize_with = "lenient::list")]
    pub san: Vec<String>,
    /// The certificate in PEM.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub pem: Option<String>,
    /// Kind of its key: `rsaEncryption`.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub public_key_type: Option<String>,
    /// Size of its key.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub public_key_bits: Option<u32>,
}

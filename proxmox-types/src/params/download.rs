//! Downloading a template or an image to a storage.

use alloc::string::String;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::ContentType;

/// Parameters of `POST /nodes/{node}/storage/{storage}/download-url`.
///
/// Left out is `compression`, which is for ISO images.
///
/// Source: pve-storage `PVE/API2/Storage/Status.pm`, `download_url`; recording `download-url-r2-checksum`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DownloadUrlParams {
    /// Where it is: `https://...`.
    pub url: String,
    /// What it is: a template, an ISO image or something to import.
    pub content: ContentType,
    /// Name of the file, at most 255 characters; PVE replaces what is not a letter, a digit, `-`, `_` or `.`.
    pub filename: String,
    /// What it must hash to.
    #[serde(flatten, deserialize_with = "both_or_neither", skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// Whether the server's certificate is checked; PVE's default is yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify_certificates: Option<bool>,
}

/// What a file must hash to: PVE takes both or neither.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checksum {
    /// The hash.
    #[serde(rename = "checksum-algorithm")]
    pub algorithm: ChecksumAlgorithm,
    /// The digest in hex.
    #[serde(rename = "checksum")]
    pub digest: String,
}

/// A hash that PVE can check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChecksumAlgorithm {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl DownloadUrlParams {
    /// A download without a checksum.
    pub fn new(url: impl Into<String>, content: ContentType, filename: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            content,
            filename: filename.into(),
            checksum: None,
            verify_certificates: None,
        }
    }
}

/// Reads a checksum with its algorithm. Half of one is refused: a check that silently does not happen is worse.
fn both_or_neither<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Checksum>, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Parts {
        checksum: Option<String>,
        checksum_algorithm: Option<ChecksumAlgorithm>,
    }
    let parts = Parts::deserialize(deserializer)?;
    match (parts.checksum, parts.checksum_algorithm) {
        (Some(digest), Some(algorithm)) => Ok(Some(Checksum { algorithm, digest })),
        (None, None) => Ok(None),
        _ => Err(D::Error::custom("`checksum` and `checksum-algorithm` go together")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_full_value_has_the_documented_keys() {
        let sent = json!({
            "url": "https://example.org/a.tar.xz", "content": "vztmpl", "filename": "a.tar.xz", "checksum": "00ff",
            "checksum-algorithm": "sha256", "verify-certificates": true,
        });
        let params: DownloadUrlParams = serde_json::from_value(sent.clone()).unwrap();
        assert_eq!(serde_json::to_value(params).unwrap(), sent);
    }

    #[test]
    fn half_a_checksum_is_refused() {
        let sent = json!({ "url": "https://x", "content": "iso", "filename": "a", "checksum": "00" });
        let error = serde_json::from_value::<DownloadUrlParams>(sent).unwrap_err();
        assert_eq!(alloc::format!("{error}"), "`checksum` and `checksum-algorithm` go together");
    }
}

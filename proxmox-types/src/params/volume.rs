//! Changing, deleting, allocating and downloading volumes on a storage, and removing old backups.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::property::Property;
use crate::property::PruneBackups;
use crate::{ContentType, Vmid};

/// Parameters of `PUT /nodes/{node}/storage/{storage}/content/{volume}`, for backups.
///
/// Source: pve-storage `PVE/API2/Storage/Content.pm`; recordings `content-put-backuponly`, `lp-protect`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeParams {
    /// New notes; the empty text removes them.
    pub notes: Option<String>,
    /// Whether it is protected from deletion.
    pub protected: Option<bool>,
}

/// Parameters of `DELETE /nodes/{node}/storage/{storage}/content/{volume}`.
///
/// Source: pve-storage `PVE/API2/Storage/Content.pm`; recording `content-volume-delete-delay`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteVolumeParams {
    /// Seconds to wait for the deletion, 1 to 30. If it ends in time the answer is null instead of a task.
    pub delay: Option<u8>,
}

/// Parameters of `POST /nodes/{node}/storage/{storage}/content`, which answers with the id of the new volume.
///
/// Source: pve-storage `PVE/API2/Storage/Content.pm`; recording `allocate-r2-agent`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllocateParams {
    /// Guest that owns it.
    pub vmid: Vmid,
    /// Name of the volume: `vm-101-disk-5`.
    pub filename: String,
    /// Size in KiB, or with `M` or `G`.
    pub size: String,
    /// Format: `raw`, `qcow2`, `subvol` or `vmdk`.
    pub format: Option<String>,
}

/// Parameters of `GET` and `DELETE /nodes/{node}/storage/{storage}/prunebackups`.
///
/// Source: pve-storage `PVE/API2/Storage/PruneBackups.pm`; recordings `prunebackups-dryrun`, `prunebackups-run`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PruneParams {
    /// Which backups to keep; without it the storage's own rule.
    pub prune_backups: Option<Property<PruneBackups>>,
    /// Only backups of this kind of guest.
    #[serde(rename = "type")]
    pub kind: Option<GuestKind>,
    /// Only backups of this guest. Without it the removal needs `Datastore.Allocate` on the storage.
    pub vmid: Option<Vmid>,
}

/// Kind of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GuestKind {
    /// A container.
    Lxc,
    /// A virtual machine.
    Qemu,
}

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
    #[serde(flatten)]
    pub checksum: Option<Checksum>,
    /// Whether the server's certificate is checked; PVE's default is yes.
    pub verify_certificates: Option<bool>,
}

/// What a file must hash to: PVE takes both or neither.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

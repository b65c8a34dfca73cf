//! Disks of a node and their health.

use alloc::string::String;

use serde::{Deserialize, Deserializer, Serialize};

use crate::scalar::{self, LooseScalar};
use crate::{Rows, lenient};

/// A row of `GET /nodes/{node}/disks/list`. Ceph's keys are left out.
///
/// Source: pve-storage `PVE/Diskmanage.pm`, `get_disks`; recording `get-disks-list`, of a virtual disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Disk {
    /// Device: `/dev/sda`.
    pub devpath: String,
    /// Kind: `hdd`, `ssd`, `nvme`, `usb` or `unknown`.
    #[serde(
        default,
        rename = "type",
        deserialize_with = "lenient::scalar",
        skip_serializing_if = "Option::is_none"
    )]
    pub kind: Option<String>,
    /// Size in bytes.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Model, or `unknown`.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Vendor.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Serial number, or `unknown`.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// World-wide name, or `unknown`.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub wwn: Option<String>,
    /// Link below `/dev/disk/by-id`.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub by_id_link: Option<String>,
    /// Rotations per minute, 0 if it does not rotate, -1 if unknown. May arrive as a string.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub rpm: Option<i64>,
    /// SMART health: `PASSED`, `OK`, `FAILED!`, or `UNKNOWN` where nothing could be read.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub health: Option<String>,
    /// How worn out an SSD is.
    #[serde(default, deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub wearout: Option<Wearout>,
    /// Who uses it: `LVM`, `ZFS`, `ext4`, `mounted`, `partitions`, ...
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub used: Option<String>,
    /// Whether it has a GPT.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub gpt: Option<bool>,
    /// Whether it is mounted; absent if not.
    #[serde(default, deserialize_with = "scalar::required")]
    pub mounted: bool,
    /// The disk that a partition is on; only with `include-partitions`.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

/// How worn out an SSD is.
///
/// Source: pve-storage `PVE/Diskmanage.pm`; recording `get-disks-list` for `N/A`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Wearout {
    /// Percent of its life that is left, 0 to 100.
    PercentLeft(f64),
    /// No number: `N/A`.
    Other(String),
}

impl<'de> Deserialize<'de> for Wearout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text: String = scalar::required(deserializer)?;
        Ok(f64::from_text(&text).map_or(Self::Other(text), Self::PercentLeft))
    }
}

/// Answer of `GET /nodes/{node}/disks/smart`. Every error of `smartctl` ends as the health `UNKNOWN` with nothing else.
///
/// Source: pve-storage `PVE/Diskmanage.pm`, `get_smart_data`; recording `get-disks-smart`, of a virtual disk. What
/// stands beside `health` is from the schema and the code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DiskHealth {
    /// `PASSED`, `OK`, `FAILED!`, or `UNKNOWN` where nothing could be read.
    pub health: String,
    /// `ata` with attributes, or `text`.
    #[serde(
        default,
        rename = "type",
        deserialize_with = "lenient::scalar",
        skip_serializing_if = "Option::is_none"
    )]
    pub kind: Option<String>,
    /// The attributes of an ATA disk.
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub attributes: Rows<SmartAttribute>,
    /// Output of `smartctl` for a disk that is not ATA.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A SMART attribute of an ATA disk.
///
/// Source: pve-storage `PVE/Diskmanage.pm`, `get_smart_data`. Never recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SmartAttribute {
    /// Number of the attribute, padded with blanks: `  9`.
    #[serde(deserialize_with = "scalar::required")]
    pub id: String,
    /// Name: `Power_On_Hours`.
    pub name: String,
    /// The raw value as the vendor prints it.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// Normalised value; higher is better.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
    /// The worst normalised value so far.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub worst: Option<i64>,
    /// Normalised value at which it counts as failed.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub threshold: Option<i64>,
    /// When it failed: `-` for never.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub fail: Option<String>,
    /// Flags.
    #[serde(default, deserialize_with = "lenient::scalar", skip_serializing_if = "Option::is_none")]
    pub flags: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn wearout_is_a_number_or_a_text() {
        let read = [json!(97), json!("97"), json!("N/A")].map(|json| Wearout::deserialize(json).unwrap());
        assert_eq!(
            read,
            [Wearout::PercentLeft(97.0), Wearout::PercentLeft(97.0), Wearout::Other("N/A".into())]
        );
    }
}

//! Disks of a node and their health.

use alloc::string::String;

use serde::{Deserialize, Deserializer};

use crate::{Rows, lenient::or_default};

/// A row of `GET /nodes/{node}/disks/list`. Ceph's keys are left out.
///
/// Source: pve-storage `PVE/Diskmanage.pm`, `get_disks`; recording `get-disks-list`, of a virtual disk.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Disk {
    /// Device: `/dev/sda`.
    pub devpath: String,
    /// Kind: `hdd`, `ssd`, `nvme`, `usb` or `unknown`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Size in bytes.
    pub size: Option<u64>,
    /// Model, or `unknown`.
    pub model: Option<String>,
    /// Vendor.
    pub vendor: Option<String>,
    /// Serial number, or `unknown`.
    pub serial: Option<String>,
    /// World-wide name, or `unknown`.
    pub wwn: Option<String>,
    /// Link below `/dev/disk/by-id`.
    pub by_id_link: Option<String>,
    /// Rotations per minute, 0 if it does not rotate, -1 if unknown. May arrive as a string.
    pub rpm: Option<i64>,
    /// SMART health: `PASSED`, `OK`, `FAILED!`, or `UNKNOWN` where nothing could be read.
    pub health: Option<String>,
    /// How worn out an SSD is.
    pub wearout: Option<Wearout>,
    /// Who uses it: `LVM`, `ZFS`, `ext4`, `mounted`, `partitions`, ...
    pub used: Option<String>,
    /// Whether it has a GPT.
    pub gpt: Option<bool>,
    /// Whether it is mounted; absent if not.
    #[serde(default)]
    pub mounted: bool,
    /// The disk that a partition is on; only with `include-partitions`.
    pub parent: Option<String>,
}

/// How worn out an SSD is.
///
/// Source: pve-storage `PVE/Diskmanage.pm`; recording `get-disks-list` for `N/A`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Wearout {
    /// Percent of its life that is left, 0 to 100.
    PercentLeft(f64),
    /// No number: `N/A`.
    Other(String),
}

impl<'de> Deserialize<'de> for Wearout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite());
        Ok(number.map_or(Self::Other(text), Self::PercentLeft))
    }
}

/// Answer of `GET /nodes/{node}/disks/smart`. Every error of `smartctl` ends as the health `UNKNOWN` with nothing else.
///
/// Source: pve-storage `PVE/Diskmanage.pm`, `get_smart_data`; recording `get-disks-smart`, of a virtual disk. What
/// stands beside `health` is from the schema and the code.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct DiskHealth {
    /// `PASSED`, `OK`, `FAILED!`, or `UNKNOWN` where nothing could be read.
    pub health: String,
    /// `ata` with attributes, or `text`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The attributes of an ATA disk.
    #[serde(default, deserialize_with = "or_default")]
    pub attributes: Rows<SmartAttribute>,
    /// Output of `smartctl` for a disk that is not ATA.
    pub text: Option<String>,
}

/// A SMART attribute of an ATA disk.
///
/// Source: pve-storage `PVE/Diskmanage.pm`, `get_smart_data`. Never recorded.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct SmartAttribute {
    /// Number of the attribute, padded with blanks: `  9`.
    pub id: String,
    /// Name: `Power_On_Hours`.
    pub name: String,
    /// The raw value as the vendor prints it.
    pub raw: Option<String>,
    /// Normalised value; higher is better.
    pub value: Option<i64>,
    /// The worst normalised value so far.
    pub worst: Option<i64>,
    /// Normalised value at which it counts as failed.
    pub threshold: Option<i64>,
    /// When it failed: `-` for never.
    pub fail: Option<String>,
    /// Flags.
    pub flags: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn wearout_is_a_number_or_a_text() {
        let read = [json!(97), json!("97"), json!("N/A")]
            .map(|json| crate::lenient::from_value::<Wearout>(&json).unwrap());
        assert_eq!(
            read,
            [Wearout::PercentLeft(97.0), Wearout::PercentLeft(97.0), Wearout::Other("N/A".into())]
        );
    }
}

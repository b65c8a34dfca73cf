//! The health of a disk as it is told, and the exit status of smartctl: a mask of eight bits.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::json;

/// The health of a disk. A value that the disk does not tell is `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SmartReport {
    /// The language it speaks.
    pub protocol: Option<Protocol>,
    /// Model.
    pub model: Option<String>,
    /// Serial number.
    pub serial: Option<String>,
    /// Capacity in bytes.
    pub capacity_bytes: Option<u64>,
    /// The disk's own verdict. `false` means that it expects to fail.
    pub is_passed: Option<bool>,
    /// Whether it has SMART at all.
    pub is_available: Option<bool>,
    /// Whether its SMART is switched on.
    pub is_enabled: Option<bool>,
    /// What NVMe warns of: a mask, whose bits are in the NVMe base specification, "SMART / Health Information".
    pub critical_warning: Option<u64>,
    /// Temperature in degrees Celsius.
    pub temperature_celsius: Option<i64>,
    /// Hours that it was powered on.
    pub power_on_hours: Option<u64>,
    /// How much of its rated life is used up, in percent. Can exceed 100.
    pub wear_percent: Option<u64>,
    /// Sectors that were replaced (ATA attribute 5, SCSI grown defects).
    pub reallocated_sectors: Option<u64>,
    /// Sectors that wait to be replaced (ATA attribute 197).
    pub pending_sectors: Option<u64>,
    /// Sectors that cannot be read (ATA attribute 198), or the sum of SCSI's uncorrected errors.
    pub uncorrectable_sectors: Option<u64>,
    /// Errors that NVMe found in its memory.
    pub media_errors: Option<u64>,
    /// The self-test that runs, else the latest.
    pub self_test: Option<SelfTest>,
    /// What smartctl's exit status says.
    pub bits: SmartBits,
    /// Everything that smartctl printed.
    pub document: Value,
}

/// The language of a disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Protocol {
    /// ATA, perhaps behind a USB bridge.
    Ata,
    /// NVMe.
    Nvme,
    /// SCSI: SAS, virtual disks and USB sticks.
    Scsi,
    /// Another, by smartctl's name.
    Other(String),
}

impl SmartReport {
    /// What smartctl had to say besides, in its own words.
    pub fn messages(&self) -> Option<String> {
        json::messages(&self.document)
    }
}

/// A self-test that a disk made, or is making.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SelfTest {
    /// What was tested: `Short offline`, `Extended`.
    pub kind: Option<String>,
    /// How it went, in smartctl's words.
    pub result: Option<String>,
    /// Whether it found nothing; `None` if it was aborted or is not over.
    pub is_passed: Option<bool>,
    /// Whether it is not over.
    pub is_running: bool,
    /// How much of it is still to be done, in percent.
    pub remaining_percent: Option<u64>,
    /// Power-on hours at its end.
    pub at_hours: Option<u64>,
}

/// One bit of smartctl's exit status.
///
/// Source: `smartctl(8)`, "EXIT STATUS".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SmartBit {
    /// Bit 0: the command line could not be read, or the type of the disk is unknown.
    CommandLine,
    /// Bit 1: the disk could not be opened or sleeps.
    Open,
    /// Bit 2: some command to the disk failed, or a checksum is wrong. Many healthy disks lack a log.
    SomeCommand,
    /// Bit 3: the disk expects to fail.
    Failing,
    /// Bit 4: a pre-fail attribute is at or below its threshold.
    PrefailNow,
    /// Bit 5: an attribute was at or below its threshold at some time.
    PrefailPast,
    /// Bit 6: the error log has entries.
    ErrorLog,
    /// Bit 7: the self-test log has failures.
    SelfTestLog,
}

impl SmartBit {
    /// All of them, from bit 0 up.
    const ALL: [Self; 8] = [
        Self::CommandLine,
        Self::Open,
        Self::SomeCommand,
        Self::Failing,
        Self::PrefailNow,
        Self::PrefailPast,
        Self::ErrorLog,
        Self::SelfTestLog,
    ];
}

/// The bits that are set in smartctl's exit status.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct SmartBits(u8);

impl SmartBits {
    /// The bits of an exit status. Bits above the eighth mean nothing.
    pub(super) fn from_status(status: i32) -> Self {
        Self(u8::try_from(status & 0xff).unwrap_or_default())
    }

    /// The mask.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The bits that are set.
    pub fn iter(self) -> impl Iterator<Item = SmartBit> {
        SmartBit::ALL
            .into_iter()
            .enumerate()
            .filter(move |(index, _)| self.0 >> index & 1 == 1)
            .map(|(_, bit)| bit)
    }
}

impl fmt::Debug for SmartBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for SmartBits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.iter().collect::<Vec<_>>().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bit_has_its_name() {
        let names: Vec<_> = SmartBits::from_status(0b1010_0110).iter().collect();
        assert_eq!(
            names,
            [SmartBit::Open, SmartBit::SomeCommand, SmartBit::PrefailPast, SmartBit::SelfTestLog]
        );
    }

    #[test]
    fn no_status_has_no_bits() {
        assert_eq!([0, 256].map(|status| SmartBits::from_status(status).get()), [0, 0]);
    }
}

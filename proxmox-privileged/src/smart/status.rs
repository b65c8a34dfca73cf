//! The exit status of smartctl: a mask of eight bits.

use alloc::vec::Vec;
use core::fmt;

use serde::{Serialize, Serializer};

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

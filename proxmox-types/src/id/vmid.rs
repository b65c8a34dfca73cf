//! The number of a guest.

use alloc::string::ToString;
use core::fmt;
use core::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::Malformed;
use crate::lenient::loosely;

/// Number of a guest, 100 to 999999999. May arrive as a string.
///
/// Source: pve-common `PVE/JSONSchema.pm`, format `pve-vmid`; recordings `http-vmid-small`, `http-vmid-huge`.
///
/// ```
/// # use proxmox_types::Vmid;
/// assert_eq!("101".parse::<Vmid>()?.get(), 101);
/// assert!("99".parse::<Vmid>().is_err());
/// # Ok::<(), proxmox_types::Malformed>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Vmid(u32);

const WHAT: &str = "a VMID";
const RULE: &str = "a whole number from 100 to 999999999";

impl Vmid {
    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Vmid {
    type Error = Malformed;

    fn try_from(number: u32) -> Result<Self, Malformed> {
        if (100..=999_999_999).contains(&number) {
            Ok(Self(number))
        } else {
            Err(Malformed::new(WHAT, &number.to_string(), RULE))
        }
    }
}

impl FromStr for Vmid {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        match text.parse::<u32>() {
            Ok(number) if digits => Self::try_from(number),
            _ => Err(Malformed::new(WHAT, text, RULE)),
        }
    }
}

impl fmt::Display for Vmid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Vmid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Vmid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number: u32 = loosely(deserializer)?;
        Self::try_from(number).map_err(D::Error::custom)
    }
}

/// Reads a VMID that a person wrote, for `#[serde(deserialize_with = "vmid::written")]`: a whole number, or a text of
/// digits; never `1e3`, which may be meant for something else.
pub fn written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vmid, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Number(number) if !number.is_f64() => number.to_string().parse(),
        Value::String(text) => text.parse(),
        other => Err(Malformed::new(WHAT, &other.to_string(), RULE)),
    }
    .map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vmids_arrive_as_numbers_and_as_strings() {
        let read = |json: &str| crate::lenient::from_text::<Vmid>(json).map(Vmid::get).ok();
        assert_eq!(
            [read("101"), read("\"101\""), read("99"), read("null")],
            [Some(101), Some(101), None, None]
        );
    }

    #[test]
    fn a_vmid_that_a_person_wrote_is_whole() {
        let written = |json: &str| written(&mut serde_json::Deserializer::from_str(json)).map(Vmid::get).ok();
        let read = ["300", "\"300\""].map(written);
        let refused =
            ["1e3", "300.0", "3E2", "\"1e3\"", "\"300.0\"", "\" 300\"", "-300", "null", "true", "[300]"]
                .map(written);
        assert_eq!((read, refused), ([Some(300); 2], [None; 10]));
    }
}

//! How a task ended.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::convert::Infallible;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How a task ended, read from its `exitstatus`.
///
/// Source: pve-common `PVE/UPID.pm`, `status_is_error`; recordings `*.task-status`.
///
/// ```
/// # use proxmox_types::ExitStatus;
/// assert_eq!(ExitStatus::from("WARNINGS: 2"), ExitStatus::Warnings(2));
/// assert!(!ExitStatus::from("CT is locked (backup)").is_success());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// `OK`: it succeeded.
    Ok,
    /// `WARNINGS: 2`: it succeeded with so many warnings, which are in its log.
    Warnings(u64),
    /// `unexpected status`: nobody knows. The worker was killed or ended without a word, so look at the guest.
    Unexpected,
    /// `unable to get last line from task log - ...`: nobody knows either, since PVE could not read how it ended.
    Unreadable(String),
    /// Any other text: it failed, and the text says why.
    Failed(String),
}

const OK: &str = "OK";
const WARNINGS: &str = "WARNINGS: ";
const UNEXPECTED: &str = "unexpected status";
const UNREADABLE: &str = "unable to get last line from task log";

impl ExitStatus {
    /// Whether the task did what it should, with or without warnings.
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Ok | Self::Warnings(_))
    }
}

impl From<&str> for ExitStatus {
    fn from(text: &str) -> Self {
        let is_count = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match (text, text.strip_prefix(WARNINGS).filter(is_count)) {
            (OK, _) => Self::Ok,
            (UNEXPECTED, _) => Self::Unexpected,
            (text, _) if text.starts_with(UNREADABLE) => Self::Unreadable(text.to_owned()),
            (_, Some(count)) => Self::Warnings(count.parse().unwrap_or(u64::MAX)),
            (_, None) => Self::Failed(text.to_owned()),
        }
    }
}

impl FromStr for ExitStatus {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str(OK),
            Self::Warnings(count) => write!(f, "{WARNINGS}{count}"),
            Self::Unexpected => f.write_str(UNEXPECTED),
            Self::Unreadable(text) | Self::Failed(text) => f.write_str(text),
        }
    }
}

impl Serialize for ExitStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ExitStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(text.as_str().into())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    const LOST: &str = "unable to get last line from task log - No such file or directory";

    #[test]
    fn only_ok_and_a_number_of_warnings_are_success() {
        let cases = [
            ("OK", ExitStatus::Ok, true),
            ("WARNINGS: 1", ExitStatus::Warnings(1), true),
            ("WARNINGS: 99999999999999999999", ExitStatus::Warnings(u64::MAX), true),
            ("unexpected status", ExitStatus::Unexpected, false),
            (LOST, ExitStatus::Unreadable(LOST.into()), false),
            ("WARNINGS: ", ExitStatus::Failed("WARNINGS: ".into()), false),
            ("WARNINGS: +1", ExitStatus::Failed("WARNINGS: +1".into()), false),
            ("WARNINGS: 1 of 2", ExitStatus::Failed("WARNINGS: 1 of 2".into()), false),
            ("ok", ExitStatus::Failed("ok".into()), false),
            ("", ExitStatus::Failed(String::new()), false),
            ("job errors", ExitStatus::Failed("job errors".into()), false),
        ];
        for (text, exit, is_success) in cases {
            assert_eq!((ExitStatus::from(text), exit.is_success()), (exit, is_success), "{text}");
        }
    }

    #[test]
    fn an_exit_status_is_written_as_it_was_read() {
        for text in ["OK", "WARNINGS: 2", "unexpected status", "CT is locked (backup)", LOST] {
            assert_eq!(ExitStatus::from(text).to_string(), text);
        }
    }
}

//! Digests of configuration files, and fingerprints of certificates and keys.

use core::fmt;
use core::str::FromStr;

use crate::Malformed;

name!(
    /// Digest of a configuration file: the hex SHA-1 of what is stored.
    ///
    /// Sent back with a change, it makes PVE refuse the change if the file was changed in between (500 `detected
    /// modified configuration`).
    ///
    /// Source: pve-common `PVE/Tools.pm`, `assert_if_modified`; recordings `get-lxc-config-100`, `resize-digest`.
    Digest,
    "a digest",
    "1 to 40 hex digits",
    |text| (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
);

/// A SHA-256 digest, written as 32 hex pairs joined by colons, as PVE and `openssl x509 -fingerprint` print it.
///
/// Reads both cases, with or without colons; compares bytes.
///
/// Source: pve-common `PVE/JSONSchema.pm`, format `fingerprint-sha256`; recording `get-certificates-info.root`.
///
/// ```
/// # use proxmox_types::Fingerprint;
/// let text = ["AB"; 32].join(":");
/// assert_eq!(text.parse::<Fingerprint>()?, Fingerprint::new([0xab; 32]));
/// # Ok::<(), proxmox_types::Malformed>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

const WHAT: &str = "a SHA-256 fingerprint";
const RULE: &str = "64 hex digits, in pairs joined by colons or without any";
const SHORT: &str = "64 hex digits; 40 are a SHA-1 fingerprint, ask openssl for `-sha256`";
const PREFIX: &str = "the hex digits alone, without the text before `=`";

impl Fingerprint {
    /// Wraps a digest.
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Fingerprint {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let refuse = |rule| Malformed::new(WHAT, text, rule);
        if text.contains('=') {
            return Err(refuse(PREFIX));
        }
        let pairs_joined = text.split(':').all(|pair| pair.len() == 2);
        if text.contains(':') && !pairs_joined {
            return Err(refuse(RULE));
        }
        let mut nibbles =
            text.chars().filter(|&c| c != ':').map(|c| c.to_digit(16).and_then(|n| u8::try_from(n).ok()));
        if nibbles.clone().any(|nibble| nibble.is_none()) {
            return Err(refuse(RULE));
        }
        match nibbles.clone().count() {
            64 => {}
            40 => return Err(refuse(SHORT)),
            _ => return Err(refuse(RULE)),
        }
        let mut next = || nibbles.next().flatten().unwrap_or_default();
        Ok(Self(core::array::from_fn(|_| next() << 4 | next())))
    }
}

as_text!(Fingerprint);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(index, byte)| {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")
        })
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    const PRINTED: &str =
        "12:01:20:AF:19:02:FB:C4:2B:EE:FA:79:13:5B:46:6C:6B:33:85:12:01:20:AF:19:02:FB:C4:2B:EE:FA:79:13";

    #[test]
    fn fingerprints_read_any_case_with_or_without_colons() {
        let plain = PRINTED.replace(':', "").to_lowercase();
        let read =
            [PRINTED, &PRINTED.to_lowercase(), &plain].map(|text| text.parse::<Fingerprint>().unwrap());
        assert!(read.iter().all(|fingerprint| fingerprint.to_string() == PRINTED));
    }

    #[test]
    fn malformed_fingerprints_name_the_rule() {
        let rule = |text: &str| text.parse::<Fingerprint>().unwrap_err().rule();
        let sha1 = PRINTED.get(..59).unwrap();
        let rules = ["", "zz", &PRINTED.replace("12:01", "1:201"), &PRINTED.replace(':', "-")].map(rule);
        assert_eq!((rules, rule(sha1)), ([RULE; 4], SHORT));
        assert_eq!(rule(&alloc::format!("sha256 Fingerprint={PRINTED}")), PREFIX);
    }
}

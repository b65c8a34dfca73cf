//! Digests of configuration files.

use crate::name::name;

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

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    #[test]
    fn digests_are_up_to_40_hex_digits() {
        let texts =
            ["9b478d342345db870b031591e6a50638477118d4", "", "xyz", &"a".repeat(41)].map(String::from);
        assert_eq!(texts.map(|text| text.parse::<Digest>().is_ok()), [true, false, false, false]);
    }
}

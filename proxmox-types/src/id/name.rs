//! The names that PVE gives to nodes, storages, snapshots, pools, bridges and hosts.

name!(
    /// Name of a PVE node, which is the short host name.
    ///
    /// Source: pve-common `PVE/JSONSchema.pm`, format `pve-node`.
    ///
    /// ```
    /// # use proxmox_types::NodeName;
    /// assert!("pve1".parse::<NodeName>().is_ok());
    /// assert!("pve1.example.org".parse::<NodeName>().is_err());
    /// ```
    NodeName,
    "a node name",
    "letters, digits and inner hyphens, 1 to 63 characters; PVE uses the short host name, without a domain",
    |text| text.len() <= 63 && inner(text, |c| c == b'-') && ends(text, u8::is_ascii_alphanumeric, u8::is_ascii_alphanumeric)
);

name!(
    /// Name of a storage.
    ///
    /// Source: pve-common `PVE/JSONSchema.pm`, format `pve-storage-id`; case is kept.
    ///
    /// ```
    /// # use proxmox_types::StorageId;
    /// assert!("local-zfs".parse::<StorageId>().is_ok());
    /// assert!("1st".parse::<StorageId>().is_err());
    /// ```
    StorageId,
    "a storage id",
    "2 or more letters, digits, `-`, `_` and `.`, starting with a letter and ending in a letter or digit",
    |text| {
        text.len() >= 2
            && inner(text, |c| matches!(c, b'-' | b'_' | b'.'))
            && ends(text, u8::is_ascii_alphabetic, u8::is_ascii_alphanumeric)
    }
);

name!(
    /// Name of a snapshot. `vzdump` is one (a backup in progress takes it) although a caller cannot create it.
    ///
    /// Source: pve-common `PVE/JSONSchema.pm`, format `pve-snapshot-name`; recordings `snapshot-create-name-*`.
    ///
    /// ```
    /// # use proxmox_types::SnapshotName;
    /// assert!("before_update".parse::<SnapshotName>().is_ok());
    /// assert!("current".parse::<SnapshotName>().is_err());
    /// ```
    SnapshotName,
    "a snapshot name",
    "2 to 40 letters, digits, `-` and `_`, starting with a letter; `current` is the running state, not a snapshot",
    |text| {
        (2..=40).contains(&text.len())
            && inner(text, |c| matches!(c, b'-' | b'_'))
            && ends(text, u8::is_ascii_alphabetic, |_| true)
            && text != "current"
    }
);

name!(
    /// Name of a pool, up to three levels deep (`felhom/customers`).
    ///
    /// Source: pve-access-control `PVE/AccessControl.pm`, format `pve-poolid`.
    ///
    /// ```
    /// # use proxmox_types::PoolId;
    /// assert!("felhom/customers".parse::<PoolId>().is_ok());
    /// assert!("a/b/c/d".parse::<PoolId>().is_err());
    /// ```
    PoolId,
    "a pool id",
    "letters, digits, `.`, `_` and `-`, with at most two `/` between levels",
    |text| {
        text.split('/').count() <= 3
            && text.split('/').all(|level| !level.is_empty() && inner(level, |c| matches!(c, b'-' | b'_' | b'.')))
    }
);

name!(
    /// Name of a network bridge on the node, such as `vmbr0`.
    ///
    /// Source: pve-common `PVE/JSONSchema.pm`, format `pve-bridge-id`; Linux allows 15 bytes.
    ///
    /// ```
    /// # use proxmox_types::Bridge;
    /// assert!("vmbr0".parse::<Bridge>().is_ok());
    /// assert!("a-bridge-with-a-long-name".parse::<Bridge>().is_err());
    /// ```
    Bridge,
    "a bridge name",
    "2 to 15 letters, digits, `-`, `_` and `.`, starting with a letter",
    |text| {
        (2..=15).contains(&text.len())
            && inner(text, |c| matches!(c, b'-' | b'_' | b'.'))
            && ends(text, u8::is_ascii_alphabetic, |_| true)
    }
);

name!(
    /// Name of a host in the DNS, with or without its domain.
    ///
    /// Source: pve-common `PVE/JSONSchema.pm`, format `dns-name`; pve-container `PVE/LXC/Config.pm`, `hostname`.
    ///
    /// ```
    /// # use proxmox_types::Hostname;
    /// assert!("web.example.org".parse::<Hostname>().is_ok());
    /// assert!("web_1".parse::<Hostname>().is_err());
    /// ```
    Hostname,
    "a host name",
    "1 to 255 characters: labels of letters, digits and inner hyphens, joined by dots",
    |text| {
        text.len() <= 255
            && text.split('.').all(|label| {
                inner(label, |c| c == b'-')
                    && ends(label, u8::is_ascii_alphanumeric, u8::is_ascii_alphanumeric)
            })
    }
);

/// Whether the text is made of ASCII letters, digits and the given extra bytes.
fn inner(text: &str, extra: fn(u8) -> bool) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || extra(byte))
}

/// Whether the first and the last byte are as required. False for the empty text.
fn ends(text: &str, first: fn(&u8) -> bool, last: fn(&u8) -> bool) -> bool {
    text.as_bytes().first().is_some_and(first) && text.as_bytes().last().is_some_and(last)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use core::str::FromStr;

    use super::*;

    fn verdicts<T: FromStr>(texts: &[&str]) -> alloc::vec::Vec<bool> {
        texts.iter().map(|text| text.parse::<T>().is_ok()).collect()
    }

    #[test]
    fn node_names_are_short_host_names() {
        assert_eq!(
            verdicts::<NodeName>(&["pve1", "1", "a-b", "-a", "a-", "a.b", "", "a b"]),
            [true, true, true, false, false, false, false, false]
        );
    }

    #[test]
    fn storage_ids_start_with_a_letter_and_end_in_a_letter_or_digit() {
        assert_eq!(
            verdicts::<StorageId>(&["local", "local-lvm", "a.b_c", "a", "1a", "a-", "a/b"]),
            [true, true, true, false, false, false, false]
        );
    }

    #[test]
    fn snapshot_names_reject_a_leading_digit() {
        assert_eq!("1bad".parse::<SnapshotName>().unwrap_err().what(), "a snapshot name");
    }

    #[test]
    fn snapshot_names_have_2_to_40_characters() {
        let (forty, forty_one) = ("a".repeat(40), "a".repeat(41));
        assert_eq!(
            verdicts::<SnapshotName>(&["x", "ab", &forty, &forty_one, "current", "vzdump", "a b"]),
            [false, true, true, false, false, true, false]
        );
    }

    #[test]
    fn pools_nest_three_levels_deep() {
        assert_eq!(
            verdicts::<PoolId>(&["felhom", "a/b/c", "a/b/c/d", "a//b", ""]),
            [true, true, false, false, false]
        );
    }

    #[test]
    fn host_names_are_labels_joined_by_dots() {
        assert_eq!(
            verdicts::<Hostname>(&[
                "cust1",
                "a-b.example.org",
                "1",
                "-a",
                "a..b",
                "a.",
                "a_b",
                "",
                &"a".repeat(256)
            ]),
            [true, true, true, false, false, false, false, false, false]
        );
    }

    #[test]
    fn a_malformed_name_quotes_the_text_and_the_rule() {
        let error = "pve1.lan".parse::<NodeName>().unwrap_err().to_string();
        assert_eq!(
            error,
            "\"pve1.lan\" is not a node name: letters, digits and inner hyphens, 1 to 63 characters; PVE uses the \
             short host name, without a domain"
        );
    }
}

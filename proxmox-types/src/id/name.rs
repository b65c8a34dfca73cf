//! The names that PVE gives to nodes, storages, snapshots, pools, bridges and hosts, and the tags of guests.

use alloc::string::String;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::fmt;
use core::str::FromStr;

use crate::list;

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

/// The tags of a guest, written joined by `;` as PVE stores them. Reads `,` and blanks as well.
///
/// PVE removes duplicates, sorts, and by default turns them into lower case, so what comes back may differ from what
/// was sent. A tag is letters, digits, `_`, `-`, `+` and `.`, starting with a letter, a digit or `_`.
///
/// Source: pve-guest-common `PVE/GuestHelpers.pm`; recordings `config-put-tags`, `get-lxc-config-100`.
///
/// ```
/// # use proxmox_types::Tags;
/// let tags: Tags = "customer;web".parse()?;
/// assert!(tags.contains("web") && !tags.contains("we"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(pub Vec<String>);

impl Tags {
    /// Whether the guest has the tag, in any case.
    pub fn contains(&self, tag: &str) -> bool {
        self.0.iter().any(|own| own.eq_ignore_ascii_case(tag))
    }
}

impl<T: Into<String>> FromIterator<T> for Tags {
    fn from_iter<I: IntoIterator<Item = T>>(tags: I) -> Self {
        Self(tags.into_iter().map(Into::into).collect())
    }
}

impl FromStr for Tags {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(list::items(text).collect())
    }
}

impl fmt::Display for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(";"))
    }
}

as_text!(Tags);

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_malformed_name_quotes_the_text_and_the_rule() {
        let error = "pve1.lan".parse::<NodeName>().unwrap_err().to_string();
        assert_eq!(
            error,
            "\"pve1.lan\" is not a node name: letters, digits and inner hyphens, 1 to 63 characters; PVE uses the \
             short host name, without a domain"
        );
    }

    #[test]
    fn tags_read_every_separator_and_write_semicolons() {
        let written = ["a;b", "a,b", "a b", "a; b;"].map(|text| text.parse::<Tags>().unwrap().to_string());
        assert_eq!(written, ["a;b"; 4]);
    }

    #[test]
    fn tags_are_found_in_any_case() {
        let tags: Tags = "prod;web".parse().unwrap();
        assert_eq!([tags.contains("Prod"), tags.contains("pro")], [true, false]);
    }
}

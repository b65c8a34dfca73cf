//! The tags of a guest.

use alloc::string::String;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::fmt;
use core::str::FromStr;

use crate::list;

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

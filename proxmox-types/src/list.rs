//! Lists that travel as one string: `100,101`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A list that is written as one string joined by commas, the way PVE's `-list` formats take it.
///
/// Reads a string split at `,`, `;`, blanks or NUL, a single number, and a JSON array. PVE prints some of these lists
/// (`content` of a storage) in random order.
///
/// Source: pve-common `PVE/ParseUtils.pm` (`split_list`) and `PVE/RESTHandler.pm`; recordings `http-json-array`,
/// `http-dup-list-param`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommaList<T>(pub Vec<T>);

impl<T> CommaList<T> {
    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: PartialEq> CommaList<T> {
    /// Whether the item is in it.
    pub fn contains(&self, item: &T) -> bool {
        self.0.contains(item)
    }
}

impl<T> Default for CommaList<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> FromIterator<T> for CommaList<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

impl<T: FromStr> FromStr for CommaList<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        items(text).map(str::parse).collect()
    }
}

impl<T: fmt::Display> fmt::Display for CommaList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(index, item)| {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{item}")
        })
    }
}

impl<T: fmt::Display> Serialize for CommaList<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for CommaList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Items(PhantomData))
    }
}

/// The items of a list as PVE splits it.
pub(crate) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| matches!(c, ',' | ';' | '\0') || c.is_whitespace()).filter(|item| !item.is_empty())
}

struct Items<T>(PhantomData<T>);

impl<'de, T: FromStr<Err: fmt::Display>> Visitor<'de> for Items<T> {
    type Value = CommaList<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list, joined by commas or as an array")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<CommaList<T>, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<CommaList<T>, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<CommaList<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = array.next_element::<String>()? {
            list.push(item.parse().map_err(A::Error::custom)?);
        }
        Ok(CommaList(list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Vmid;

    #[test]
    fn a_list_reads_every_form_and_writes_commas() {
        let written =
            ["\"100,101\"", "\"100;101\"", "\"100 101\"", "\"100\\u0000101\"", "[100,\"101\"]", "100"]
                .map(|json| crate::lenient::from_text::<CommaList<Vmid>>(json).unwrap().to_string());
        assert_eq!(written, ["100,101", "100,101", "100,101", "100,101", "100,101", "100"]);
    }

    #[test]
    fn an_item_that_does_not_parse_is_named() {
        let error = crate::lenient::from_text::<CommaList<Vmid>>("\"100,99\"").unwrap_err().to_string();
        assert!(error.starts_with("\"99\" is not a VMID"), "{error}");
    }
}

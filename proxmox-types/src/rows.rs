//! Lists that are read row by row: one that cannot be read is left out, counted and named, and hides none of the others.

use alloc::string::{String, ToString};
use alloc::vec::{IntoIter, Vec};
use core::marker::PhantomData;
use core::ops::Deref;
use core::{fmt, slice};

use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::lenient::{ROW, adopt};
use crate::{LONGEST_SNIPPET, clean, quoted};

/// The rows of a list, and those that could not be read.
///
/// It is used like a slice of the rows. Who concludes something from the absence of a row asks [`Self::unread`] first:
/// what is not among the rows may be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows<T> {
    rows: Vec<T>,
    unread: Vec<Unread>,
}

/// A row that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    index: usize,
    row: Value,
    reason: String,
}

/// What names a row, where it has it: the first of them that is there.
const NAMES: [&str; 15] = [
    "upid", "volid", "sid", "iface", "devpath", "filename", "poolid", "roleid", "key", "service", "id",
    "vmid", "name", "storage", "node",
];

impl Unread {
    /// Its place in the list, from 0.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// What names it, or its place: `lxc/101`, `row 3`. Bounded, and without control characters.
    pub fn name(&self) -> String {
        let name = NAMES.iter().find_map(|key| self.field(key)).filter(|name| !name.is_empty());
        name.map_or_else(|| alloc::format!("row {}", self.index), |name| clean(&name, LONGEST_SNIPPET))
    }

    /// Why it could not be read. Bounded, and without control characters.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether it holds this under a key, or may: it does unless it holds another text there.
    pub fn may_have(&self, key: &str, text: &str) -> bool {
        self.field(key).is_none_or(|found| found == text)
    }

    /// What it holds under a key, if that is a text or a number.
    pub fn field(&self, key: &str) -> Option<String> {
        match self.row.get(key)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.reason)
    }
}

impl<T> Rows<T> {
    /// The rows that could not be read.
    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }

    /// Keeps the rows that are wanted, and those that could not be read.
    pub fn retain(&mut self, is_wanted: impl FnMut(&T) -> bool) {
        self.rows.retain(is_wanted);
    }

    /// The rows that were read.
    pub fn into_vec(self) -> Vec<T> {
        self.rows
    }
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<T> From<Vec<T>> for Rows<T> {
    fn from(rows: Vec<T>) -> Self {
        Self { rows, unread: Vec::new() }
    }
}

impl<T> Deref for Rows<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.rows
    }
}

impl<T> IntoIterator for Rows<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        self.rows.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Rows<T> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> slice::Iter<'a, T> {
        self.rows.iter()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(RowByRow(PhantomData))
    }
}

/// How much room is made for rows that are only expected, in bytes.
const MOST_AHEAD: usize = 32 << 20;

struct RowByRow<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for RowByRow<T> {
    type Value = Rows<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Rows<T>, A::Error> {
        let mut rows = Rows::default();
        while list.next_element_seed(NextRow(&mut rows))?.is_some() {
            let Rows { rows, .. } = &mut rows;
            let expected = list.size_hint().unwrap_or_default().min(MOST_AHEAD / size_of::<T>().max(1));
            if rows.len() == rows.capacity() {
                rows.reserve_exact(expected);
            }
        }
        Ok(rows)
    }
}

/// Reads a row straight into the list, or what came in its place and why it is not one.
struct NextRow<'a, T>(&'a mut Rows<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for NextRow<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_newtype_struct(ROW, self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for NextRow<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut attempts: A) -> Result<(), A::Error> {
        let Rows { rows, unread } = self.0;
        loop {
            match attempts.next_element_seed(Push(rows)) {
                Ok(_) => return Ok(()),
                Err(_) if attempts.size_hint() == Some(1) => {}
                Err(error) => {
                    let row = attempts.next_element()?.unwrap_or_default();
                    let index = rows.len().saturating_add(unread.len());
                    unread.push(Unread { index, row, reason: quoted(&error.to_string()) });
                    return Ok(());
                }
            }
        }
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        adopt(deserializer, ROW, self)
    }
}

struct Push<'a, T>(&'a mut Vec<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Push<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        T::deserialize(deserializer).map(|row| self.0.push(row))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lenient::{Note, read};
    use crate::{Resource, Vmid};

    #[test]
    fn an_odd_row_is_counted_named_told_and_kept() {
        let cases = [
            (json!("x"), "row 1", "[1]"),
            (json!(null), "row 1", "[1]"),
            (json!({ "id": "lxc/7", "type": "lxc", "vmid": 7 }), "lxc/7", "[1].vmid"),
            (json!({ "id": "lxc/101", "type": "lxc", "lock": ["a"] }), "lxc/101", "[1].lock"),
            (json!({ "id": "lxc/102\u{7}", "type": "lxc", "node": "a b" }), "lxc/102\\u{7}", "[1].node"),
            (json!({ "type": "lxc", "vmid": 103 }), "103", "[1]"),
            (json!({ "id": "lxc/104", "type": "lxc", "tags": {} }), "lxc/104", "[1].tags"),
        ];
        for (odd, name, place) in cases {
            let list = json!([{ "id": "lxc/100", "type": "lxc" }, odd, { "id": "lxc/200", "type": "lxc" }]);
            let mut notes = Vec::new();
            let rows: Rows<Resource> =
                read(list.to_string().as_bytes(), &mut |note| notes.push(note)).unwrap();
            assert_eq!(rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["lxc/100", "lxc/200"]);
            let [unread] = rows.unread() else { panic!("{odd}") };
            assert_eq!((unread.index(), unread.name().as_str()), (1, name));
            let [Note::Unread { path, .. }] = &notes[..] else { panic!("{notes:?}") };
            assert_eq!(path, place);
            assert_eq!(unread.row, odd);
            assert_eq!(serde_json::from_value::<Rows<Resource>>(list).unwrap(), rows);
        }
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for json in ["null", "{}", "\"100\"", "7", "true"] {
            assert!(serde_json::from_str::<Rows<Vmid>>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_reason_is_bounded_and_has_no_control_characters() {
        let long = "\u{9b}x".repeat(100_000);
        let rows: Rows<Vmid> = serde_json::from_value(json!([long])).unwrap();
        let reason = rows.unread()[0].reason();
        assert!(reason.len() < 1_000 && !reason.contains(char::is_control), "{reason}");
    }
}

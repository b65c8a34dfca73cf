//! Lists that are read row by row: one that cannot be read is left out, counted and named, and hides none of the others.

use alloc::string::{String, ToString};
use alloc::vec::{IntoIter, Vec};
use core::marker::PhantomData;
use core::ops::Deref;
use core::{fmt, slice};

use serde::de::SeqAccess;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::lenient::{ROWS, Tolerant, tolerate};
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

impl<T: Serialize> Serialize for Rows<T> {
    /// Writes the rows, and those that could not be read as they came, each in its place.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (mut rows, mut unread) = (self.rows.iter(), self.unread.iter().peekable());
        let count = self.rows.len().saturating_add(self.unread.len());
        serializer.collect_seq((0..count).filter_map(|index| {
            let unread = unread.next_if(|unread| unread.index <= index || rows.len() == 0);
            unread.map(|unread| Row::Unread(&unread.row)).or_else(|| rows.next().map(Row::Read))
        }))
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Row<'a, T> {
    Read(&'a T),
    Unread(&'a Value),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        tolerate(deserializer, ROWS, RowByRow(PhantomData))
    }
}

struct RowByRow<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Tolerant<'de> for RowByRow<T> {
    type Value = Rows<T>;

    fn take<A: SeqAccess<'de>>(self, mut attempts: A) -> Result<Rows<T>, A::Error> {
        let mut list = Rows::default();
        loop {
            match attempts.next_element() {
                Ok(Some(row)) => list.rows.push(row),
                Ok(None) => return Ok(list),
                Err(error) => {
                    let index = list.rows.len().saturating_add(list.unread.len());
                    let row = attempts.next_element()?.unwrap_or_default();
                    list.unread.push(Unread { index, row, reason: quoted(&error.to_string()) });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lenient::{Note, read};
    use crate::{Resource, Vmid};

    #[test]
    fn an_odd_row_is_counted_named_told_and_written_back() {
        let cases = [
            (json!("x"), "row 1", "data[1]"),
            (json!(null), "row 1", "data[1]"),
            (json!({ "id": "lxc/7", "type": "lxc", "vmid": 7 }), "lxc/7", "data[1].vmid"),
            (json!({ "id": "lxc/101", "type": "lxc", "lock": ["a"] }), "lxc/101", "data[1].lock"),
            (json!({ "id": "lxc/102\u{7}", "type": "lxc", "node": "a b" }), "lxc/102\\u{7}", "data[1].node"),
            (json!({ "type": "lxc", "vmid": 103 }), "103", "data[1]"),
            (json!({ "id": "lxc/104", "type": "lxc", "tags": {} }), "lxc/104", "data[1].tags"),
        ];
        for (odd, name, place) in cases {
            let list = json!([{ "id": "lxc/100", "type": "lxc" }, odd, { "id": "lxc/200", "type": "lxc" }]);
            let mut notes = Vec::new();
            let rows: Rows<Resource> = read(&list, "data", &mut |note| notes.push(note)).unwrap();
            assert_eq!(rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["lxc/100", "lxc/200"]);
            let [unread] = rows.unread() else { panic!("{odd}") };
            assert_eq!((unread.index(), unread.name().as_str()), (1, name));
            let [Note::Unread { path, .. }] = &notes[..] else { panic!("{notes:?}") };
            assert_eq!(path, place);
            assert_eq!(serde_json::to_value(&rows).unwrap()[1], odd);
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

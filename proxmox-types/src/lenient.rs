//! Reads an answer so that one odd value never hides the others, and tells of everything that was not taken over.
//!
//! A [`serde::Deserializer`] over parsed JSON that knows where it is. What a shape does not ask for, and what it cannot
//! read where it can do without, becomes a [`Note`]. A shape says that it can do without a value, or without a row, by
//! asking for it as a newtype of a name of its own, and is then shown the value as a list of attempts: one that fails is
//! handed out a second time, to be kept as it came. Other deserializers than this one are read through it.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;
use core::marker::PhantomData;
use core::slice;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use serde_json::map::Iter;
use serde_json::{Error, Value};

use crate::scalar::{self, Loose, LooseScalar};
use crate::{LONGEST_SNIPPET, clean, quoted};

/// What of an answer was not taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// A key that the shape does not know.
    Unknown {
        /// Where: `data[0].new`.
        path: String,
    },
    /// A value, or a whole row, that the shape cannot read and does without.
    Unread {
        /// Where.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A value that the shape cannot read and cannot do without.
#[derive(Debug)]
pub struct Fault {
    /// Where: `data[0].vmid`.
    pub path: String,
    /// What is wrong there.
    pub source: Error,
}

/// Reads the value that stands at `root` of an answer.
pub fn read<'de, T: Deserialize<'de>>(
    value: &Value,
    root: &str,
    tell: &mut dyn FnMut(Note),
) -> Result<T, Fault> {
    let (path, notes) = (Path::Root(root), Notes::default());
    let read = T::deserialize(Reader { value, path: &path, notes: &notes });
    notes.told.take().into_iter().for_each(tell);
    read.map_err(|source| Fault { path: notes.fault.take().unwrap_or_else(|| root.into()), source })
}

/// Reads a scalar that only informs, for `#[serde(default, deserialize_with = "lenient::scalar")]`: absent, null, empty
/// and unreadable are all nothing.
pub fn scalar<'de, D: Deserializer<'de>, T: LooseScalar>(deserializer: D) -> Result<Option<T>, D::Error> {
    tolerate(deserializer, ONE, Attempt(PhantomData::<MayScalar<T>>)).map(|read| read.and_then(|may| may.0))
}

/// Reads any other value that only informs, for `#[serde(default, deserialize_with = "lenient::optional")]`.
pub fn optional<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    tolerate(deserializer, ONE, Attempt(PhantomData::<Option<T>>)).map(Option::flatten)
}

/// Reads a value that only informs and has an empty form, for
/// `#[serde(default, deserialize_with = "lenient::or_default")]`.
pub fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    optional(deserializer).map(Option::unwrap_or_default)
}

/// Reads an array of scalars that only inform: all of them, or none.
pub fn list<'de, D: Deserializer<'de>, T: LooseScalar>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let list = or_default::<D, Vec<Loose<T>>>(deserializer)?;
    Ok(list.into_iter().map(|item| item.0).collect())
}

/// A value that is read as a list of attempts.
pub(crate) trait Tolerant<'de> {
    /// What it becomes.
    type Value;

    /// Reads the attempts. The one after a failure hands out what has failed again.
    fn take<A: SeqAccess<'de>>(self, attempts: A) -> Result<Self::Value, A::Error>;
}

/// The name under which a shape asks for the one value as an attempt.
pub(crate) const ONE: &str = "$felhom::one";
/// The name under which a shape asks for the items of an array as attempts.
pub(crate) const ROWS: &str = "$felhom::rows";

/// Reads a value as attempts.
pub(crate) fn tolerate<'de, D: Deserializer<'de>, T: Tolerant<'de>>(
    deserializer: D,
    name: &'static str,
    tolerant: T,
) -> Result<T::Value, D::Error> {
    deserializer.deserialize_newtype_struct(name, Tolerance { name, tolerant })
}

struct Tolerance<T> {
    name: &'static str,
    tolerant: T,
}

impl<'de, T: Tolerant<'de>> Visitor<'de> for Tolerance<T> {
    type Value = T::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.name == ROWS { "a list" } else { "a value" })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, attempts: A) -> Result<T::Value, A::Error> {
        self.tolerant.take(attempts)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T::Value, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let notes = Notes::default();
        let reader = Reader { value: &value, path: &Path::Root(""), notes: &notes };
        reader.deserialize_newtype_struct(self.name, self).map_err(D::Error::custom)
    }
}

/// A value of which nothing is kept if it cannot be read.
struct Attempt<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Tolerant<'de> for Attempt<T> {
    type Value = Option<T>;

    fn take<A: SeqAccess<'de>>(self, mut attempts: A) -> Result<Option<T>, A::Error> {
        Ok(attempts.next_element().unwrap_or_default())
    }
}

struct MayScalar<T>(Option<T>);

impl<'de, T: LooseScalar> Deserialize<'de> for MayScalar<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar::optional(deserializer).map(Self)
    }
}

/// Where a value stands.
enum Path<'a> {
    Root(&'a str),
    Key(&'a Self, &'a str),
    Index(&'a Self, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(root) => f.write_str(root),
            Self::Key(Self::Root(""), key) => f.write_str(key),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// What is to be told, and where reading has just failed.
#[derive(Default)]
struct Notes {
    told: RefCell<Vec<Note>>,
    fault: RefCell<Option<String>>,
}

impl Notes {
    fn tell(&self, note: Note) {
        self.told.borrow_mut().push(note);
    }

    /// Remembers the innermost place at which reading fails.
    fn fail(&self, path: &Path<'_>) {
        self.fault.borrow_mut().get_or_insert_with(|| path.to_string());
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    value: &'a Value,
    path: &'a Path<'a>,
    notes: &'a Notes,
}

impl<'a> Reader<'a> {
    const fn items(self, items: &'a [Value], manner: Manner) -> Sequence<'a> {
        Sequence { items, index: 0, has_failed: false, manner, reader: self }
    }
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Array(items) => visitor.visit_seq(self.items(items, Manner::Strict)),
            Value::Object(fields) => {
                visitor.visit_map(Mapping { fields: fields.iter(), value: None, reader: self })
            }
            Value::String(text) => visitor.visit_str(text),
            scalar => scalar.clone().deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match (name, self.value) {
            (ROWS, Value::Array(items)) => visitor.visit_seq(self.items(items, Manner::Rows)),
            (ROWS, _) => self.deserialize_any(Refused(visitor)),
            (ONE, value) => visitor.visit_seq(self.items(slice::from_ref(value), Manner::One)),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    /// No answer holds the fields of a shape by their places, so an array is none.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.value.is_array() {
            return self.deserialize_any(Refused(visitor));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.value.clone().deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.notes.tell(Note::Unknown { path: clean(&self.path.to_string(), LONGEST_SNIPPET) });
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier
    }
}

/// Refuses whatever comes, in the words of the visitor that wants something else.
struct Refused<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Refused<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }
}

/// How the items of a list are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// One that fails is the end.
    Strict,
    /// One that fails is told, and handed out again.
    Rows,
    /// The same, of a value that is no list.
    One,
}

struct Sequence<'a> {
    items: &'a [Value],
    index: usize,
    has_failed: bool,
    manner: Manner,
    reader: Reader<'a>,
}

impl<'de> SeqAccess<'de> for Sequence<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some(value) = self.items.get(self.index) else { return Ok(None) };
        let (outer, notes) = (self.reader.path, self.reader.notes);
        let inner = Path::Index(outer, self.index);
        let path = if self.manner == Manner::One { outer } else { &inner };
        let read = seed.deserialize(Reader { value, path, notes });
        let Err(error) = read else {
            self.index = self.index.saturating_add(1);
            self.has_failed = false;
            return read.map(Some);
        };
        notes.fail(path);
        if self.manner != Manner::Strict && !self.has_failed {
            self.has_failed = true;
            let path = notes.fault.take().unwrap_or_default();
            notes.tell(Note::Unread {
                path: clean(&path, LONGEST_SNIPPET),
                reason: quoted(&error.to_string()),
            });
        }
        Err(error)
    }

    fn size_hint(&self) -> Option<usize> {
        self.items.len().checked_sub(self.index)
    }
}

struct Mapping<'a> {
    fields: Iter<'a>,
    value: Option<(&'a str, &'a Value)>,
    reader: Reader<'a>,
}

impl<'de> MapAccess<'de> for Mapping<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some((key, value)) = self.fields.next() else { return Ok(None) };
        self.value = Some((key, value));
        let key: StrDeserializer<'_, Error> = key.as_str().into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let (key, value) = self.value.take().ok_or_else(|| Error::custom("a value without a key"))?;
        let (path, notes) = (Path::Key(self.reader.path, key), self.reader.notes);
        seed.deserialize(Reader { value, path: &path, notes }).inspect_err(|_| notes.fail(&path))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Content, LxcStatus, NetworkInterface, NodeEntry, NodeStatus, StorageStatus, TaskEntry};

    /// What a value becomes with another value at a key, and where something was left out.
    fn odd<T: serde::de::DeserializeOwned + serde::Serialize>(
        row: &Value,
        key: &str,
        value: &Value,
    ) -> (Option<Value>, Vec<String>) {
        let (mut row, mut paths) = (row.clone(), Vec::new());
        row[key] = value.clone();
        let read: T = read(&row, "", &mut |note| {
            paths.push(match note {
                Note::Unknown { path } | Note::Unread { path, .. } => path,
            });
        })
        .unwrap_or_else(|fault| panic!("{row}: {}", fault.source));
        (serde_json::to_value(read).unwrap().get(key).cloned(), paths)
    }

    #[test]
    fn what_only_informs_is_read_or_absent_and_told() {
        type Odd = fn(&Value, &str, &Value) -> (Option<Value>, Vec<String>);
        let container = json!({ "vmid": 100, "status": "running" });
        let storage = json!({ "storage": "local", "type": "dir", "content": "backup" });
        let node = json!({ "node": "pve1", "status": "online" });
        let task = json!({
            "upid": "UPID:pve1:0000091C:0004ED09:6B052CDB:vzdump:100:root@pam:", "node": "pve1", "type": "vzdump",
            "id": "100", "user": "root@pam", "starttime": 1,
        });
        let volume = json!({ "volid": "pbs:backup/ct/100/x", "format": "pbs-ct" });
        let bridge = json!({ "iface": "vmbr0", "type": "bridge" });
        let status = json!({ "rootfs": { "total": 10, "used": 5, "free": 5 } });
        let shapes: [(Odd, &Value, &[&str]); 7] = [
            (
                odd::<LxcStatus>,
                &container,
                &["mem", "swap", "disk", "maxmem", "netin", "pid", "cpus", "name"],
            ),
            (
                odd::<StorageStatus>,
                &storage,
                &["avail", "total", "used", "used_fraction", "formats", "format"],
            ),
            (odd::<NodeEntry>, &node, &["ssl_fingerprint", "mem", "maxcpu", "uptime", "level"]),
            (odd::<TaskEntry>, &task, &["pid", "pstart", "saved", "tokenid"]),
            (odd::<Content>, &volume, &["verification", "size", "ctime", "vmid", "parent"]),
            (odd::<NetworkInterface>, &bridge, &["bridge_vids", "mtu", "vlan-id", "netmask6", "bridge_fd"]),
            (odd::<NodeStatus>, &status, &["memory", "ksm", "uptime", "cpu", "current-kernel"]),
        ];
        for (read, row, keys) in shapes {
            for key in keys {
                for value in [json!({ "a": [1] }), json!([[]]), json!([{ "b": "c" }])] {
                    let (written, paths) = read(row, key, &value);
                    assert!(written.as_ref() != Some(&value) && !paths.is_empty(), "{key} {value} {paths:?}");
                    assert!(paths.iter().all(|path| path.starts_with(key)), "{paths:?}");
                }
            }
        }
    }

    #[test]
    fn numbers_that_only_inform_may_be_negative_missing_or_text() {
        let container = json!({ "vmid": 100, "status": "running" });
        let cases = [
            ("swap", json!(-24576), None, true),
            ("mem", json!(-4096), None, true),
            ("disk", json!("n/a"), None, true),
            ("netin", json!("-1"), None, true),
            ("maxmem", json!(1.5), None, true),
            ("pid", json!(4_294_967_296_u64), None, true),
            ("uptime", json!(-3), Some(json!(-3)), false),
            ("cpu", json!("0.25"), Some(json!(0.25)), false),
            ("mem", json!(null), None, false),
            ("mem", json!(""), None, false),
            ("mem", json!("1.05e2"), Some(json!(105)), false),
        ];
        for (key, value, read, is_told) in cases {
            let (written, paths) = odd::<LxcStatus>(&container, key, &value);
            assert_eq!((written, !paths.is_empty()), (read, is_told), "{key} {value}");
        }
    }

    #[test]
    fn an_unreadable_load_leaves_the_rest_of_the_status() {
        for load in [json!(["fake"]), json!(["0.1", "x"]), json!("0.1"), json!({}), json!([["0.1"]])] {
            let status = json!({ "loadavg": load, "rootfs": { "total": "10", "used": 5, "free": -5 } });
            let mut notes = Vec::new();
            let read: NodeStatus = read(&status, "data", &mut |note| notes.push(note)).unwrap();
            assert_eq!((read.loadavg.len(), read.rootfs.total, read.rootfs.free), (0, Some(10), None));
            assert_eq!(notes.len(), 2, "{notes:?}");
        }
    }

    #[test]
    fn an_unreadable_value_says_where_it_stands() {
        let cases = [
            (json!({}), "data"),
            (json!({ "vmid": "x", "status": "running" }), "data.vmid"),
            (json!({ "vmid": 100, "status": [] }), "data.status"),
            (json!({ "vmid": 100, "status": "running", "ha": { "managed": {} } }), "data.ha.managed"),
            (json!("text"), "data"),
        ];
        for (json, path) in cases {
            let fault = read::<LxcStatus>(&json, "data", &mut |_| ()).unwrap_err();
            assert_eq!(fault.path, path, "{}", fault.source);
        }
    }
}

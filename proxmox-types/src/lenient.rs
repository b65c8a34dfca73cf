//! Reads an answer so that one odd value never hides the others, and tells of everything that was not taken over.
//!
//! A [`serde::Deserializer`] over parsed JSON that reads PVE's loose scalars into whatever type a shape has. A value that
//! the shape asks for as an `Option` is left out where it cannot be read, with a [`Note`], unless the field is
//! [`needed`]. Shapes need no attributes for that. Other deserializers are read through it where that matters.

mod reader;
mod state;
mod tree;

use alloc::string::String;
use core::fmt;
use core::marker::PhantomData;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{DeserializeOwned, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Error, Value};

use self::reader::Reader;
use self::state::{Path, State};
pub use self::tree::{Entry, Tree};

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

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.path.is_empty() { "" } else { ": " };
        write!(f, "{}{colon}{}", self.path, self.source)
    }
}

/// Reads the value that stands at `root` of an answer.
pub fn read<T: DeserializeOwned>(
    tree: &Tree<'_>,
    root: &str,
    tell: &mut dyn FnMut(Note),
) -> Result<T, Fault> {
    let state = State::tolerant();
    let read = attempt(tree, root, &state);
    state.notes.take().into_iter().for_each(tell);
    read
}

/// Reads a value of which nothing may be left out.
pub fn strictly<T: DeserializeOwned>(tree: &Tree<'_>) -> Result<T, Fault> {
    attempt(tree, "", &State::default())
}

/// Reads JSON leniently and tells nobody.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, Fault> {
    read(&value.into(), "", &mut |_| ())
}

/// Reads the text of a value leniently and tells nobody.
pub fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    let tree = serde_json::from_str(text).map_err(|source| Fault { path: String::new(), source })?;
    read(&tree, "", &mut |_| ())
}

/// Reads until what can be left out is left out.
fn attempt<'t, T: DeserializeOwned>(tree: &'t Tree<'t>, root: &str, state: &State<'t>) -> Result<T, Fault> {
    let (path, mark) = (Path::Root(root), state.mark());
    loop {
        match T::deserialize(Reader::new(tree, &path, state)) {
            Ok(read) => return Ok(read),
            Err(source) => {
                state.leave_out(mark, &path, &source).map_err(|path| Fault { path, source })?;
            }
        }
    }
}

/// The name under which a shape asks for a row, which is then read in attempts.
pub(crate) const ROW: &str = "$felhom::row";
/// The name under which a shape asks for the parts of an object.
const PARTS: &str = "$felhom::parts";
/// The name under which a shape asks for the values that were left out of an object.
const LEFT_OUT: &str = "$felhom::left-out";
/// The name under which a shape asks for a value that is never left out.
const NEEDED: &str = "$felhom::needed";

/// Reads a value that may be absent and decides something: where it cannot be read, what holds it cannot be read either.
/// For `#[serde(default, deserialize_with = "needed")]`.
pub fn needed<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_newtype_struct(NEEDED, Needed(PhantomData))
}

/// Reads a value that only informs and has an empty form, which stands for null and for what cannot be read.
/// For `#[serde(default, deserialize_with = "or_default")]`.
pub fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads an object as several shapes, each of which takes the keys that it knows from those that are left.
pub(crate) fn parts<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_newtype_struct(PARTS, InParts(PhantomData))
}

/// Reads loose scalars whatever holds them: also a struct that is flattened into another one, where serde forgets what a
/// scalar is read as. For `#[serde(flatten, deserialize_with = "loosely")]`.
pub(crate) fn loosely<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    parts(deserializer).map(|(part,)| part)
}

/// The values that are left out of the object that is read in parts, as they came.
#[derive(Default)]
pub(crate) struct LeftOut<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for LeftOut<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(LEFT_OUT, AsMap(PhantomData)).map(Self)
    }
}

/// Reads through a [`Reader`] what another deserializer holds.
pub(crate) fn adopt<'de, D: Deserializer<'de>, V: Visitor<'de>>(
    deserializer: D,
    name: &'static str,
    visitor: V,
) -> Result<V::Value, D::Error> {
    let tree = Tree::deserialize(deserializer)?;
    let (path, state) = (Path::Root(""), State::default());
    let read = Reader::new(&tree, &path, &state).deserialize_newtype_struct(name, visitor);
    read.map_err(|source| D::Error::custom(Fault { path: state.place().unwrap_or_default(), source }))
}

struct Needed<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Needed<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }
}

struct InParts<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for InParts<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, parts: A) -> Result<T, A::Error> {
        T::deserialize(SeqAccessDeserializer::new(parts))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        adopt(deserializer, PARTS, self)
    }
}

struct AsMap<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AsMap<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(serde::de::value::MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests;

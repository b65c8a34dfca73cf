//! Reads an answer so that one odd value never hides the others, and tells of everything that was not taken over.
//!
//! A [`serde::Deserializer`] over parsed JSON that reads PVE's loose scalars into whatever type a shape has. A value that
//! the shape asks for as an `Option` is left out where it cannot be read, with a [`Note`], unless the field is
//! [`needed`]. Shapes need no attributes for that. Other deserializers are read through it where that matters.

mod cursor;
mod reader;
mod scalar;
mod state;

use alloc::string::{String, ToString};
use core::fmt;
use core::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Error, Value};

pub(crate) use self::reader::ROW;
use self::reader::{LEFT_OUT, NEEDED, PARTS, Reader};
pub use self::state::Note;
use self::state::{Path, State};

/// A value that the shape cannot read and cannot do without.
#[derive(Debug)]
pub struct Fault {
    /// Where: `data[0].vmid`; empty where the text is not JSON.
    pub path: String,
    /// What is wrong there.
    pub source: Error,
}

impl From<Error> for Fault {
    fn from(source: Error) -> Self {
        Self { path: String::new(), source }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.path.is_empty() { "" } else { ": " };
        write!(f, "{}{colon}{}", self.path, self.source)
    }
}

/// Reads JSON, and tells what of it was not taken over.
pub fn read<T: DeserializeOwned>(json: &[u8], tell: &mut dyn FnMut(Note)) -> Result<T, Fault> {
    let text = core::str::from_utf8(json).map_err(Error::custom)?;
    let state = State::new(text, true);
    let read = attempt(text, &state);
    state.notes().for_each(tell);
    read
}

/// Reads JSON of which nothing may be left out.
pub fn strictly<T: DeserializeOwned>(json: &str) -> Result<T, Fault> {
    attempt(json, &State::new(json, false))
}

/// Reads JSON leniently and tells nobody.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, Fault> {
    from_text(&value.to_string())
}

/// Reads the text of a value leniently and tells nobody.
pub fn from_text<T: DeserializeOwned>(json: &str) -> Result<T, Fault> {
    read(json.as_bytes(), &mut |_| ())
}

/// Reads until what can be left out is left out.
fn attempt<T: DeserializeOwned>(text: &str, state: &State<'_>) -> Result<T, Fault> {
    let (mark, root) = (state.mark(), Path::root());
    loop {
        let read = T::deserialize(Reader::new(state, &root));
        match read.and_then(|read| state.cursor.finish().map(|()| read)) {
            Ok(read) => return Ok(read),
            Err(source) => {
                state.leave_out(mark, &root, &source).map_err(|path| fault(text, path, source))?;
            }
        }
    }
}

/// Of a text that is not JSON, what is wrong with it.
fn fault(text: &str, path: String, source: Error) -> Fault {
    serde_json::from_str::<IgnoredAny>(text).err().map_or(Fault { path, source }, Fault::from)
}

/// Reads a value that may be absent and decides something: where it cannot be read, what holds it cannot be read either.
/// For `#[serde(default, deserialize_with = "needed")]`.
pub fn needed<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_newtype_struct(NEEDED, Special(NEEDED, PhantomData))
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
    deserializer.deserialize_newtype_struct(PARTS, Special(PARTS, PhantomData))
}

/// Implements reading a shape whose derived reader is `remote = "Self"`: first its own keys, then each of these fields
/// from the keys that are left.
macro_rules! read_in_parts {
    ($shape:ident { $($field:ident: $part:pat),* }) => {
        impl<'de> serde::Deserialize<'de> for $shape {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Own($shape);
                impl<'de> serde::Deserialize<'de> for Own {
                    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                        $shape::deserialize(deserializer).map(Self)
                    }
                }
                let (Own(own), $($part),*) = $crate::lenient::parts(deserializer)?;
                Ok(Self { $($field,)* ..own })
            }
        }
    };
}
pub(crate) use read_in_parts;

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
        deserializer.deserialize_newtype_struct(LEFT_OUT, Special(LEFT_OUT, PhantomData)).map(Self)
    }
}

/// Reads through a [`Reader`] what another deserializer holds.
pub(crate) fn adopt<'de, D: Deserializer<'de>, V: Visitor<'de>>(
    deserializer: D,
    name: &'static str,
    visitor: V,
) -> Result<V::Value, D::Error> {
    let json = Value::deserialize(deserializer)?.to_string();
    let (state, path) = (State::new(&json, false), Path::root());
    let read = Reader::new(&state, &path).deserialize_newtype_struct(name, visitor);
    read.map_err(|source| D::Error::custom(Fault { path: state.place(), source }))
}

/// What a [`Reader`] reads in its own way under a name.
struct Special<T>(&'static str, PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Special<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, parts: A) -> Result<T, A::Error> {
        T::deserialize(SeqAccessDeserializer::new(parts))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }

    /// What is needed, or the value of a deserializer that knows no names.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        if self.0 == PARTS { adopt(deserializer, PARTS, self) } else { T::deserialize(deserializer) }
    }
}

#[cfg(test)]
mod tests;

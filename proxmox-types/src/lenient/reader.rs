//! The deserializer over a tree: it knows where it is, what may be left out, and PVE's loose scalars.
//!
//! Perl decides per value whether a scalar is printed as a number or as a text, so one field arrives as `105`, `"105"`
//! or `105.0`. A boolean is 1, 0, `"1"`, `"0"`, `""`, true, false, null or a word such as `on`; an integer is a number, a
//! numeric text or an integral float; a text is any scalar. Nothing wraps around and nothing is rounded.
//!
//! Source: pve-common `PVE/JSONSchema.pm` and the recordings; seen in `GET /cluster/nextid`, `pressure*`, `loadavg`.

use alloc::borrow::Cow;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::slice;

use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};
use serde_json::{Error, Number, Value};

use super::state::{Mark, Path, State, unread};
use super::tree::{Entry, Tree};
use super::{LEFT_OUT, NEEDED, PARTS, ROW};

/// How the value of a key was asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Needed,
    Optional,
    Ignored,
}

/// The keys that no part of a shape has taken yet.
type Pending<'t> = RefCell<Vec<&'t Entry<'t>>>;

#[derive(Clone, Copy)]
pub(super) struct Reader<'a, 't> {
    value: &'t Tree<'t>,
    path: &'a Path<'a>,
    state: &'a State<'t>,
    /// Where to tell how the value was asked for, if it is that of a key.
    asked: Option<&'a Cell<Asked>>,
    /// What to read instead of the whole object, if it is read in parts.
    pending: Option<&'a Pending<'t>>,
}

impl<'a, 't> Reader<'a, 't> {
    pub(super) const fn new(value: &'t Tree<'t>, path: &'a Path<'a>, state: &'a State<'t>) -> Self {
        Self { value, path, state, asked: None, pending: None }
    }

    fn is_optional(self) -> bool {
        self.asked.is_some_and(|asked| asked.get() == Asked::Optional)
    }

    fn refuse(self, expected: &'static str) -> Error {
        match self.value {
            Tree::Null => Error::invalid_type(Unexpected::Unit, &expected),
            Tree::Bool(flag) => Error::invalid_type(Unexpected::Bool(*flag), &expected),
            Tree::List(_) => Error::invalid_type(Unexpected::Seq, &expected),
            Tree::Object(_) => Error::invalid_type(Unexpected::Map, &expected),
            Tree::Number(number) => Error::invalid_value(unexpected(number), &expected),
            Tree::Text(text) => {
                self.state.is_blank.set(text.trim().is_empty() && self.is_optional());
                Error::invalid_value(Unexpected::Str(text), &expected)
            }
        }
    }

    fn integer<T: TryFrom<i128>>(self, expected: &'static str) -> Result<T, Error> {
        let number = match self.value {
            Tree::Number(number) => integer_of(number),
            Tree::Text(text) => text_integer(text.trim()),
            _ => None,
        };
        number.and_then(|number| number.try_into().ok()).ok_or_else(|| self.refuse(expected))
    }

    fn text(self) -> Option<Cow<'t, str>> {
        match self.value {
            Tree::Text(text) => Some(Cow::Borrowed(text)),
            Tree::Bool(flag) => Some(if *flag { "1" } else { "0" }.into()),
            Tree::Number(number) => Some(number.to_string().into()),
            Tree::Null | Tree::List(_) | Tree::Object(_) => None,
        }
    }

    fn fields<'de, V: Visitor<'de>>(self, fields: &'t [Entry<'t>], visitor: V) -> Result<V::Value, Error> {
        let reader = Self { asked: None, pending: None, ..self };
        match self.pending {
            Some(pending) => {
                let entries = pending.take().into_iter();
                visitor.visit_map(Mapping { entries, value: None, reader, left: self.pending })
            }
            None => visitor.visit_map(Mapping { entries: fields.iter(), value: None, reader, left: None }),
        }
    }

    /// Reads an object in parts; a key that none of them takes is unknown.
    fn parts<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let (Tree::Object(fields), None) = (self.value, self.pending) else {
            return visitor.visit_seq(Parts(self));
        };
        let pending = RefCell::new(fields.iter().collect());
        let read = visitor.visit_seq(Parts(Reader { pending: Some(&pending), ..self }))?;
        for (key, _) in pending.into_inner() {
            self.state.unknown(&Path::Key(self.path, key));
        }
        Ok(read)
    }

    /// The values of an object that were left out because they cannot be read.
    fn unreadable(self) -> Vec<(&'t str, Value)> {
        let Tree::Object(fields) = self.value else { return Vec::new() };
        let unreadable = |value| self.state.note_of(value).is_some();
        let left = fields.iter().filter(|(_, value)| unreadable(value));
        left.map(|(key, value)| (key.as_ref(), value.into())).collect()
    }
}

fn unexpected(number: &Number) -> Unexpected<'static> {
    match (number.as_u64(), number.as_i64()) {
        (Some(number), _) => Unexpected::Unsigned(number),
        (None, Some(number)) => Unexpected::Signed(number),
        (None, None) => Unexpected::Float(number.as_f64().unwrap_or_default()),
    }
}

fn integer_of(number: &Number) -> Option<i128> {
    number
        .as_u64()
        .map(i128::from)
        .or_else(|| number.as_i64().map(i128::from))
        .or_else(|| number.as_f64().and_then(integral))
}

fn text_integer(text: &str) -> Option<i128> {
    text.parse().ok().or_else(|| text.parse().ok().and_then(integral))
}

/// The integer that a float stands for, if it stands for one exactly. PVE prints integers above 1e15 as floats.
fn integral(value: f64) -> Option<i128> {
    // 2^64 and beyond is no size, no time and no count of PVE's.
    const BOUND: f64 = 18_446_744_073_709_551_616.0;
    if value.is_finite() && value.abs() < BOUND && value % 1.0 == 0.0 {
        // Formatting is exact for an integral float and needs no numeric cast.
        alloc::format!("{value:.0}").parse().ok()
    } else {
        None
    }
}

fn flag(text: &str) -> Option<bool> {
    const TRUE: [&str; 4] = ["1", "on", "yes", "true"];
    const FALSE: [&str; 5] = ["0", "", "off", "no", "false"];
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(&TRUE) { Some(true) } else { is(&FALSE).then_some(false) }
}

/// Implements one method for each width: all read the same texts and refuse what does not fit.
macro_rules! integers {
    ($($method:ident, $visit:ident: $expected:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.integer($expected)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_, '_> {
    type Error = Error;

    integers! {
        deserialize_u8, visit_u8: "a whole number from 0 to 255";
        deserialize_u16, visit_u16: "a whole number from 0 to 65535";
        deserialize_u32, visit_u32: "a whole number from 0 to 4294967295";
        deserialize_u64, visit_u64: "a whole number, 0 or more";
        deserialize_i64, visit_i64: "a whole number";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Tree::Null => visitor.visit_unit(),
            Tree::Bool(flag) => visitor.visit_bool(*flag),
            Tree::Number(number) => number.deserialize_any(visitor),
            Tree::Text(text) => visitor.visit_str(text),
            Tree::List(items) => visitor.visit_seq(Sequence { items: items.iter(), index: 0, reader: self }),
            Tree::Object(fields) => self.fields(fields, visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let read = match self.value {
            Tree::Null => Some(false),
            Tree::Bool(flag) => Some(*flag),
            Tree::Number(number) => match integer_of(number) {
                Some(0) => Some(false),
                Some(1) => Some(true),
                _ => None,
            },
            Tree::Text(text) => flag(text),
            Tree::List(_) | Tree::Object(_) => None,
        };
        visitor
            .visit_bool(read.ok_or_else(|| self.refuse("a boolean (1, 0, true, false or an empty string)"))?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let number = match self.value {
            Tree::Number(number) => number.as_f64(),
            Tree::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        };
        visitor.visit_f64(number.ok_or_else(|| self.refuse("a number"))?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(&self.text().ok_or_else(|| self.refuse("a string"))?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if *self.value == Tree::Null {
            return visitor.visit_none();
        }
        if let Some(asked) = self.asked {
            asked.set(Asked::Optional);
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match name {
            ROW => visitor.visit_seq(Attempts { reader: self, mark: self.state.mark(), may_repeat: false }),
            PARTS => self.parts(visitor),
            LEFT_OUT => visitor.visit_map(MapDeserializer::new(self.unreadable().into_iter())),
            NEEDED => visitor.visit_newtype_struct(Self { asked: None, ..self }),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    /// No answer holds the fields of a shape by their places, so an array is refused.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.value {
            Tree::Object(fields) => self.fields(fields, visitor),
            _ => self.deserialize_any(Refused(visitor)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        Value::from(self.value).deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.asked {
            Some(asked) => asked.set(Asked::Ignored),
            None => self.state.unknown(self.path),
        }
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u128 f32 char bytes byte_buf unit unit_struct seq tuple tuple_struct map identifier
    }
}

/// Refuses whatever comes, in the words of the visitor that wants something else.
struct Refused<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Refused<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.expecting(f)
    }
}

struct Sequence<'a, 't> {
    items: slice::Iter<'t, Tree<'t>>,
    index: usize,
    reader: Reader<'a, 't>,
}

impl<'de> SeqAccess<'de> for Sequence<'_, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some(value) = self.items.next() else { return Ok(None) };
        let path = Path::Index(self.reader.path, self.index);
        self.index = self.index.saturating_add(1);
        let state = self.reader.state;
        let read = seed.deserialize(Reader::new(value, &path, state));
        read.map(Some).inspect_err(|_| state.fail(&path, None))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Mapping<'a, 't, I> {
    entries: I,
    value: Option<&'t Entry<'t>>,
    reader: Reader<'a, 't>,
    /// Where to put what the shape does not know.
    left: Option<&'a Pending<'t>>,
}

impl<'de, 't, I: Iterator<Item = &'t Entry<'t>>> MapAccess<'de> for Mapping<'_, 't, I> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        for entry in self.entries.by_ref() {
            let (key, value) = entry;
            if self.reader.state.is_left_out(value) {
                self.reader.state.note_of(value).into_iter().for_each(|note| self.reader.state.tell(note));
                continue;
            }
            self.value = Some(entry);
            let key: StrDeserializer<'_, Error> = key.as_ref().into_deserializer();
            return seed.deserialize(key).map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let entry = self.value.take().ok_or_else(|| Error::custom("a value without a key"))?;
        let (key, value) = entry;
        let (path, state) = (Path::Key(self.reader.path, key), self.reader.state);
        let asked = Cell::new(Asked::Needed);
        let read = seed.deserialize(Reader { asked: Some(&asked), ..Reader::new(value, &path, state) });
        match (&read, asked.get()) {
            (Err(_), Asked::Optional) => state.fail(&path, Some(value)),
            (Err(_), _) => state.fail(&path, None),
            (Ok(_), Asked::Ignored) => match self.left {
                Some(left) => left.borrow_mut().push(entry),
                None => state.unknown(&path),
            },
            (Ok(_), _) => {}
        }
        read
    }
}

/// Reads a row until it can be read without what it can do without; `size_hint` tells whether another attempt is of use.
/// After the last one it hands out the row as it came.
struct Attempts<'a, 't> {
    reader: Reader<'a, 't>,
    mark: Mark,
    may_repeat: bool,
}

impl<'de> SeqAccess<'de> for Attempts<'_, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let (state, path) = (self.reader.state, self.reader.path);
        let read = seed.deserialize(self.reader);
        let Err(error) = &read else {
            state.finish(self.mark);
            return read.map(Some);
        };
        let again = state.leave_out(self.mark, path, error);
        self.may_repeat = again.is_ok();
        if let Err(place) = again {
            state.tell(unread(&place, error));
        }
        read.map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(usize::from(self.may_repeat))
    }
}

/// Hands out the same object for each part of a shape, without the keys that an earlier part took.
struct Parts<'a, 't>(Reader<'a, 't>);

impl<'de> SeqAccess<'de> for Parts<'_, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        seed.deserialize(self.0).map(Some)
    }
}

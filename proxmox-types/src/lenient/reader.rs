//! The deserializer over a text: it knows where it is and what may be left out.

use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::RefCell;

use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use serde_json::{Error, Value};

use super::cursor::Cursor;
use super::scalar::Token;
use super::state::{Asked, Mark, Path, State, Step, unread};

/// The name under which a shape asks for a row, which is then read in attempts.
pub(crate) const ROW: &str = "$felhom::row";
/// The name under which a shape asks for the parts of an object.
pub(super) const PARTS: &str = "$felhom::parts";
/// The name under which a shape asks for the values that were left out of an object.
pub(super) const LEFT_OUT: &str = "$felhom::left-out";
/// The name under which a shape asks for a value that is never left out.
pub(super) const NEEDED: &str = "$felhom::needed";

#[derive(Clone, Copy)]
pub(super) struct Reader<'a, 't> {
    state: &'a State<'t>,
    path: &'a Path<'a>,
    /// Where the values begin that a part has taken, if the object is read in parts.
    taken: Option<&'a RefCell<BTreeSet<usize>>>,
}

impl<'a, 't> Reader<'a, 't> {
    pub(super) const fn new(state: &'a State<'t>, path: &'a Path<'a>) -> Self {
        Self { state, path, taken: None }
    }

    const fn cursor(self) -> &'a Cursor<'t> {
        &self.state.cursor
    }

    fn token(self) -> Result<Token<'t>, Error> {
        self.cursor().token(self.path.depth)
    }

    #[cold]
    fn refuse(self, token: &Token<'_>, expected: &'static str) -> Error {
        self.state.is_void.set(token.is_blank() && self.path.was_asked(Asked::AsOptional));
        match token {
            Token::Null | Token::Bool(_) | Token::List | Token::Object => {
                Error::invalid_type(token.unexpected(), &expected)
            }
            _ => Error::invalid_value(token.unexpected(), &expected),
        }
    }

    fn integer<T: TryFrom<i128>>(self, expected: &'static str) -> Result<T, Error> {
        let token = self.token()?;
        let number = token.integer().and_then(|number| number.try_into().ok());
        number.ok_or_else(|| self.refuse(&token, expected))
    }

    /// Reads an object whose brace is read.
    fn fields<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let start = self.cursor().at();
        let mut mapping = Mapping { reader: self, is_first: true, entry: None };
        let read = visitor.visit_map(&mut mapping);
        if let (Err(_), Some((key, _))) = (&read, mapping.entry) {
            self.cursor().go(start);
            self.void_but_the_last(&key);
        }
        read
    }

    /// After reading an object failed at a key: if the key comes more than once, what comes first is left out.
    fn void_but_the_last(self, failed: &str) {
        let mut values = Vec::new();
        let read = self.cursor().entries(self.path.depth, &mut |key, at| {
            if key == failed && self.state.left_out(at).is_none() {
                values.push(at);
            }
        });
        if let (Ok(()), [first, _, ..]) = (read, &values[..]) {
            self.state.void(&self.path.to(Step::Key(failed)), *first);
        }
    }

    /// Reads a list whose bracket is read.
    fn items<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut sequence = Sequence { reader: self, start: self.cursor().at(), count: 0, is_done: false };
        let read = visitor.visit_seq(&mut sequence)?;
        while sequence.has_next()? {
            self.cursor().skip(self.path.depth + 1)?;
        }
        Ok(read)
    }

    /// Reads an object in parts; a key that none of them takes is unknown.
    fn parts<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let cursor = self.cursor();
        let is_object = cursor.peek() == b'{';
        let start = cursor.at();
        if self.taken.is_some() || !is_object {
            return visitor.visit_seq(Parts { reader: self, start });
        }
        let taken = RefCell::default();
        let read = visitor.visit_seq(Parts { reader: Reader { taken: Some(&taken), ..self }, start })?;
        cursor.go(start);
        self.token()?;
        cursor.entries(self.path.depth, &mut |key, at| {
            if !taken.borrow().contains(&at) {
                self.state.unknown(&self.path.to(Step::Key(&key)));
            }
        })?;
        Ok(read)
    }

    /// The values of an object that were left out because they cannot be read.
    fn unreadable(self) -> Result<Vec<(String, Value)>, Error> {
        let mut left = Vec::new();
        if matches!(self.token()?, Token::Object) {
            self.cursor().entries(self.path.depth, &mut |key, at| {
                if self.state.left_out(at).is_some_and(|left| left.note.is_some()) {
                    let value = Value::deserialize(Reader::new(self.state, &self.path.to(Step::Root)));
                    left.push(value.map(|value| (key.into_owned(), value)));
                }
            })?;
        }
        left.into_iter().collect()
    }
}

/// Implements one method for each scalar: all read the same texts and refuse what does not fit.
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
        match self.token()? {
            Token::Null => visitor.visit_unit(),
            Token::Bool(flag) => visitor.visit_bool(flag),
            Token::Unsigned(number) => visitor.visit_u64(number),
            Token::Signed(number) => visitor.visit_i64(number),
            Token::Float(number) => visitor.visit_f64(number),
            Token::Text(Cow::Borrowed(text)) => visitor.visit_str(text),
            Token::Text(Cow::Owned(text)) => visitor.visit_string(text),
            Token::List => self.items(visitor),
            Token::Object => self.fields(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let token = self.token()?;
        let refuse = || self.refuse(&token, "a boolean (1, 0, true, false or an empty string)");
        visitor.visit_bool(token.flag().ok_or_else(refuse)?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let token = self.token()?;
        visitor.visit_f64(token.float().ok_or_else(|| self.refuse(&token, "a number"))?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.token()? {
            Token::Text(Cow::Borrowed(text)) => visitor.visit_str(text),
            Token::Text(Cow::Owned(text)) => visitor.visit_string(text),
            Token::Bool(flag) => visitor.visit_str(if flag { "1" } else { "0" }),
            Token::Unsigned(number) => visitor.visit_string(number.to_string()),
            Token::Signed(number) => visitor.visit_string(number.to_string()),
            Token::Float(number) => visitor.visit_string(Value::from(number).to_string()),
            token => Err(self.refuse(&token, "a string")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.cursor().peek() == b'n' {
            self.token()?;
            return visitor.visit_none();
        }
        self.path.ask(Asked::AsOptional);
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
            LEFT_OUT => visitor.visit_map(MapDeserializer::new(self.unreadable()?.into_iter())),
            NEEDED => {
                self.path.ask(Asked::AsNeeded);
                visitor.visit_newtype_struct(self)
            }
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
        match self.token()? {
            Token::Object => self.fields(visitor),
            token => Err(Error::invalid_type(token.unexpected(), &visitor)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        Value::deserialize(self)?.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if !self.path.ask(Asked::ToIgnore) {
            self.state.unknown(self.path);
        }
        self.cursor().skip(self.path.depth)?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u128 f32 char bytes byte_buf unit unit_struct seq tuple tuple_struct map identifier
    }
}

struct Sequence<'a, 't> {
    reader: Reader<'a, 't>,
    start: usize,
    /// Number of items that have begun.
    count: usize,
    is_done: bool,
}

impl Sequence<'_, '_> {
    fn has_next(&mut self) -> Result<bool, Error> {
        self.is_done = self.is_done || !self.reader.cursor().another(self.count == 0, b']')?;
        self.count += usize::from(!self.is_done);
        Ok(!self.is_done)
    }
}

impl<'de> SeqAccess<'de> for Sequence<'_, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        if !self.has_next()? {
            return Ok(None);
        }
        let Reader { state, path, .. } = self.reader;
        let path = path.to(Step::Index(self.count - 1));
        let read = seed.deserialize(Reader::new(state, &path));
        read.map(Some).inspect_err(|_| state.fail(&path, None))
    }

    /// Of the list that is the answer, a little less than what its items so far promise; of one inside it, nothing is
    /// known.
    fn size_hint(&self) -> Option<usize> {
        let cursor = self.reader.cursor();
        let each = (cursor.at() - self.start).checked_div(self.count)?;
        let expected = cursor.rest() / each.max(1);
        (self.reader.path.depth <= 1).then(|| expected - expected / 32 + 1)
    }
}

struct Mapping<'a, 't> {
    reader: Reader<'a, 't>,
    is_first: bool,
    /// The key whose value is to be read, or failed to be, and where that begins.
    entry: Option<(Cow<'t, str>, usize)>,
}

impl Mapping<'_, '_> {
    /// Whether a value is not for this part of a shape, or for none.
    fn is_past(&self, at: usize) -> bool {
        let Reader { state, taken, .. } = self.reader;
        if taken.is_some_and(|taken| taken.borrow().contains(&at)) {
            return true;
        }
        let Some(left) = state.left_out(at) else { return false };
        self.take(at);
        state.tell(left.note);
        true
    }

    fn take(&self, at: usize) {
        if let Some(taken) = self.reader.taken {
            taken.borrow_mut().insert(at);
        }
    }
}

impl<'de> MapAccess<'de> for Mapping<'_, '_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let cursor = self.reader.cursor();
        while cursor.another(self.is_first, b'}')? {
            self.is_first = false;
            let (key, at) = (cursor.key()?, cursor.at());
            if !self.is_past(at) {
                let (key, _) = self.entry.insert((key, at));
                let key: StrDeserializer<'_, Error> = key.as_ref().into_deserializer();
                return seed.deserialize(key).map(Some);
            }
            cursor.skip(self.reader.path.depth + 1)?;
        }
        self.entry = None;
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let (key, at) = self.entry.as_ref().ok_or_else(|| Error::custom("a value without a key"))?;
        let Reader { state, path, taken } = self.reader;
        let path = path.to(Step::Key(key));
        let read = seed.deserialize(Reader::new(state, &path));
        match &read {
            Err(_) => state.fail(&path, path.was_asked(Asked::AsOptional).then_some(*at)),
            Ok(_) if !path.was_asked(Asked::ToIgnore) => self.take(*at),
            Ok(_) if taken.is_none() => state.unknown(&path),
            Ok(_) => {}
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
        let Reader { state, path, .. } = self.reader;
        let read = seed.deserialize(self.reader);
        match &read {
            Ok(_) => state.finish(self.mark),
            Err(error) => {
                let again = state.leave_out(self.mark, path, error);
                self.may_repeat = again.is_ok();
                state.tell(again.err().map(|place| unread(&place, error)));
            }
        }
        read.map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(usize::from(self.may_repeat))
    }
}

/// Hands out the same object for each part of a shape, without the keys that an earlier part took.
struct Parts<'a, 't> {
    reader: Reader<'a, 't>,
    start: usize,
}

impl<'de> SeqAccess<'de> for Parts<'_, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        self.reader.cursor().go(self.start);
        seed.deserialize(self.reader).map(Some)
    }
}

//! JSON as it was sent: keys and texts are borrowed from the answer where they hold no escapes.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

/// A key and its value.
pub type Entry<'t> = (Cow<'t, str>, Tree<'t>);

/// Parsed JSON.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree<'t> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(Cow<'t, str>),
    /// An array.
    List(Vec<Self>),
    /// An object, in the order in which it was sent.
    Object(Vec<Entry<'t>>),
}

impl From<&Tree<'_>> for Value {
    fn from(tree: &Tree<'_>) -> Self {
        match tree {
            Tree::Null => Self::Null,
            Tree::Bool(flag) => Self::Bool(*flag),
            Tree::Number(number) => Self::Number(number.clone()),
            Tree::Text(text) => Self::String(text.clone().into_owned()),
            Tree::List(items) => items.iter().map(Self::from).collect(),
            Tree::Object(fields) => {
                fields.iter().map(|(key, value)| (key.clone().into_owned(), Self::from(value))).collect()
            }
        }
    }
}

impl<'t> From<&'t Value> for Tree<'t> {
    fn from(value: &'t Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::Text(text.into()),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(fields) => {
                Self::Object(fields.iter().map(|(key, value)| (key.into(), value.into())).collect())
            }
        }
    }
}

impl<'t> Deserialize<'t> for Tree<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Parsed)
    }
}

struct Parsed;

impl<'t> Visitor<'t> for Parsed {
    type Value = Tree<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Tree<'t>, E> {
        Ok(Tree::Bool(flag))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Tree<'t>, E> {
        Ok(Tree::Number(number.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Tree<'t>, E> {
        Ok(Tree::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Tree<'t>, E> {
        Ok(Number::from_f64(number).map_or(Tree::Null, Tree::Number))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'t str) -> Result<Tree<'t>, E> {
        Ok(Tree::Text(text.into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Tree<'t>, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Tree<'t>, E> {
        Ok(Tree::Text(text.into()))
    }

    fn visit_unit<E: Error>(self) -> Result<Tree<'t>, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Tree<'t>, E> {
        Ok(Tree::Null)
    }

    fn visit_some<D: Deserializer<'t>>(self, deserializer: D) -> Result<Tree<'t>, D::Error> {
        Tree::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut array: A) -> Result<Tree<'t>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = array.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Tree<'t>, A::Error> {
        let mut fields = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            fields.push((key, map.next_value()?));
        }
        Ok(Tree::Object(fields))
    }
}

struct Key<'t>(Cow<'t, str>);

impl<'t> Deserialize<'t> for Key<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'t> Visitor<'t> for KeyVisitor {
    type Value = Key<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'t str) -> Result<Key<'t>, E> {
        Ok(Key(text.into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Key<'t>, E> {
        Ok(Key(text.to_owned().into()))
    }
}

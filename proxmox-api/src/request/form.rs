//! Parameter structs as form fields: booleans become 1 and 0, what is `None` is left out, and a list becomes one field per
//! item, which PVE reads as an array.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::value::Error;
use serde::ser::{Error as _, Impossible, SerializeMap, SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};

use super::Parameter;

/// The fields of a parameter struct.
pub(crate) fn parameters(fields: &impl Serialize) -> Result<Vec<Parameter>, Error> {
    let mut parameters = Vec::new();
    fields.serialize(Form { parameters: &mut parameters, name: None })?;
    Ok(parameters)
}

/// Writes the fields of a struct, or the value of the field that has this name.
struct Form<'p> {
    parameters: &'p mut Vec<Parameter>,
    name: Option<Cow<'static, str>>,
}

impl Form<'_> {
    /// Adds a value under the name.
    fn add(self, value: impl fmt::Display) -> Result<(), Error> {
        let name = self.name.ok_or_else(|| Error::custom("a parameter has no name"))?;
        self.parameters.push(Parameter::plain(name, value));
        Ok(())
    }

    fn field(
        &mut self,
        name: Option<Cow<'static, str>>,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), Error> {
        value.serialize(Form { parameters: self.parameters, name })
    }

    /// A struct in a field is no parameter of PVE's.
    fn fields(self) -> Result<Self, Error> {
        if self.name.is_none() { Ok(self) } else { Err(unwritable()) }
    }
}

fn unwritable() -> Error {
    Error::custom("a parameter is text, a number, or a list of them")
}

macro_rules! added {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, value: $type) -> Result<(), Error> {
            self.add(value)
        })*
    };
}

impl Serializer for Form<'_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Error>;

    added! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_u8: u8, serialize_u16: u16,
        serialize_u32: u32, serialize_u64: u64, serialize_f32: f32, serialize_f64: f64, serialize_char: char,
        serialize_str: &str
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.add(u8::from(value))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Error> {
        Err(unwritable())
    }

    fn serialize_none(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.add(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        Err(unwritable())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Error> {
        Err(unwritable())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Error> {
        Err(unwritable())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(unwritable())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Error> {
        self.fields()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Error> {
        self.fields()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(unwritable())
    }
}

impl SerializeSeq for Form<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Error> {
        self.field(self.name.clone(), item)
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

impl SerializeStruct for Form<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        self.field(Some(name.into()), value)
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

impl SerializeMap for Form<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let mut written = Vec::new();
        key.serialize(Form { parameters: &mut written, name: Some("".into()) })?;
        self.name = written.pop().map(|key| String::from(key.expose()).into());
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let name = self.name.take();
        self.field(name, value)
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use super::*;

    #[test]
    fn parameter_structs_become_form_fields() {
        let fields = json!({"a": true, "b": 7, "c": null, "d": "x", "e": ["/p", "/q"], "f": false, "g": 0.5});
        let written = parameters(&fields).unwrap();
        let lines: Vec<String> =
            written.iter().map(|field| format!("{}={}", field.name, field.expose())).collect();
        assert_eq!(lines.join(" "), "a=1 b=7 d=x e=/p e=/q f=0 g=0.5");
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for value in [json!(7), json!({"a": {"b": 1}}), json!({"a": [[1], {}]})] {
            assert!(parameters(&value).is_err(), "{value}");
        }
    }
}

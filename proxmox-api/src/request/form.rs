//! Parameter structs as form fields: booleans become 1 and 0, what is `None` is left out, and a list becomes one field per
//! item, which PVE reads as an array.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Serialize;
use serde::ser::Error as _;
use serde_json::{Error, Value};

use super::Parameter;

/// The fields of a parameter struct.
pub(crate) fn parameters(fields: &impl Serialize) -> Result<Vec<Parameter>, Error> {
    let Value::Object(fields) = serde_json::to_value(fields)? else { return Err(unwritable()) };
    let mut parameters = Vec::new();
    for (name, value) in fields {
        let items = match value {
            Value::Null => continue,
            Value::Array(items) => items,
            one => alloc::vec![one],
        };
        for item in items {
            parameters.push(Parameter::plain(name.clone(), text(item)?));
        }
    }
    Ok(parameters)
}

fn text(value: Value) -> Result<String, Error> {
    match value {
        Value::Bool(flag) => Ok(u8::from(flag).to_string()),
        Value::Number(number) => {
            let fraction = number.as_f64().filter(|_| number.is_f64());
            Ok(fraction.map_or_else(|| number.to_string(), |fraction| fraction.to_string()))
        }
        Value::String(text) => Ok(text),
        _ => Err(unwritable()),
    }
}

fn unwritable() -> Error {
    Error::custom("a parameter is text, a number, or a list of them")
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use serde_json::json;

    use super::*;

    #[test]
    fn parameter_structs_become_form_fields() {
        let fields = json!({"a": true, "b": 7, "c": null, "d": "x", "e": ["/p", "/q"], "f": false, "g": 0.5, "h": 2.0});
        let written = parameters(&fields).unwrap();
        let lines: Vec<String> =
            written.iter().map(|field| format!("{}={}", field.name, field.expose())).collect();
        assert_eq!(lines.join(" "), "a=1 b=7 d=x e=/p e=/q f=0 g=0.5 h=2");
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for value in [json!(7), json!({"a": {"b": 1}}), json!({"a": [[1], {}]})] {
            assert!(parameters(&value).is_err(), "{value}");
        }
    }
}

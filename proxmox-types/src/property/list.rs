//! Lists inside one value of a property string, joined by `;`.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Deserializer, Serializer};

/// Writes the list, for `#[serde(with = "list")]`.
pub fn serialize<S: Serializer>(list: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&list.join(";"))
}

/// Reads the list; blanks separate as well.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(text.split([';', ' ']).filter(|item| !item.is_empty()).map(Into::into).collect())
}

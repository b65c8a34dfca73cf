//! Structs that are flattened into another one, and the keys that are none of theirs.

use alloc::string::String;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// Reads a flattened struct, and the keys that it does not write back because it does not know them.
pub(crate) fn split<'de, T, D>(deserializer: D) -> Result<(T, Map<String, Value>), D::Error>
where
    T: DeserializeOwned + Serialize,
    D: Deserializer<'de>,
{
    let mut keys = Map::deserialize(deserializer)?;
    let known = T::deserialize(Value::Object(keys.clone())).map_err(D::Error::custom)?;
    let written = serde_json::to_value(&known).map_err(D::Error::custom)?;
    keys.retain(|key, _| written.get(key).is_none());
    Ok((known, keys))
}

/// Reads a flattened struct and refuses a key that it does not know, which `deny_unknown_fields` cannot do there.
pub(crate) fn strict<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: DeserializeOwned + Serialize,
    D: Deserializer<'de>,
{
    let (known, keys) = split(deserializer)?;
    match keys.iter().find(|(_, value)| !value.is_null()) {
        Some((key, _)) => Err(D::Error::custom(format_args!("unknown or empty field `{key}`"))),
        None => Ok(known),
    }
}

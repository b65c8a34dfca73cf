//! Reads smartctl's JSON: every key optional, every number also as a string.

use alloc::string::String;
use alloc::vec::Vec;

use proxmox_types::lenient::from_value;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The first of the places that holds such a value, in whichever scalar it is written.
pub(super) fn first<T: DeserializeOwned>(document: &Value, pointers: &[&str]) -> Option<T> {
    pointers.iter().filter_map(|pointer| document.pointer(pointer)).find_map(scalar)
}

fn scalar<T: DeserializeOwned>(value: &Value) -> Option<T> {
    match value {
        // Perl would take an empty text for false, and a disk for failing.
        Value::String(text) if text.trim().is_empty() => None,
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        value => from_value(value).ok(),
    }
}

/// What smartctl had to say, joined.
pub(super) fn messages(document: &Value) -> Option<String> {
    let messages: Vec<_> = each_message(document).collect();
    (!messages.is_empty()).then(|| messages.join("; "))
}

/// The texts that smartctl prints besides.
pub(super) fn each_message(document: &Value) -> impl Iterator<Item = &str> {
    let messages = document.pointer("/smartctl/messages").and_then(Value::as_array);
    messages.into_iter().flatten().filter_map(|message| message.get("string")?.as_str())
}

/// The raw value of an ATA attribute. The text is in the format that the disk's vendor uses, the number is all 48 bits
/// of it at once (`31 (Min/Max 31/31)` is 522125343), so the text comes first.
pub(super) fn raw(attribute: &Value) -> Option<u64> {
    let text: Option<String> = first(attribute, &["/raw/string"]);
    let number = text.as_deref().and_then(|text| text.split([' ', '/', '(']).next()?.parse().ok());
    number.or_else(|| first(attribute, &["/raw/value"]))
}

pub(super) fn attributes(document: &Value) -> impl Iterator<Item = &Value> {
    document.pointer("/ata_smart_attributes/table").and_then(Value::as_array).into_iter().flatten()
}

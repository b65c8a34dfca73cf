//! The codec of PVE's property strings: `name=eth0,bridge=vmbr0,ip=dhcp`.
//!
//! A property string is a comma-separated list of `key=value`; the value of one key, the default key, may stand without
//! its key (`local-zfs:subvol-101-disk-0,size=8G`). Booleans are written as 0 and 1 and read in any of PVE's spellings;
//! lists inside a value are joined by `;`. There is no escaping, so a value cannot hold a comma. PVE replaces a
//! property string as a whole, so keys that a type does not know are kept and written back.
//!
//! Source: pve-common `PVE/JSONSchema.pm`, `parse_property_string` and `print_property_string`.

mod backup;
mod guest;
mod mount;

pub use backup::{Fleecing, Performance, PruneBackups};
pub use guest::{Device, Features, Net, Startup};
pub use mount::{Gibibytes, MountOptions, MountPoint, RootFs, Source};

use alloc::borrow::{Cow, ToOwned};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::{Deref, DerefMut};
use core::str::FromStr;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use snafu::Snafu;

use crate::lenient;

/// Keys of a property string that its type does not know, kept for writing back.
pub type OtherKeys = BTreeMap<String, String>;

/// A type that is written as a property string.
pub trait PropertyString: Serialize + DeserializeOwned {
    /// The key whose value may stand alone.
    const DEFAULT_KEY: Option<&'static str>;
}

/// A value that travels as a property string inside JSON and in parameters.
///
/// It is used like the value. It is written as it was read as long as nothing of it is changed: PVE understands
/// `order=1` and `1` alike, and a person wrote one of them.
#[derive(Clone, Default)]
pub struct Property<T> {
    value: T,
    text: Option<String>,
}

impl<T> Property<T> {
    /// A value to be written.
    pub const fn new(value: T) -> Self {
        Self { value, text: None }
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for Property<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Property<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.text = None;
        &mut self.value
    }
}

impl<T: PartialEq> PartialEq for Property<T> {
    /// Compares the values, however they are written.
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Property<T> {}

impl<T: fmt::Debug> fmt::Debug for Property<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Property").field(&self.value).finish()
    }
}

/// Text that is not a property string of the wanted type, or a value that cannot be written as one.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
#[snafu(display("malformed property string: {reason}"))]
pub struct PropertyError {
    reason: String,
}

impl PropertyError {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// Parses a property string.
///
/// Fails on a key that occurs twice, a value without a key where the type has no default key, a missing required key
/// and a value of the wrong type.
pub fn parse<T: PropertyString>(text: &str) -> Result<T, PropertyError> {
    let pairs = pairs(text, T::DEFAULT_KEY)?;
    let json = serde_json::to_string(&pairs).map_err(|error| PropertyError::new(error.to_string()))?;
    lenient::strictly(&json).map_err(|fault| PropertyError::new(fault.to_string()))
}

/// Writes a property string: the default key first and without its name where its value can stand alone, the others in
/// alphabetical order.
///
/// Fails if a value holds a comma, which PVE could not read back.
pub fn print<T: PropertyString>(value: &T) -> Result<String, PropertyError> {
    let Value::Object(fields) =
        serde_json::to_value(value).map_err(|error| PropertyError::new(error.to_string()))?
    else {
        return Err(PropertyError::new("not a set of keys"));
    };
    let is_default = |key: &str| Some(key) == T::DEFAULT_KEY;
    let mut parts = Vec::new();
    for wants_default in [true, false] {
        for (key, value) in fields.iter().filter(|(key, _)| is_default(key) == wants_default) {
            let Some(value) = scalar(value)? else { continue };
            if value.contains(',') {
                return Err(PropertyError::new(format!("the value of `{key}` holds a comma")));
            }
            let stands_alone = wants_default && !value.contains('=') && !value.trim().is_empty();
            parts.push(if stands_alone { value.into_owned() } else { format!("{key}={value}") });
        }
    }
    Ok(parts.join(","))
}

fn pairs<'a>(
    text: &'a str,
    default_key: Option<&'a str>,
) -> Result<BTreeMap<&'a str, &'a str>, PropertyError> {
    let mut pairs = BTreeMap::new();
    for part in text.split(',').filter(|part| !part.trim().is_empty()) {
        let (key, value) = match part.split_once('=') {
            Some(pair) => pair,
            None => (default_key.ok_or_else(|| PropertyError::new(format!("`{part}` has no key")))?, part),
        };
        if pairs.insert(key, value).is_some() {
            return Err(PropertyError::new(format!("the key `{key}` occurs twice")));
        }
    }
    Ok(pairs)
}

/// The text of one value, or nothing for null.
fn scalar(value: &Value) -> Result<Option<Cow<'_, str>>, PropertyError> {
    Ok(match value {
        Value::Null => None,
        Value::Bool(flag) => Some(if *flag { "1" } else { "0" }.into()),
        Value::Number(number) => Some(number.to_string().into()),
        Value::String(text) => Some(text.into()),
        Value::Array(_) | Value::Object(_) => {
            return Err(PropertyError::new("a value is neither text nor a number"));
        }
    })
}

impl<T: PropertyString> Property<T> {
    fn written(&self) -> Result<Cow<'_, str>, PropertyError> {
        self.text.as_deref().map_or_else(|| print(&self.value).map(Into::into), |text| Ok(text.into()))
    }
}

impl<T: PropertyString> FromStr for Property<T> {
    type Err = PropertyError;

    fn from_str(text: &str) -> Result<Self, PropertyError> {
        parse(text).map(|value| Self { value, text: Some(text.into()) })
    }
}

impl<T: PropertyString> fmt::Display for Property<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written().map_err(|_| fmt::Error)?)
    }
}

impl<'de, T: PropertyString> Deserialize<'de> for Property<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error| D::Error::custom(format!("{error} in {text:?}")))
    }
}

impl<T: PropertyString> Serialize for Property<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written().map_err(serde::ser::Error::custom)?)
    }
}

/// `\d+(\.\d+)?`
pub(crate) fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(text),
    }
}

/// Splits the key of an indexed option: `net0` is index 0 of `net`.
pub fn index_of(key: &str, option: &str) -> Option<u16> {
    let digits = key.strip_prefix(option)?;
    let canonical = digits == "0" || !digits.starts_with('0');
    (canonical && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}

/// Joins the key of an indexed option.
pub fn key_of(option: &str, index: u16) -> String {
    let mut key = option.to_owned();
    key.push_str(&index.to_string());
    key
}

/// Lists inside one value, joined by `;`, for `#[serde(with = "list")]`.
mod list {
    use super::{Deserialize, Deserializer, Serializer, String, Vec};

    pub(super) fn serialize<S: Serializer>(list: &[String], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&list.join(";"))
    }

    /// Blanks separate as well.
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(text.split([';', ' ']).filter(|item| !item.is_empty()).map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        volume: String,
        backup: Option<bool>,
        mtu: Option<u16>,
        #[serde(flatten)]
        other: OtherKeys,
    }

    impl PropertyString for Sample {
        const DEFAULT_KEY: Option<&'static str> = Some("volume");
    }

    fn read(text: &str) -> Result<Sample, String> {
        parse(text).map_err(|error| error.to_string())
    }

    #[test]
    fn the_default_key_may_stand_alone_or_be_named() {
        assert_eq!(read("local:1,backup=1"), read("backup=yes,volume=local:1"));
    }

    #[test]
    fn unknown_keys_survive_reading_and_writing() {
        let text = "local:1,backup=0,mtu=1500,new-key=x";
        assert_eq!(print(&read(text).unwrap()).unwrap(), text);
    }

    #[test]
    fn malformed_property_strings_name_the_key() {
        let reasons = ["local:1,local:2", "mtu=1", "local:1,mtu=x"].map(|text| read(text).unwrap_err());
        assert_eq!(
            reasons,
            [
                "malformed property string: the key `volume` occurs twice",
                "malformed property string: missing field `volume`",
                "malformed property string: mtu: invalid value: string \"x\", expected a whole number from 0 to 65535",
            ]
        );
    }

    #[test]
    fn a_comma_in_a_value_is_refused() {
        let sample = Sample { volume: "a,b".into(), backup: None, mtu: None, other: OtherKeys::new() };
        assert_eq!(
            print(&sample).unwrap_err().to_string(),
            "malformed property string: the value of `volume` holds a comma"
        );
    }

    #[test]
    fn indexed_keys_are_canonical() {
        let read = ["net0", "net31", "net", "net01", "netx", "net0x", "mp0"].map(|key| index_of(key, "net"));
        assert_eq!(read, [Some(0), Some(31), None, None, None, None, None]);
        assert_eq!(key_of("net", 31), "net31");
    }

    #[test]
    fn a_default_value_that_cannot_stand_alone_is_named() {
        let cases = [
            ("volume=a=b", "volume=a=b"),
            ("volume=", "volume="),
            ("volume= ", "volume= "),
            ("volume==", "volume=="),
            ("volume=/mnt/a=b,backup=1", "volume=/mnt/a=b,backup=1"),
            ("volume=plain", "plain"),
            ("mtu=9,volume=x=mtu=8", "volume=x=mtu=8,mtu=9"),
        ];
        for (text, printed) in cases {
            let sample = read(text).unwrap();
            assert_eq!(print(&sample).unwrap(), printed);
            assert_eq!(read(printed).unwrap(), sample);
        }
    }

    fn comes_back<T: PropertyString + PartialEq + fmt::Debug>(text: &str) {
        if let Ok(value) = parse::<T>(text) {
            let printed = print(&value).unwrap();
            assert_eq!(parse::<T>(&printed).as_ref(), Ok(&value), "{text:?} is printed as {printed:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_parsed_comes_back(
            pieces in prop::collection::vec(
                "(name|volume|mp|path|order|up|enabled|storage|mtu|rate|mount|size|keep-last|x)?={0,2}[ -~\\u{80}]{0,6}",
                0..5,
            )
        ) {
            let text = pieces.join(",");
            comes_back::<Net>(&text);
            comes_back::<RootFs>(&text);
            comes_back::<MountPoint>(&text);
            comes_back::<Features>(&text);
            comes_back::<Startup>(&text);
            comes_back::<PruneBackups>(&text);
            comes_back::<Device>(&text);
            comes_back::<Performance>(&text);
            comes_back::<Fleecing>(&text);
            comes_back::<Sample>(&text);
        }
    }
}

//! Options that come in numbers: `net0`, `net1`, ... become one map by index.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;
use core::marker::PhantomData;

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::property::{index_of, key_of};

/// Defines the codec of one indexed option, for `#[serde(flatten, with = "indexed::net")]`.
macro_rules! option {
    ($name:ident) => {
        pub(crate) mod $name {
            use super::*;

            pub(crate) fn serialize<T: Serialize, S: Serializer>(
                values: &BTreeMap<u16, T>,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                write(stringify!($name), values, serializer)
            }

            pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<BTreeMap<u16, T>, D::Error> {
                read(stringify!($name), deserializer)
            }
        }
    };
}

option!(dev);
option!(mp);
option!(net);
option!(unused);

fn write<T: Serialize, S: Serializer>(
    option: &str,
    values: &BTreeMap<u16, T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(values.iter().map(|(index, value)| (key_of(option, *index), value)))
}

fn read<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    option: &'static str,
    deserializer: D,
) -> Result<BTreeMap<u16, T>, D::Error> {
    deserializer.deserialize_map(Indexed { option, value: PhantomData })
}

/// Picks the keys of one option and leaves the others to whoever reads them.
struct Indexed<T> {
    option: &'static str,
    value: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Indexed<T> {
    type Value = BTreeMap<u16, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{}0`, `{}1`, ...", self.option, self.option)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            if let Some(index) = index_of(&key, self.option) {
                let value = map.next_value();
                values
                    .insert(index, value.map_err(|error| A::Error::custom(format_args!("{key}: {error}")))?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(values)
    }
}

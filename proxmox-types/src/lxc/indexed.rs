//! Options that come in numbers: `net0`, `net1`, ... become one map by index.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;
use core::marker::PhantomData;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::VolumeId;
use crate::property::Device;
use crate::property::MountPoint;
use crate::property::Net;
use crate::property::{Property, index_of, key_of};

/// Writes an indexed option, for `#[serde(flatten, serialize_with = "indexed::write")]`.
pub(crate) fn write<T: Indexed + Serialize, S: Serializer>(
    values: &BTreeMap<u16, T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(values.iter().map(|(index, value)| (key_of(T::OPTION, *index), value)))
}

/// Reads an indexed option, for `#[serde(flatten, deserialize_with = "indexed::read")]`.
pub(crate) fn read<'de, T: Indexed + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<u16, T>, D::Error> {
    ByIndex::deserialize(deserializer).map(|values| values.0)
}

/// A value that comes in numbers.
pub(crate) trait Indexed {
    /// The option without its number.
    const OPTION: &'static str;
}

impl Indexed for Property<Device> {
    const OPTION: &'static str = "dev";
}

impl Indexed for Property<MountPoint> {
    const OPTION: &'static str = "mp";
}

impl Indexed for Property<Net> {
    const OPTION: &'static str = "net";
}

impl Indexed for VolumeId {
    const OPTION: &'static str = "unused";
}

/// The values of one option by their numbers. Other keys are left to whoever reads them.
pub(crate) struct ByIndex<T>(pub(crate) BTreeMap<u16, T>);

impl<'de, T: Indexed + Deserialize<'de>> Deserialize<'de> for ByIndex<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Keys(PhantomData))
    }
}

struct Keys<T>(PhantomData<T>);

impl<'de, T: Indexed + Deserialize<'de>> Visitor<'de> for Keys<T> {
    type Value = ByIndex<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{0}0`, `{0}1`, ...", T::OPTION)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            match index_of(&key, T::OPTION) {
                Some(index) => drop(map.next_value::<Option<T>>()?.map(|value| values.insert(index, value))),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(ByIndex(values))
    }
}

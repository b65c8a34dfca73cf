//! Reads the loose scalars of PVE's JSON: numbers as strings, booleans as 0 and 1, empty strings for false.
//!
//! Perl decides per value whether a scalar is printed as a number or as a string, so one field arrives as `105`, `"105"`
//! or `105.0`. Rules: a boolean is 1, 0, `"1"`, `"0"`, `""`, true, false or null, inside property strings also
//! on/off/yes/no; an integer is a number, a numeric string or an integral float; a number is any of those. Nothing
//! wraps around and nothing is rounded.
//!
//! Source: pve-common `PVE/JSONSchema.pm` and the recordings; seen in `GET /cluster/nextid`, `pressure*`, `loadavg`.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// A type that can be read from any of the scalars that PVE prints for it.
pub trait LooseScalar: Sized {
    /// What the field holds, for the error message.
    const EXPECTING: &'static str;

    /// Reads a boolean.
    fn from_bool(value: bool) -> Option<Self>;
    /// Reads a non-negative integer.
    fn from_u64(value: u64) -> Option<Self>;
    /// Reads a negative integer.
    fn from_i64(value: i64) -> Option<Self>;
    /// Reads a float.
    fn from_f64(value: f64) -> Option<Self>;
    /// Reads a string.
    fn from_text(value: &str) -> Option<Self>;
    /// What null means, if it means anything but "absent".
    fn from_null() -> Option<Self> {
        None
    }
}

/// Reads a scalar that must be there, for `#[serde(deserialize_with = "scalar::required")]`.
pub fn required<'de, D: Deserializer<'de>, T: LooseScalar>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(Required(PhantomData))
}

/// Reads a scalar that may be null or an empty string, for
/// `#[serde(default, deserialize_with = "scalar::optional")]`.
pub fn optional<'de, D: Deserializer<'de>, T: LooseScalar>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(Optional(PhantomData))
}

/// Reads an array of scalars, for `#[serde(deserialize_with = "scalar::list")]`.
pub fn list<'de, D: Deserializer<'de>, T: LooseScalar>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let items = Vec::<Loose<T>>::deserialize(deserializer)?;
    Ok(items.into_iter().map(|item| item.0).collect())
}

/// A scalar that must be there, where no field attribute can stand.
pub(crate) struct Loose<T>(pub(crate) T);

impl<'de, T: LooseScalar> Deserialize<'de> for Loose<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        required(deserializer).map(Self)
    }
}

struct Required<T>(PhantomData<T>);

impl<T: LooseScalar> Visitor<'_> for Required<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTING)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<T, E> {
        T::from_bool(value).ok_or_else(|| E::invalid_type(Unexpected::Bool(value), &self))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        T::from_u64(value).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        let read = u64::try_from(value).map_or_else(|_| T::from_i64(value), T::from_u64);
        read.ok_or_else(|| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<T, E> {
        T::from_f64(value).ok_or_else(|| E::invalid_value(Unexpected::Float(value), &self))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<T, E> {
        T::from_text(value).ok_or_else(|| E::invalid_value(Unexpected::Str(value), &self))
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        T::from_null().ok_or_else(|| E::invalid_type(Unexpected::Unit, &self))
    }

    fn visit_none<E: Error>(self) -> Result<T, E> {
        self.visit_unit()
    }
}

struct Optional<T>(PhantomData<T>);

impl<T: LooseScalar> Visitor<'_> for Optional<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} or null", T::EXPECTING)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Option<T>, E> {
        Required(PhantomData).visit_bool(value).map(Some)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Option<T>, E> {
        Required(PhantomData).visit_u64(value).map(Some)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Option<T>, E> {
        Required(PhantomData).visit_i64(value).map(Some)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Option<T>, E> {
        Required(PhantomData).visit_f64(value).map(Some)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Option<T>, E> {
        match T::from_text(value) {
            None if value.is_empty() => Ok(None),
            read => read.map(Some).ok_or_else(|| E::invalid_value(Unexpected::Str(value), &self)),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
        Ok(T::from_null())
    }

    fn visit_none<E: Error>(self) -> Result<Option<T>, E> {
        self.visit_unit()
    }
}

impl LooseScalar for bool {
    const EXPECTING: &'static str = "a boolean (1, 0, true, false or an empty string)";

    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }

    fn from_u64(value: u64) -> Option<Self> {
        match value {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn from_i64(_: i64) -> Option<Self> {
        None
    }

    fn from_f64(value: f64) -> Option<Self> {
        u64::from_f64(value).and_then(Self::from_u64)
    }

    fn from_text(value: &str) -> Option<Self> {
        const TRUE: [&str; 4] = ["1", "on", "yes", "true"];
        const FALSE: [&str; 5] = ["0", "", "off", "no", "false"];
        let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(value));
        if is(&TRUE) { Some(true) } else { is(&FALSE).then_some(false) }
    }

    fn from_null() -> Option<Self> {
        Some(false)
    }
}

/// Implements [`LooseScalar`] for integers: every width reads the same texts and refuses what does not fit.
macro_rules! integer {
    ($($integer:ty: $expecting:literal),*) => {$(
        impl LooseScalar for $integer {
            const EXPECTING: &'static str = $expecting;

            fn from_bool(_: bool) -> Option<Self> {
                None
            }

            fn from_u64(value: u64) -> Option<Self> {
                Self::try_from(value).ok()
            }

            fn from_i64(value: i64) -> Option<Self> {
                Self::try_from(value).ok()
            }

            fn from_f64(value: f64) -> Option<Self> {
                integral(value).and_then(|value| Self::try_from(value).ok())
            }

            fn from_text(value: &str) -> Option<Self> {
                let value = value.trim();
                value.parse().ok().or_else(|| value.parse().ok().and_then(Self::from_f64))
            }
        }
    )*};
}

integer!(
    u8: "a whole number from 0 to 255",
    u16: "a whole number from 0 to 65535",
    u32: "a whole number from 0 to 4294967295",
    u64: "a whole number, 0 or more",
    i64: "a whole number"
);

/// The integer that a float stands for, if it stands for one exactly. PVE prints integers above 1e15 as floats.
fn integral(value: f64) -> Option<i128> {
    // 2^64 and beyond is no size, no time and no count of PVE's.
    const BOUND: f64 = 18_446_744_073_709_551_616.0;
    if value.is_finite() && value.abs() < BOUND && value % 1.0 == 0.0 {
        // Formatting is exact for an integral float and needs no numeric cast.
        alloc::format!("{value:.0}").parse().ok()
    } else {
        None
    }
}

impl LooseScalar for f64 {
    const EXPECTING: &'static str = "a number";

    fn from_bool(_: bool) -> Option<Self> {
        None
    }

    fn from_u64(value: u64) -> Option<Self> {
        u32::try_from(value).map(Self::from).ok().or_else(|| value.to_string().parse().ok())
    }

    fn from_i64(value: i64) -> Option<Self> {
        i32::try_from(value).map(Self::from).ok().or_else(|| value.to_string().parse().ok())
    }

    fn from_f64(value: f64) -> Option<Self> {
        Some(value)
    }

    fn from_text(value: &str) -> Option<Self> {
        value.trim().parse().ok().filter(|number: &Self| number.is_finite())
    }
}

impl LooseScalar for String {
    const EXPECTING: &'static str = "a string";

    fn from_bool(value: bool) -> Option<Self> {
        Some(if value { "1" } else { "0" }.to_owned())
    }

    fn from_u64(value: u64) -> Option<Self> {
        Some(value.to_string())
    }

    fn from_i64(value: i64) -> Option<Self> {
        Some(value.to_string())
    }

    fn from_f64(value: f64) -> Option<Self> {
        Some(value.to_string())
    }

    fn from_text(value: &str) -> Option<Self> {
        Some(value.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[serde(bound = "T: LooseScalar")]
    struct Must<T: LooseScalar>(#[serde(deserialize_with = "required")] T);

    #[derive(Deserialize)]
    #[serde(bound = "T: LooseScalar")]
    struct May<T: LooseScalar>(#[serde(deserialize_with = "optional")] Option<T>);

    fn must<T: LooseScalar>(json: &str) -> Option<T> {
        serde_json::from_str::<Must<T>>(json).ok().map(|read| read.0)
    }

    fn may<T: LooseScalar>(json: &str) -> Option<T> {
        serde_json::from_str::<May<T>>(json).unwrap().0
    }

    #[test]
    fn booleans_come_in_many_forms() {
        let truths = ["1", "\"1\"", "true", "\"yes\"", "1.0"].map(must::<bool>);
        let falsehoods = ["0", "\"0\"", "false", "\"\"", "null", "\"off\""].map(must::<bool>);
        let nonsense = ["2", "\"maybe\"", "-1", "[]"].map(must::<bool>);
        assert_eq!((truths, falsehoods, nonsense), ([Some(true); 5], [Some(false); 6], [None; 4]));
    }

    #[test]
    fn integers_neither_wrap_nor_round() {
        let read =
            ["105", "\"105\"", "105.0", "\"1.05e2\"", "-1", "1.5", "\"x\"", "18446744073709551616", "true"]
                .map(must::<u64>);
        assert_eq!(read, [Some(105), Some(105), Some(105), Some(105), None, None, None, None, None]);
    }

    #[test]
    fn large_sizes_printed_with_an_exponent_stay_exact() {
        assert_eq!(must::<u64>("1e+16"), Some(10_000_000_000_000_000));
    }

    #[test]
    fn negative_integers_are_read_where_they_may_occur() {
        assert_eq!([must::<i64>("-38"), must::<i64>("\"-38\""), must::<i64>("-38.0")], [Some(-38); 3]);
    }

    #[test]
    fn numbers_may_be_strings_and_never_infinite() {
        assert_eq!(
            ["0", "\"0.00\"", "-0.5", "\"inf\"", "\"nan\""].map(must::<f64>),
            [Some(0.0), Some(0.0), Some(-0.5), None, None]
        );
    }

    #[test]
    fn absent_numbers_are_null_or_empty() {
        assert_eq!(["null", "\"\"", "7"].map(may::<u64>), [None, None, Some(7)]);
    }

    #[test]
    fn an_empty_string_is_a_string() {
        assert_eq!([may::<String>("\"\""), may::<String>("null")], [Some(String::new()), None]);
    }

    proptest! {
        #[test]
        fn every_integer_survives_as_number_and_as_string(value: u64) {
            prop_assert_eq!(must::<u64>(&value.to_string()), Some(value));
            prop_assert_eq!(must::<u64>(&alloc::format!("\"{value}\"")), Some(value));
        }

        #[test]
        fn no_scalar_panics(json in "[-+0-9.eE\"a-z]{0,12}") {
            let _ = (must::<bool>(&json), must::<u64>(&json), must::<i64>(&json), must::<f64>(&json));
        }
    }
}

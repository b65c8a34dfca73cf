//! Texts of which the server may grow more: the known ones are variants, any other is kept as it came.

use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// Defines an enum over known texts, with an arm for all others. It reads whatever scalar arrives and writes it back.
macro_rules! open_text {
    ($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        $vis enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// A text that this version does not know, as it came.
            Other(alloc::string::String),
        }

        impl $name {
            /// The text as PVE writes it.
            $vis fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    _ => Self::Other(text.into()),
                }
            }
        }

        impl core::str::FromStr for $name {
            type Err = core::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(text.into())
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::text::parsed(deserializer)
            }
        }
    };
}

pub(crate) use open_text;

/// Reads what is written as a text. The text itself is not copied.
pub(crate) fn parsed<'de, T: FromStr<Err: fmt::Display>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    deserializer.deserialize_str(Parsed(PhantomData))
}

struct Parsed<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Parsed<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    open_text!(
        /// A traffic light.
        enum Light {
            /// Go.
            Green = "green",
            /// Nobody knows.
            OffDuty = "off-duty",
        }
    );

    #[test]
    fn known_texts_are_variants_and_unknown_ones_survive() {
        let read = ["\"green\"", "\"off-duty\"", "\"amber\"", "0"]
            .map(|json| crate::lenient::from_text::<Light>(json).unwrap());
        assert_eq!(
            read,
            [Light::Green, Light::OffDuty, Light::Other("amber".into()), Light::Other("0".into())]
        );
        assert_eq!(read.map(|light| light.to_string()), ["green", "off-duty", "amber", "0"]);
    }

    #[test]
    fn a_text_is_a_scalar() {
        let refused = ["null", "[]", "{}"].map(|json| crate::lenient::from_text::<Light>(json).is_err());
        assert_eq!(refused, [true; 3]);
    }
}

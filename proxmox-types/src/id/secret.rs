//! Text that must not be printed, logged or serialised.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A secret: `Debug` prints stars, there is no `Display` and no `Serialize`, and the memory is overwritten on drop.
///
/// An error that occurs while reading one never quotes the value, whatever its JSON type is.
///
/// ```
/// # use proxmox_types::Secret;
/// let secret = Secret::new("b9c1");
/// assert!(!format!("{secret:?}").contains("b9c1"));
/// assert_eq!(secret.expose(), "b9c1");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Box<str>>);

impl Secret {
    /// Wraps a secret text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret text. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not `deserialize_string`: serde_json would quote a number in its own error before the visitor is asked.
        deserializer.deserialize_any(Quiet)
    }
}

/// Reads a string and keeps every other scalar out of the error text.
struct Quiet;

impl Quiet {
    fn refuse<E: Error>() -> Result<Secret, E> {
        Err(E::custom("invalid type: a secret must be a string"))
    }
}

impl Visitor<'_> for Quiet {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret::new(text))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Secret, E> {
        Ok(Secret::new(text))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Secret, E> {
        Self::refuse()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Secret, E> {
        Self::refuse()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Secret, E> {
        Self::refuse()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Secret, E> {
        Self::refuse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_print_stars() {
        assert_eq!(alloc::format!("{:?}", Secret::new("hunter2")), "****");
    }

    #[test]
    fn an_error_never_quotes_the_value() {
        for json in ["12345678", "-12345678", "12345678.5", "true", "[\"12345678\"]", "{\"12345678\":1}"] {
            let error = alloc::format!("{}", serde_json::from_str::<Secret>(json).unwrap_err());
            assert!(!error.contains("12345678"), "{error}");
        }
    }
}

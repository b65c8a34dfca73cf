//! Requests as values: comparable, printable, without headers and so without credentials.

mod form;

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use proxmox_types::Secret;

pub(crate) use self::form::parameters;

/// Everything that RFC 3986 does not call unreserved. PVE ends a value at `;` and at a second `=`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Longest piece of a value that is printed.
const PRINTED: usize = 120;

/// Percent-encodes text for a path segment, a query or a form body.
pub fn encode(text: &str) -> impl fmt::Display + '_ {
    utf8_percent_encode(text, RESERVED)
}

/// Percent-encodes what is written to it, without a text in between.
pub(crate) struct Encoded<'a>(pub(crate) &'a mut String);

impl fmt::Write for Encoded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(utf8_percent_encode(text, RESERVED));
        Ok(())
    }
}

/// The methods that PVE has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Reads. Parameters go into the query.
    Get,
    /// Starts something. Parameters go into a form body.
    Post,
    /// Changes something. Parameters go into a form body.
    Put,
    /// Removes something. Parameters go into the query: PVE refuses a body with 501.
    Delete,
}

impl Method {
    pub(crate) const GET: Self = Self::Get;
    pub(crate) const POST: Self = Self::Post;
    pub(crate) const PUT: Self = Self::Put;
    pub(crate) const DELETE: Self = Self::Delete;

    /// The method's name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    /// Whether parameters travel in a form body instead of the query.
    pub const fn has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put)
    }

    /// Whether the request changes nothing, so that a repeat is safe.
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Get)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterValue {
    /// Sent and printed.
    Plain(String),
    /// Sent, never printed: the password of a container.
    Secret(Secret),
}

/// A parameter of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// PVE's name for it.
    pub name: Cow<'static, str>,
    /// Its value.
    pub value: ParameterValue,
}

impl Parameter {
    /// A parameter that may be printed.
    pub fn plain(name: impl Into<Cow<'static, str>>, value: impl fmt::Display) -> Self {
        Self { name: name.into(), value: ParameterValue::Plain(value.to_string()) }
    }

    /// A parameter that is never printed.
    pub fn secret(name: impl Into<Cow<'static, str>>, value: Secret) -> Self {
        Self { name: name.into(), value: ParameterValue::Secret(value) }
    }

    /// The text that is sent. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        match &self.value {
            ParameterValue::Plain(text) => text,
            ParameterValue::Secret(secret) => secret.expose(),
        }
    }
}

/// One request, as the caller means it. It has no headers, so it can always be logged and compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path below `/api2/json`, its segments percent-encoded.
    pub path: String,
    /// The parameters, in no particular order.
    pub parameters: Vec<Parameter>,
    /// How long the answer may take, connecting included, from when it is the request's turn.
    pub time_limit: Duration,
}

impl Request {
    /// The parameters as `name=value&...`, percent-encoded, for a query or a form body. Holds secrets.
    pub fn encoded_parameters(&self) -> String {
        let lengths = self.parameters.iter().map(|pair| pair.name.len() + pair.expose().len() + 2);
        let mut encoded = String::with_capacity(lengths.sum());
        for parameter in &self.parameters {
            if !encoded.is_empty() {
                encoded.push('&');
            }
            encoded.extend(utf8_percent_encode(&parameter.name, RESERVED));
            encoded.push('=');
            encoded.extend(utf8_percent_encode(parameter.expose(), RESERVED));
        }
        encoded
    }

    /// Method and path, which is how errors name the request.
    pub fn line(&self) -> String {
        alloc::format!("{} {}", self.method, self.path)
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        self.parameters.iter().try_for_each(|parameter| match &parameter.value {
            ParameterValue::Secret(secret) => write!(f, " {}={secret:?}", parameter.name),
            ParameterValue::Plain(text) => {
                let shown = text.char_indices().nth(PRINTED).and_then(|(end, _)| text.get(..end));
                let (shown, dots) = shown.map_or((text.as_str(), ""), |head| (head, "..."));
                write!(f, " {}={}{dots}", parameter.name, shown.escape_debug())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(parameters: Vec<Parameter>) -> Request {
        Request {
            method: Method::Post,
            path: "/nodes/pve1/lxc".into(),
            parameters,
            time_limit: Duration::from_secs(5),
        }
    }

    #[test]
    fn a_request_prints_as_one_line_without_secrets() {
        let request = request(alloc::vec![
            Parameter::plain("description", "one\ntwo"),
            Parameter::secret("password", Secret::new("hunter2")),
            Parameter::plain("notes", "ä".repeat(121)),
        ]);
        let expected = alloc::format!(
            "POST /nodes/pve1/lxc description=one\\ntwo password=**** notes={}...",
            "ä".repeat(120)
        );
        assert_eq!(request.to_string(), expected);
        assert!(!alloc::format!("{request:?}").contains("hunter2"));
    }

    #[test]
    fn everything_that_pve_would_split_is_encoded() {
        let request = request(alloc::vec![
            Parameter::plain("net0", "name=eth0,ip=dhcp"),
            Parameter::plain("tags", "a;b")
        ]);
        assert_eq!(request.encoded_parameters(), "net0=name%3Deth0%2Cip%3Ddhcp&tags=a%3Bb");
    }

    proptest! {
        #[test]
        fn encoding_leaves_only_unreserved_bytes(text: String) {
            let encoded = encode(&text).to_string();
            prop_assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
            let decoded = percent_encoding::percent_decode_str(&encoded).decode_utf8().unwrap().into_owned();
            prop_assert_eq!(decoded, text);
        }
    }
}

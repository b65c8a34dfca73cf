//! Opens the envelope `{"data": ..., "total": n}` of an answer.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use snafu::IntoError;

use crate::endpoint::Endpoint;
use crate::error::{DecodeSnafu, Error, rejection};
use crate::{Client, Request, Response};

/// Reads the body of an answer with status 200.
pub(crate) type Decoder<T> = fn(&[u8], Option<&mut dyn FnMut(&str)>) -> Result<T, Malformed>;

/// A body that is not what the endpoint returns.
pub(crate) struct Malformed {
    path: String,
    source: serde_json::Error,
}

/// Rows, and how many there are in all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The rows that were asked for.
    pub rows: Vec<T>,
    /// Number of all rows that match; PVE leaves it out if it is 0.
    pub total: u64,
}

/// The call was done when it was answered; there is no task to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done;

impl<'de> Deserialize<'de> for Done {
    /// Accepts null, and whatever else a call that returns nothing may answer one day.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
struct Envelope<T> {
    #[serde(deserialize_with = "present")]
    data: T,
    #[serde(default)]
    total: u64,
}

/// Makes serde insist on `data`, which it would let an `Option` go without.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::deserialize(deserializer)
}

/// Reads `data`.
pub(crate) fn data<T: DeserializeOwned>(
    body: &[u8],
    drift: Option<&mut dyn FnMut(&str)>,
) -> Result<T, Malformed> {
    envelope(body, drift).map(|envelope| envelope.data)
}

/// Reads rows with their total.
pub(crate) fn page<T: DeserializeOwned>(
    body: &[u8],
    drift: Option<&mut dyn FnMut(&str)>,
) -> Result<Page<T>, Malformed> {
    envelope::<Vec<T>>(body, drift).map(|envelope| Page { rows: envelope.data, total: envelope.total })
}

fn envelope<T: DeserializeOwned>(
    body: &[u8],
    drift: Option<&mut dyn FnMut(&str)>,
) -> Result<Envelope<T>, Malformed> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let read = match drift {
        Some(report) => serde_ignored::deserialize(&mut deserializer, |path| report(&path.to_string())),
        None => Envelope::deserialize(&mut deserializer),
    };
    read.and_then(|envelope| deserializer.end().map(|()| envelope))
        .map_err(|source| locate::<T>(body, source))
}

/// Reads again, this time keeping track of where it is. Only a malformed answer pays for it.
fn locate<T: DeserializeOwned>(body: &[u8], source: serde_json::Error) -> Malformed {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, Envelope<T>>(&mut deserializer) {
        Ok(_) => Malformed { path: ".".into(), source },
        Err(error) => Malformed { path: error.path().to_string(), source: error.into_inner() },
    }
}

/// The value of an answer, or the error that its status stands for.
pub(crate) fn answer<T>(
    client: &Client,
    endpoint: &'static Endpoint,
    request: &Request,
    response: &Response,
    decoder: Decoder<T>,
) -> Result<T, Error> {
    if response.status != 200 {
        return Err(rejection(endpoint, request, response));
    }
    let body = response.body.as_bytes();
    let read = match client.observer() {
        Some(observer) => decoder(body, Some(&mut |path| observer.unknown_field(endpoint, path))),
        None => decoder(body, None),
    };
    read.map_err(|malformed| {
        DecodeSnafu { request: request.line(), path: malformed.path }.into_error(malformed.source)
    })
}

#[cfg(test)]
mod tests {
    use proxmox_types::{Upid, Vmid};

    use super::*;

    fn fault<T: DeserializeOwned>(body: &str) -> String {
        data::<T>(body.as_bytes(), None)
            .err()
            .map(|m| alloc::format!("{} {}", m.path, m.source))
            .unwrap_or_default()
    }

    #[test]
    fn a_malformed_answer_says_where() {
        assert_eq!(
            fault::<Vec<Vmid>>(r#"{"data":[101,"x"]}"#),
            "data[1] invalid value: string \"x\", expected a whole number from 0 to 4294967295 at line 1 column 16"
        );
    }

    #[test]
    fn data_must_be_there() {
        let faults =
            ["", "{}", "[]", "<html>", "{\"data\":1}x", "\u{feff}{\"data\":1}"].map(fault::<Option<Vmid>>);
        assert!(faults.iter().all(|fault| !fault.is_empty()), "{faults:?}");
    }

    #[test]
    fn rows_come_with_their_total() {
        let page =
            page::<Vmid>(br#"{"total":7,"data":[100]}"#, None).ok().map(|page| (page.rows.len(), page.total));
        assert_eq!(page, Some((1, 7)));
    }

    #[test]
    fn unknown_fields_are_reported_with_their_path() {
        #[derive(Deserialize)]
        struct Row {
            #[expect(dead_code, reason = "only the unknown field matters here")]
            upid: Upid,
        }
        let body =
            br#"{"data":[{"upid":"UPID:pve1:0000091C:0004ED09:6B052CDB:vzdump::root@pam:","new":{"a":1}}]}"#;
        let mut paths = Vec::new();
        let read = data::<Vec<Row>>(body, Some(&mut |path| paths.push(path.to_string())));
        assert_eq!((read.ok().map(|rows| rows.len()), paths.join(" ")), (Some(1), "data.0.new".into()));
    }
}

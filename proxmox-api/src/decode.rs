//! Opens the envelope `{"data": ..., "total": n}` of an answer.

use alloc::string::{String, ToString};

use proxmox_types::lenient::{self, Fault, Note};
use proxmox_types::{LONGEST_SNIPPET, Rows, Unread, clean, quoted};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

use crate::endpoint::Endpoint;
use crate::error::{DecodeSnafu, Error, rejection};
use crate::{Client, Request, Response};

/// Reads the body of an answer with status 200, and tells what of it was not taken over.
pub(crate) type Decoder<T> = fn(&[u8], &mut dyn FnMut(Note)) -> Result<T, Fault>;

/// Rows, and how many there are in all.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The rows that were asked for.
    pub rows: Rows<T>,
    /// Number of all rows that match; PVE leaves it out if it is 0.
    pub total: u64,
}

/// The call was done when it was answered; there is no task to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Done;

impl<'de> Deserialize<'de> for Done {
    /// Accepts null, and whatever else a call that returns nothing may answer one day.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<IgnoredAny>::deserialize(deserializer).map(|_| Self)
    }
}

/// Reads `data`.
pub(crate) fn data<T: DeserializeOwned>(body: &[u8], tell: &mut dyn FnMut(Note)) -> Result<T, Fault> {
    open(body, tell).map(|envelope| envelope.data)
}

/// Reads the answer of a call that returns nothing.
pub(crate) fn nothing(body: &[u8], tell: &mut dyn FnMut(Note)) -> Result<(), Fault> {
    data::<Done>(body, tell).map(|Done| ())
}

/// Reads rows with their total.
pub(crate) fn page<T: DeserializeOwned>(body: &[u8], tell: &mut dyn FnMut(Note)) -> Result<Page<T>, Fault> {
    let Envelope { data, total } = open(body, tell)?;
    Ok(Page { rows: data, total: total.unwrap_or_default() })
}

#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>", expecting = "an object with `data`")]
struct Envelope<T> {
    /// Must be there, whatever it is.
    #[serde(deserialize_with = "T::deserialize")]
    data: T,
    total: Option<u64>,
}

/// Reads an answer. The place of what is wrong with the whole of it is a dot.
fn open<T: DeserializeOwned>(body: &[u8], tell: &mut dyn FnMut(Note)) -> Result<Envelope<T>, Fault> {
    lenient::read(body, tell).map_err(|fault| match fault.path.as_str() {
        "" => Fault { path: ".".into(), ..fault },
        _ => fault,
    })
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
    let tell: &mut dyn FnMut(Note) = &mut |note| {
        if let Some(observer) = client.observer() {
            observer.note(endpoint, &note);
        }
    };
    decoder(body, tell).map_err(|Fault { path, source }| {
        let (path, reason) = (clean(&path, LONGEST_SNIPPET), quoted(&source.to_string()));
        tell(Note::Unread { path: path.clone(), reason: reason.clone() });
        DecodeSnafu { request: request.line(), path, reason }.build()
    })
}

/// The error of the first row that could not be read, and that matters.
pub(crate) fn insist<T>(
    request: String,
    rows: &Rows<T>,
    matters: impl Fn(&Unread) -> bool,
) -> Result<(), Error> {
    let Some(row) = rows.unread().iter().find(|row| matters(row)) else { return Ok(()) };
    let path = alloc::format!("data[{}]", row.index());
    DecodeSnafu { request, path, reason: row.to_string() }.fail()
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use proxmox_types::{Upid, Vmid};

    use super::*;

    fn fault<T: DeserializeOwned>(body: &str) -> String {
        data::<T>(body.as_bytes(), &mut |_| ())
            .err()
            .map(|fault| alloc::format!("{} {}", fault.path, fault.source))
            .unwrap_or_default()
    }

    #[test]
    fn a_malformed_answer_says_where() {
        assert_eq!(
            fault::<Vec<Vmid>>(r#"{"data":[101,"x"]}"#),
            "data[1] invalid value: string \"x\", expected a whole number from 0 to 4294967295"
        );
    }

    #[test]
    fn a_call_that_returns_nothing_may_answer_anything_and_all_but_null_is_told() {
        for data in ["null", "\"\"", "1", "{}", "[1]"] {
            let (body, mut notes) = (alloc::format!("{{\"data\":{data}}}"), Vec::new());
            let done = super::data::<Done>(body.as_bytes(), &mut |note| notes.push(note));
            let told = if data == "null" { vec![] } else { vec![Note::Unknown { path: "data".into() }] };
            assert_eq!((done.ok(), notes), (Some(Done), told), "{data}");
        }
    }

    #[test]
    fn data_must_be_there() {
        let faults =
            ["", "{}", "[]", "<html>", "{\"data\":1}x", "\u{feff}{\"data\":1}"].map(fault::<Option<Vmid>>);
        assert!(faults.iter().all(|fault| !fault.is_empty()), "{faults:?}");
    }

    #[test]
    fn rows_come_with_their_total() {
        let page = page::<Vmid>(br#"{"total":7,"data":[100]}"#, &mut |_| ())
            .ok()
            .map(|page| (page.rows.len(), page.total));
        assert_eq!(page, Some((1, 7)));
    }

    #[test]
    fn unknown_fields_are_reported_with_their_path() {
        #[derive(Deserialize)]
        struct TaskRow {
            #[expect(dead_code, reason = "only the unknown field matters here")]
            upid: Upid,
        }
        let body =
            br#"{"data":[{"upid":"UPID:pve1:0000091C:0004ED09:6B052CDB:vzdump::root@pam:","new":{"a":1}}]}"#;
        let mut paths = Vec::new();
        let read = data::<Vec<TaskRow>>(body, &mut |note| paths.push(note));
        assert_eq!(
            (read.ok().map(|rows| rows.len()), paths),
            (Some(1), vec![Note::Unknown { path: "data[0].new".into() }])
        );
    }
}

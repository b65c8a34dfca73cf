//! A connection: the client, what was seen on the wire, and what the server said that nobody knew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use proxmox_api::endpoint::Endpoint;
use proxmox_api::{Client, Observer};
use proxmox_types::lenient::Note;

use crate::tls::Verifier;
use crate::transport::Record;

/// The way to the API.
#[derive(Debug)]
pub struct Connection {
    /// The client.
    pub client: Client,
    /// What was seen on the wire; nothing where there is no wire.
    pub wire: Option<WireFacts>,
    /// What this version did not know.
    pub drift: Arc<Drift>,
}

/// What was seen on the wire.
#[derive(Debug)]
pub struct WireFacts {
    /// Counters and times.
    pub record: Arc<Record>,
    /// The certificate.
    pub verifier: Arc<Verifier>,
}

/// Collects what the types do not know, and what they could not read.
#[derive(Debug, Default)]
pub struct Drift(Mutex<Drifted>);

/// What the types do not know, and what they could not read, each once.
#[derive(Clone, Debug, Default)]
pub struct Drifted {
    /// Fields that no type has.
    pub unknown: BTreeSet<String>,
    /// Values, rows and whole answers that could not be read, with the reason for one of them.
    pub unread: BTreeMap<String, String>,
}

impl Observer for Drift {
    fn note(&self, endpoint: &'static Endpoint, note: &Note) {
        let place = |path: &str| format!("{} {}: {}", endpoint.method, endpoint.path, without_indices(path));
        let mut drifted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match note {
            Note::Unknown { path } => drop(drifted.unknown.insert(place(path))),
            Note::Unread { path, reason } => drop(drifted.unread.insert(place(path), reason.clone())),
            _ => {}
        }
    }
}

/// `data.*.name` for `data[7].name`.
fn without_indices(path: &str) -> String {
    let mut parts = path.split('[');
    let first = parts.next().unwrap_or_default().to_string();
    parts.fold(first, |text, part| match part.split_once(']') {
        Some((index, rest)) if index.bytes().all(|byte| byte.is_ascii_digit()) => text + ".*" + rest,
        _ => text + "[" + part,
    })
}

impl Drift {
    /// What was seen so far.
    pub fn seen(&self) -> Drifted {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

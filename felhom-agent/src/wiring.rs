//! Builds the client and the runner from the configuration: the one place that names the production transport and the
//! production runner.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use proxmox_api::endpoint::Endpoint;
use proxmox_api::{Client, Observer};
use proxmox_privileged::{RunError, Runner, SudoTrouble};
use proxmox_types::lenient::Note;

use crate::config::{Config, PrivilegedMode};
use crate::report::finding::Found;
use crate::runner::ProcessRunner;
use crate::tls::Verifier;
use crate::transport::{HyperTransport, Record};

/// A connection as the configuration says. Opens nothing yet.
pub fn connect(config: &Config) -> Found<Connection> {
    let transport = Arc::new(HyperTransport::new(config)?);
    let wire = WireFacts { record: transport.record(), verifier: transport.verifier() };
    let drift = Arc::new(Drift::default());
    let client = Client::observed(transport, config.token.id().clone(), drift.clone());
    Ok(Connection { client, wire: Some(wire), drift })
}

/// What keeps sudo from becoming root, as far as that shows without starting it.
pub fn sudo_trouble() -> Option<SudoTrouble> {
    ProcessRunner::sudo_trouble()
}

/// What sudo permits to this account, in sudo's words.
pub async fn permitted() -> Result<String, RunError> {
    ProcessRunner::new(PrivilegedMode::Sudo).permitted().await
}

/// What runs root commands, as the configuration says. Starts nothing yet.
pub fn runner(mode: PrivilegedMode) -> Arc<dyn Runner> {
    Arc::new(ProcessRunner::new(mode))
}

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

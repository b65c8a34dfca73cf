//! A connection: the client, what was seen on the wire, and what the server said that nobody knew.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use proxmox_api::endpoint::Endpoint;
use proxmox_api::{Client, Observer};

use crate::tls::Verifier;
use crate::transport::Record;

/// The way to the API.
#[derive(Debug)]
pub struct Connection {
    /// The client.
    pub client: Client,
    /// What was seen on the wire; nothing where there is no wire.
    pub wire: Option<Wire>,
    /// What this version did not know.
    pub drift: Arc<Drift>,
}

/// What was seen on the wire.
#[derive(Debug)]
pub struct Wire {
    /// Counters and times.
    pub record: Arc<Record>,
    /// The certificate.
    pub verifier: Arc<Verifier>,
}

/// Counts the fields that the types do not know.
#[derive(Debug, Default)]
pub struct Drift(Mutex<BTreeSet<String>>);

impl Observer for Drift {
    fn unknown_field(&self, endpoint: &'static Endpoint, path: &str) {
        let is_index = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
        let parts: Vec<&str> = path.split('.').map(|part| if is_index(&part) { "*" } else { part }).collect();
        let line = format!("{} {}: {}", endpoint.method, endpoint.path, parts.join("."));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(line);
    }
}

impl Drift {
    /// The unknown fields so far, each once.
    pub fn fields(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

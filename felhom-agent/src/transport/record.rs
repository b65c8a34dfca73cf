//! What was seen on the wire: counters, and the last connection.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ProtocolVersion;

use crate::tls::Verifier;

/// What was seen while a connection was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectFacts {
    /// The address that accepted; nothing if none did.
    pub address: Option<SocketAddr>,
    /// How long resolving and connecting took.
    pub connect_time: Duration,
    /// The TLS version; nothing if the handshake failed.
    pub tls_version: Option<ProtocolVersion>,
}

/// Counters and facts of one transport.
#[derive(Debug)]
pub struct Record {
    counters: Mutex<WireCounters>,
    connect: Mutex<Option<ConnectFacts>>,
    /// The verifier, which keeps what it saw.
    pub(super) verifier: Arc<Verifier>,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WireCounters {
    /// Requests that were begun.
    pub requests: u64,
    /// TCP connections that were begun.
    pub connections: u64,
    /// TLS handshakes that succeeded.
    pub handshakes: u64,
    /// Answers that carried `Connection: close`.
    pub closed_by_server: u64,
    /// Connections that were opened once more, because no byte of a request could be written on the first one.
    pub retries: u64,
    /// Bytes of bodies that were read.
    pub bytes_in: u64,
}

impl Record {
    pub(super) fn new(verifier: Arc<Verifier>) -> Self {
        Self { counters: Mutex::default(), connect: Mutex::default(), verifier }
    }

    /// The counters now.
    pub fn counters(&self) -> WireCounters {
        *self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was seen while the last connection was opened.
    pub fn connect(&self) -> Option<ConnectFacts> {
        self.connect.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn count(&self, count: impl FnOnce(&mut WireCounters)) {
        count(&mut self.counters.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn keep_connect(&self, facts: ConnectFacts) {
        *self.connect.lock().unwrap_or_else(PoisonError::into_inner) = Some(facts);
    }
}

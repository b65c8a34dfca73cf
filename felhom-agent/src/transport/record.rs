//! What was seen on the wire: counters for the report, and the facts of the last connection.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ProtocolVersion;

use super::lane::WholeAnswer;
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
    requests: AtomicU64,
    connections: AtomicU64,
    handshakes: AtomicU64,
    closes: AtomicU64,
    retries: AtomicU64,
    bytes_in: AtomicU64,
    connect: Mutex<Option<ConnectFacts>>,
    verifier: Arc<Verifier>,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
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
        Self {
            requests: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            handshakes: AtomicU64::new(0),
            closes: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
            connect: Mutex::new(None),
            verifier,
        }
    }

    /// The counters now.
    pub fn counters(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            requests: read(&self.requests),
            connections: read(&self.connections),
            handshakes: read(&self.handshakes),
            closed_by_server: read(&self.closes),
            retries: read(&self.retries),
            bytes_in: read(&self.bytes_in),
        }
    }

    /// What was seen while the last connection was opened.
    pub fn connect(&self) -> Option<ConnectFacts> {
        self.connect.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn verifier(&self) -> Arc<Verifier> {
        self.verifier.clone()
    }

    pub(super) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_handshake(&self) {
        self.handshakes.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_answer(&self, answer: &WholeAnswer) {
        self.closes.fetch_add(u64::from(answer.closes), Ordering::Relaxed);
        self.bytes_in.fetch_add(answer.size, Ordering::Relaxed);
    }

    pub(super) fn keep_connect(&self, facts: ConnectFacts) {
        *self.connect.lock().unwrap_or_else(PoisonError::into_inner) = Some(facts);
    }
}

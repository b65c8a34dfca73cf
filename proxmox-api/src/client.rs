//! The client: one transport, one clock, and the scopes in which calls are made.

use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicI64, Ordering};
use core::time::Duration;

use proxmox_types::{TokenId, Upid};
use snafu::ResultExt;
use tracing::{Instrument, debug, debug_span};

use crate::endpoint::Endpoint;
use crate::error::{Error, TransportSnafu};
use crate::recent::Recent;
use crate::{HttpTransport, Request, Response};

/// A client of one PVE API server. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    transport: Arc<dyn HttpTransport>,
    token: TokenId,
    recent: Recent,
    observer: Option<Arc<dyn Observer>>,
    /// The server's clock in seconds since 1970, less the transport's; `UNSEEN` before the first answer.
    server_offset: AtomicI64,
}

const UNSEEN: i64 = i64::MIN;

/// Is told what the types of this library do not know.
pub trait Observer: Send + Sync {
    /// An answer had a field that its type does not have. The path is as in `data.0.name`.
    fn unknown_field(&self, endpoint: &'static Endpoint, path: &str);
}

impl Client {
    /// A client over the transport, which sends this token with every request.
    ///
    /// The client does not know the token's secret. It needs the id to tell its own tasks from those of others.
    pub fn new(transport: Arc<dyn HttpTransport>, token: TokenId) -> Self {
        Self::build(transport, token, None)
    }

    /// A client that tells the observer of every unknown field. Decoding costs a little more.
    pub fn observed(transport: Arc<dyn HttpTransport>, token: TokenId, observer: Arc<dyn Observer>) -> Self {
        Self::build(transport, token, Some(observer))
    }

    fn build(transport: Arc<dyn HttpTransport>, token: TokenId, observer: Option<Arc<dyn Observer>>) -> Self {
        let server_offset = AtomicI64::new(UNSEEN);
        Self { shared: Arc::new(Shared { transport, token, recent: Recent::new(), observer, server_offset }) }
    }

    /// The id of the token that the transport sends.
    pub fn token(&self) -> &TokenId {
        &self.shared.token
    }

    /// Notes a task that this client started.
    pub(crate) fn remember(&self, upid: &Upid) {
        self.shared.recent.remember(upid);
    }

    /// Whether this client started the task and has its UPID.
    pub(crate) fn knows(&self, upid: &Upid) -> bool {
        self.shared.recent.knows(upid)
    }

    pub(crate) fn observer(&self) -> Option<&dyn Observer> {
        self.shared.observer.as_deref()
    }

    /// The transport's monotonic clock.
    pub(crate) fn now(&self) -> Duration {
        self.shared.transport.now()
    }

    /// Lets time pass.
    pub(crate) async fn pause(&self, duration: Duration) {
        self.shared.transport.pause(duration).await;
    }

    /// The server's clock in seconds since 1970, carried on from its last answer; nothing before the first one.
    pub fn server_time(&self) -> Option<u64> {
        let offset = self.shared.server_offset.load(Ordering::Relaxed);
        let now = i64::try_from(self.now().as_secs()).ok()?;
        (offset != UNSEEN)
            .then(|| now.checked_add(offset).and_then(|time| u64::try_from(time).ok()))
            .flatten()
    }

    /// Sends one request, once.
    pub(crate) async fn exchange(&self, request: &Request) -> Result<Response, Error> {
        let span = debug_span!("call", request = %request);
        let sent = self.now();
        let answer = async {
            let answer = self.shared.transport.send(request.clone()).await;
            let elapsed = self.now().saturating_sub(sent);
            match &answer {
                Ok(response) => debug!(status = response.status, body = ?response.body, ?elapsed, "answered"),
                Err(error) => debug!(%error, ?elapsed, "not answered"),
            }
            answer
        };
        let response =
            answer.instrument(span).await.with_context(|_| TransportSnafu { request: request.line() })?;
        self.set_clock(response.date);
        Ok(response)
    }

    fn set_clock(&self, date: Option<u64>) {
        let now = i64::try_from(self.now().as_secs()).ok();
        let date = date.and_then(|date| i64::try_from(date).ok());
        if let (Some(now), Some(date)) = (now, date) {
            self.shared.server_offset.store(date.saturating_sub(now), Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

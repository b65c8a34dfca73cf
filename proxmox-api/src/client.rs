//! The client: one transport, one clock, and the scopes in which calls are made.

use alloc::sync::Arc;
use core::fmt;
use core::future::poll_fn;
use core::pin::pin;
use core::sync::atomic::{AtomicI64, Ordering};
use core::task::Poll;
use core::time::Duration;

use proxmox_types::lenient::Note;
use proxmox_types::{TokenId, Upid};
use snafu::ResultExt;
use tracing::{Instrument, debug, debug_span};

use crate::endpoint::Endpoint;
use crate::error::{Error, TransportSnafu};
use crate::task::{Boards, KnownTasks, TaskBoard};
use crate::{HttpTransport, Patience, Request, Response, TransportError};

/// A client of one PVE API server. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    patience: Patience,
}

struct Shared {
    transport: Arc<dyn HttpTransport>,
    token: TokenId,
    known_tasks: KnownTasks,
    boards: Boards,
    observer: Option<Arc<dyn Observer>>,
    /// The server's clock in seconds since 1970, less the transport's; `UNSEEN` before the first answer.
    server_offset: AtomicI64,
}

const UNSEEN: i64 = i64::MIN;

/// Is told what the types of this library do not know, or cannot read.
pub trait Observer: Send + Sync {
    /// Something of an answer was not taken over; or nothing at all, if it is the path of the error that the call ends in.
    fn note(&self, endpoint: &'static Endpoint, note: &Note);
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
        let (known_tasks, boards) = (KnownTasks::new(), Boards::default());
        let shared = Shared { transport, token, known_tasks, boards, observer, server_offset };
        Self { shared: Arc::new(shared), patience: Patience::default() }
    }

    /// The same client, which waits for what it runs with this patience.
    ///
    /// ```
    /// # use proxmox_api::*; sim::example(async |client, node, ct| {
    /// let client = client.clone().with_patience(Patience::new(core::time::Duration::from_mins(30)));
    /// assert_ne!(client.patience(), Patience::default());
    /// # Ok(()) });
    /// ```
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// How long [`Call::run`](crate::Call::run) waits; ten minutes if nothing else was said.
    pub const fn patience(&self) -> Patience {
        self.patience
    }

    /// The id of the token that the transport sends.
    pub fn token(&self) -> &TokenId {
        &self.shared.token
    }

    /// Notes a task that this client started.
    pub(crate) fn remember(&self, upid: &Upid) {
        self.shared.known_tasks.remember(upid);
    }

    /// Whether this client started the task and has its UPID.
    pub(crate) fn knows(&self, upid: &Upid) -> bool {
        self.shared.known_tasks.knows(upid)
    }

    /// What is known of the tasks of a node.
    pub(crate) async fn board(&self, node: &str) -> Arc<TaskBoard> {
        self.shared.boards.of(node).await
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

    /// What a future returns, if it does so within that time.
    pub(crate) async fn within<T>(&self, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        let (mut future, mut pause) = (pin!(future), pin!(self.pause(limit)));
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => pause.as_mut().poll(context).map(|()| None),
        })
        .await
    }

    /// The server's clock in seconds since 1970, carried on from its last answer; nothing before the first one.
    ///
    /// ```
    /// # use proxmox_api::*; sim::example(async |client, node, ct| {
    /// client.version().await?;
    /// assert!(client.server_time().is_some());
    /// # Ok(()) });
    /// ```
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
            let answer = answer.map_err(TransportError::cleaned);
            let elapsed = self.now().saturating_sub(sent);
            match &answer {
                Ok(response) => debug!(status = response.status, body = ?response.body, ?elapsed, "answered"),
                Err(error) => debug!(%error, ?elapsed, "not answered"),
            }
            answer
        };
        let response = answer.instrument(span).await.with_context(|error| TransportSnafu {
            request: request.line(),
            may_have_happened: error.may_have_happened(),
        })?;
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

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::string::String;
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};

    use super::*;
    use crate::MockHttpTransport;

    /// A client whose one request is answered so.
    fn answered(request: &'static str, status: u16, reason: &str, body: &str) -> Client {
        let mut transport = MockHttpTransport::new();
        let response =
            Response { status, reason: reason.into(), date: None, body: String::from(body).into() };
        transport.expect_now().return_const(Duration::ZERO);
        transport
            .expect_send()
            .times(1)
            .withf(move |sent| alloc::format!("{sent}") == request)
            .return_once(move |_| Box::pin(async move { Ok(response) }));
        Client::new(Arc::new(transport), "felhom@pve!agent".parse().unwrap())
    }

    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("the transport answers at once"),
        }
    }

    #[test]
    fn a_call_is_sent_once_and_only_when_it_is_awaited() {
        let body = r#"{"data":{"version":"9.2.11","release":"9.2","repoid":"d87b2dd5"}}"#;
        let client = answered("GET /version", 200, "OK", body);
        let _never_sent = client.version();
        assert_eq!(now(async { client.version().await }).unwrap().version, "9.2.11");
    }

    #[test]
    fn predicates_tell_what_a_caller_acts_on() {
        let error = |reason: &str| {
            let client = answered("GET /version", 500, reason, r#"{"data":null}"#);
            now(async { client.version().await }).unwrap_err()
        };
        let locked = error("CT is locked (backup)");
        let missing = error("Configuration file 'nodes/pve1/lxc/999.conf' does not exist");
        assert_eq!([locked.is_locked(), locked.is_not_found()], [true, false], "{locked}");
        assert_eq!([missing.is_locked(), missing.is_not_found()], [false, true], "{missing}");
    }
}

//! The transport over hyper and rustls: at most three connections, each request once, everything bounded.
//!
//! pveproxy has three workers, closes a connection after 5 idle seconds, after 100 requests, after every status of 400
//! and more, and after every answer that pvedaemon formed. So there are three lanes, each one HTTP/1.1 connection that
//! is kept for at most 2 idle seconds, and a request takes the first lane that is free. One that changes something goes
//! before those that read. Who gets no lane within a minute is told so, and was not sent; the time limit of a request
//! begins when it has its lane.
//!
//! Nothing is repeated here but what was provably not written: a connection that breaks before the request is on it is
//! opened once more, whatever the method. A certificate that is refused is refused. After the first 401 nothing is sent any
//! more: PVE takes 3 s for every refusal, and the next one would be no other.
//!
//! The token lives here alone, so here it is cut out of what a server echoes.

mod connect;
mod credentials;
mod lane;
mod queue;
mod record;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use proxmox_api::{BoxFuture, HttpTransport, Request, Response, Stage, TransportError};

use crate::config::Config;
use crate::report::finding::Found;
use crate::tls::{self, Verifier};
use connect::{Connector, Unopened};
use credentials::Credentials;
use lane::{Lane, RequestHead, Unanswered};
use queue::{LaneTurn, Queue};
pub use record::{ConnectFacts, Record, WireCounters};

/// Connections at the same time, and so requests in flight.
const LANES: usize = 3;

/// How long a request waits for a lane: longer than any request may take, so that three that hang do not make the others
/// fail. After that nothing of it was sent.
const QUEUE_LIMIT: Duration = Duration::from_mins(1);

/// How long pveproxy is left alone before a connection is tried again.
const REST: Duration = Duration::from_millis(100);

/// Speaks to one pveproxy.
pub struct HyperTransport {
    head: RequestHead,
    credentials: Credentials,
    connector: Connector,
    queue: Arc<Queue>,
    queue_limit: Duration,
    kept: Mutex<Vec<Lane>>,
    /// The first 401, which answers every later request too.
    refusal: OnceLock<Response>,
    record: Arc<Record>,
    start: Instant,
}

impl HyperTransport {
    /// A transport to the configured pveproxy. Opens nothing yet.
    pub fn new(config: &Config) -> Found<Self> {
        let (client, verifier) = tls::client_config(config)?;
        let record = Arc::new(Record::new(verifier));
        Ok(Self {
            head: RequestHead::new(config)?,
            credentials: Credentials::new(&config.token),
            connector: Connector::new(config, client, record.clone())?,
            queue: Queue::new(LANES),
            queue_limit: QUEUE_LIMIT,
            kept: Mutex::new(Vec::new()),
            refusal: OnceLock::new(),
            record,
            start: Instant::now(),
        })
    }

    /// The same, in which a request waits for a lane for so long; a minute is the default.
    #[must_use]
    pub fn with_queue_limit(self, queue_limit: Duration) -> Self {
        Self { queue_limit, ..self }
    }

    /// What was seen on the wire so far.
    pub fn record(&self) -> Arc<Record> {
        self.record.clone()
    }

    /// The verifier, which keeps what it saw.
    pub fn verifier(&self) -> Arc<Verifier> {
        self.record.verifier.clone()
    }

    async fn exchange(&self, request: &Request) -> Result<Response, TransportError> {
        let message = self.head.message(request)?;
        let _place = self.place(request).await?;
        if let Some(refusal) = self.refusal.get() {
            return Ok(refusal.clone());
        }
        let deadline = Instant::now() + request.time_limit;
        self.record.count(|counters| counters.requests += 1);
        let mut lane = match self.take_kept().await {
            Some(lane) => lane,
            None => self.open(deadline).await?,
        };
        let sent = match lane.send(message, deadline).await {
            Err(Unanswered::Unwritten(message)) => {
                self.record.count(|counters| counters.retries += 1);
                lane = self.open(deadline).await?;
                lane.send(*message, deadline).await
            }
            sent => sent,
        };
        let answer = sent.map_err(Unanswered::into_error)?;
        self.record.count(|counters| {
            counters.closed_by_server += u64::from(answer.closes);
            counters.bytes_in += answer.size;
        });
        if !answer.closes && lane.settle(deadline).await {
            self.kept().push(lane);
        }
        if answer.response.status == 401 {
            return Ok(self.refusal.get_or_init(|| answer.response).clone());
        }
        Ok(answer.response)
    }

    /// Waits for one of the lanes to be free.
    async fn place(&self, request: &Request) -> Result<LaneTurn, TransportError> {
        let place = self.queue.place(request.method.is_read(), self.queue_limit).await;
        place.ok_or_else(|| TransportError::NotSent {
            stage: Stage::Queue,
            reason: format!("all {LANES} were in use for {} s", self.queue_limit.as_secs_f32()),
        })
    }

    /// Opens a connection, and once more if the first one broke.
    async fn open(&self, deadline: Instant) -> Result<Lane, TransportError> {
        match self.connector.connect(deadline).await {
            Err(Unopened::Broken(_)) if Instant::now() + REST < deadline => {
                self.record.count(|counters| counters.retries += 1);
                tokio::time::sleep(REST).await;
                self.connector.connect(deadline).await
            }
            opened => opened,
        }
        .map_err(Unopened::into_error)
    }

    /// A kept connection that is still good.
    async fn take_kept(&self) -> Option<Lane> {
        // A close that arrived while the program did something else shows only once the sockets have been polled.
        tokio::task::yield_now().await;
        let mut kept = self.kept();
        std::iter::from_fn(|| kept.pop()).find(Lane::is_fresh)
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Lane>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpTransport for HyperTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let answer = self.exchange(&request).await;
            let answer = answer.map(|response| self.credentials.cut_from(response));
            answer.map_err(|error| self.credentials.cut_from_error(error))
        })
    }

    fn pause(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HyperTransport")
    }
}

//! Transports without a wire: one that answers from memory, and one over tasks in simulated time.

use std::future::ready;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use felhom_agent::wiring::Drift;
use proxmox_api::{BoxFuture, Client, HttpTransport, Request, Response, TransportError};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::Res;
use crate::bodies::BodyKind;
use crate::server::world::NodeWorld;

/// The token of the agent.
const TOKEN: &str = "felhom@pve!agent";

/// Gives one body, again and again.
struct Canned(Vec<u8>);

impl HttpTransport for Canned {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(ready(Ok(response(self.0.clone()))))
    }

    fn pause(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

fn response(body: Vec<u8>) -> Response {
    Response { status: 200, reason: "OK".into(), date: None, body: body.into() }
}

/// Reads one list through the client.
pub(crate) struct CannedReader {
    list: BodyKind,
    client: Client,
}

impl CannedReader {
    /// With the observer of the agent, which collects what the types do not know, or without one.
    pub(crate) fn new(list: BodyKind, body: &str, is_observed: bool) -> Res<Self> {
        let canned = Arc::new(Canned(body.as_bytes().to_vec()));
        let client = if is_observed {
            Client::observed(canned, TOKEN.parse()?, Arc::new(Drift::default()))
        } else {
            Client::new(canned, TOKEN.parse()?)
        };
        Ok(Self { list, client })
    }

    /// How many rows there were.
    pub(crate) fn read(&self) -> Res<usize> {
        let (node, storage) = ("pve1".parse()?, "local".parse()?);
        let node = self.client.node(&node);
        at_once(async {
            Ok(match self.list {
                BodyKind::Resources => self.client.cluster().resources().await?.len(),
                BodyKind::Content => node.storage(&storage).content().await?.len(),
                BodyKind::Tasks => node.tasks().await?.rows.len(),
            })
        })
    }
}

/// The value of a future that never waits.
fn at_once<T>(future: impl Future<Output = Res<T>>) -> Res<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => Err("a transport without a wire made somebody wait".into()),
    }
}

/// How long a request takes.
const ROUND_TRIP: Duration = Duration::from_millis(10);

/// The seconds since 1970 at which simulated time begins.
const EPOCH: u64 = 1_795_500_000;

/// A node whose time is tokio's, which does not pass by itself while it is paused.
pub(crate) struct Simulated {
    world: Mutex<NodeWorld>,
    lanes: Semaphore,
    start: Instant,
    requests: AtomicU64,
    /// Answers that close their connection: the next request needs a handshake.
    closes: AtomicU64,
}

impl Simulated {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            world: Mutex::new(NodeWorld::new(EPOCH)),
            lanes: Semaphore::new(3),
            start: Instant::now(),
            requests: AtomicU64::new(0),
            closes: AtomicU64::new(0),
        })
    }

    pub(crate) fn client(self: &Arc<Self>) -> Res<Client> {
        Ok(Client::new(self.clone(), TOKEN.parse()?))
    }

    /// Starts a task, and gives its UPID.
    pub(crate) fn start_task(&self, lasts: Duration) -> String {
        self.world.lock().unwrap_or_else(PoisonError::into_inner).tasks.start(self.start.elapsed(), lasts)
    }

    /// Requests, and answers that closed, since this was asked before.
    pub(crate) fn seen(&self) -> (u64, u64) {
        (self.requests.swap(0, Relaxed), self.closes.swap(0, Relaxed))
    }
}

impl HttpTransport for Simulated {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let _lane = self.lanes.acquire().await;
            tokio::time::sleep(ROUND_TRIP / 2).await;
            let parameters = request.encoded_parameters();
            let target = format!("/api2/json{}?{parameters}", request.path);
            let answer = {
                let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
                world.answer(&target, self.start.elapsed())
            };
            self.requests.fetch_add(1, Relaxed);
            self.closes.fetch_add(u64::from(answer.closes), Relaxed);
            tokio::time::sleep(ROUND_TRIP / 2).await;
            let date = Some(EPOCH + self.start.elapsed().as_secs());
            Ok(Response {
                status: answer.status,
                date,
                reason: answer.reason,
                ..response(answer.body.to_vec())
            })
        })
    }

    fn pause(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

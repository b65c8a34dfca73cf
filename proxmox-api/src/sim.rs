//! The simulated node: a transport that answers like a PVE 9.2 server, with virtual time and scripted faults.
//!
//! It answers in the shapes of the recordings, written out by hand: serialising our own types would only prove that we
//! agree with ourselves, and a test compares every answer with a recorded one. It checks privileges, refuses on the
//! call what PVE refuses on the call, and lets the rest fail in the task. It is good enough to test agent modules
//! against, and is never the proof that a shape is right.

extern crate std;

mod access;
mod acl;
mod answer;
mod backup;
mod calendar;
mod cluster;
mod config;
mod container;
mod create;
mod fault;
mod lifecycle;
mod lxc;
mod node;
mod now;
mod power;
mod route;
mod scene;
mod schema;
mod sentence;
mod snapshot;
mod storage;
mod task;
mod volume;
mod worker;
mod world;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use proxmox_types::TokenId;

pub use acl::{Acl, AclEntry, Principal, Token};
pub use answer::Answer;
pub use container::{Container, Snapshot};
use fault::Arrived;
pub use fault::{Effect, Fault, Script};
pub use now::now;
pub use storage::{Storage, Volume};
pub use world::{Received, World};

use crate::endpoint::Endpoint;
use crate::{BoxFuture, Client, HttpTransport, Request, Response, TransportError};

/// A simulated node, as one token sees it. Cheap to clone; clones share the node.
#[derive(Clone, Debug)]
pub struct Sim {
    world: Arc<Mutex<World>>,
    token: TokenId,
    clock: Clock,
}

/// Where the node's time comes from.
#[derive(Clone, Copy, Debug)]
enum Clock {
    /// Time passes only when somebody waits or asks.
    Virtual,
    /// Real time, since this moment.
    Real(Instant),
}

/// How long a request takes in virtual time.
const ROUND_TRIP: Duration = Duration::from_millis(10);

impl Sim {
    /// A node with a few containers, storages and backups, in virtual time, as the agent's own token with the least
    /// privileges sees it.
    pub fn new() -> Self {
        Self { world: Arc::new(Mutex::new(scene::node())), token: scene::agent(), clock: Clock::Virtual }
    }

    /// The same node in real time, for serving it over a socket.
    #[must_use]
    pub fn in_real_time(self, epoch: u64) -> Self {
        self.world().epoch = epoch;
        Self { clock: Clock::Real(Instant::now()), ..self }
    }

    /// The same node as another token sees it.
    #[must_use]
    pub fn as_token(&self, token: TokenId) -> Self {
        Self { token, ..self.clone() }
    }

    /// A client of this node.
    pub fn client(&self) -> Client {
        Client::new(Arc::new(self.clone()), self.token.clone())
    }

    /// The state of the node, to look at and to change.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        let mut world = self.world();
        let now = world.now.saturating_add(duration);
        world.settle(now);
    }

    /// Scripts a fault.
    pub fn inject(&self, fault: Fault) {
        self.world().faults.push(fault);
    }

    /// How often the node received a call of an endpoint.
    pub fn count(&self, endpoint: &Endpoint) -> usize {
        self.world().received.iter().filter(|received| received.operation == endpoint.operation).count()
    }

    /// Answers one HTTP request: method, path with its query, form body, and the token's id if it was accepted.
    pub fn serve(&self, method: &str, target: &str, body: &str, principal: Option<&Principal>) -> Answer {
        self.catch_up();
        route::serve(&mut self.world(), method, target, body, principal)
    }

    /// The principal of an `Authorization` header; nothing if PVE would answer 401.
    pub fn authenticate(&self, header: Option<&str>) -> Option<Principal> {
        self.world().acl.authenticate(header)
    }

    fn catch_up(&self) {
        if let Clock::Real(start) = self.clock {
            self.world().settle(start.elapsed());
        }
    }

    fn exchange(&self, request: &Request) -> Result<Response, TransportError> {
        match self.clock {
            Clock::Virtual => self.advance(ROUND_TRIP),
            Clock::Real(_) => self.catch_up(),
        }
        let (target, body) = if request.method.has_body() {
            (request.path.clone(), request.encoded_parameters())
        } else if request.parameters.is_empty() {
            (request.path.clone(), String::new())
        } else {
            (alloc::format!("{}?{}", request.path, request.encoded_parameters()), String::new())
        };
        let target = alloc::format!("/api2/json{target}");
        let mut world = self.world();
        let principal = Principal::token(&self.token.to_string());
        let call = Arrived { number: world.sent, method: request.method, target, body, principal };
        world.sent += 1;
        let effect = world.fault_of(request, &call);
        let answer = fault::before(effect.as_ref(), &mut world, &call, request.time_limit)?;
        let answer = answer.unwrap_or_else(|| world.act(&call));
        let answer = fault::after(effect.as_ref(), answer, request.time_limit)?;
        Ok(answer.into_response(world.time()))
    }
}

impl Default for Sim {
    fn default() -> Self {
        Self::new()
    }
}

impl HttpTransport for Sim {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let answer = self.exchange(&request);
        Box::pin(core::future::ready(answer))
    }

    fn pause(&self, duration: Duration) -> BoxFuture<'_, ()> {
        self.advance(duration);
        Box::pin(core::future::ready(()))
    }

    fn now(&self) -> Duration {
        match self.clock {
            Clock::Virtual => self.world().now,
            Clock::Real(start) => start.elapsed(),
        }
    }
}

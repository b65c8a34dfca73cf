//! The simulated node: a transport that answers like a PVE 9.2 server, with virtual time and scripted faults.
//!
//! It answers in the shapes of the recordings, written out by hand: serialising our own types would only prove that we
//! agree with ourselves, and a test compares every answer with a recorded one. It checks privileges, refuses on the
//! call what PVE refuses on the call, and lets the rest fail in the task. It is good enough to test agent modules
//! against, and is never the proof that a shape is right.
#![expect(clippy::indexing_slicing, reason = "JSON has null where an index finds nothing")]

extern crate std;

mod access;
mod answer;
mod ask;
mod container;
mod handlers;
mod route;
mod schema;
mod world;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use proxmox_types::TokenId;

pub use access::{Acl, AclLine, Principal, TokenState};
use answer::Arrived;
pub use answer::{Effect, HttpAnswer, Injection};
pub use container::{Container, SavedSnapshot, StorageState, VolumeState};
pub use schema::refusal;
pub use world::{Received, Script, World};

pub use crate::call::made::{Built, Given, Made, now};
use crate::endpoint::Endpoint;
use crate::{BoxFuture, Client, HttpTransport, Lxc, Node, Request, Response, TransportError, grant};

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
        Self { world: Arc::new(Mutex::new(first_world())), token: agent_token(), clock: Clock::Virtual }
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
    pub fn inject(&self, fault: Injection) {
        self.world().faults.push(fault);
    }

    /// How often the node received a call of an endpoint.
    pub fn count(&self, endpoint: &Endpoint) -> usize {
        self.world().received.iter().filter(|received| received.operation == endpoint.operation).count()
    }

    /// Answers one HTTP request: method, path with its query, form body, and the token's id if it was accepted.
    pub fn serve(&self, method: &str, target: &str, body: &str, principal: Option<&Principal>) -> HttpAnswer {
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
            (format!("{}?{}", request.path, request.encoded_parameters()), String::new())
        };
        let target = format!("/api2/json{target}");
        let mut world = self.world();
        let principal = Principal::token(&self.token.to_string());
        let call = Arrived { number: world.sent, method: request.method, target, body, principal };
        world.sent += 1;
        let answer = world.meet(request, &call)?;
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

/// Runs an example of the documentation on a simulated node of its own: with a client that may do everything, its node,
/// and a container that can be snapshotted and does not run.
///
/// # Panics
///
/// If the example fails, or waits for something else than virtual time.
#[expect(clippy::expect_used, reason = "an example that fails is a test that fails")]
pub fn example(
    body: impl AsyncFnOnce(&Client, Node<'_>, Lxc<'_>) -> Result<(), Box<dyn core::error::Error>>,
) {
    let client = Sim::new().as_token("root@pam!full".parse().expect("a token")).client();
    let (node, vmid) = ("pve1".parse().expect("a node"), "300".parse().expect("a VMID"));
    let node = client.node(&node);
    now(body(&client, node, node.lxc(vmid))).expect("the example runs");
}

/// The agent's own token, with the least privileges.
const AGENT: &str = "felhom@pve!agent";

/// The id of the agent's own token.
#[expect(clippy::expect_used, reason = "it parses a constant, as every test of the simulated node does")]
fn agent_token() -> TokenId {
    AGENT.parse().expect("a token id")
}

/// The date of the recordings.
const EPOCH: u64 = 1_795_500_000;

/// The tokens: the agent's, one of root that is not separated, and one without any right.
const TOKENS: [(&str, &str, bool); 3] = [
    (AGENT, "0c7f2a4e-9b1d-4e6a-8f35-2d6b7c9e1a40", true),
    ("root@pam!full", "7b3e9d52-1c84-4f0a-9a6e-5d2f8b1c7e93", false),
    ("felhom@pve!none", "e41d6c0b-83f2-4a97-b5c8-9f0e3a7d2b16", true),
];

/// What the node holds at first: a golden image, two customers, a container for the self-test.
fn first_world() -> World {
    World {
        epoch: EPOCH,
        containers: containers(),
        storages: storages(),
        pools: BTreeMap::from([("felhom".into(), "containers of felhom-agent".into())]),
        bridges: alloc::vec!["vmbr0".into()],
        acl: acl(),
        ..World::default()
    }
}

/// The roles of the recorded server and of the recipe, as the recipe grants them.
fn acl() -> Acl {
    let mut acl = Acl::default();
    for (role, privileges) in handlers::recorded::roles() {
        let privileges = privileges.split(',').filter(|name| !name.is_empty()).map(ToString::to_string);
        acl.roles.insert(role, privileges.collect());
    }
    for role in grant::ROLES {
        acl.roles.insert(role.name.into(), role.privileges.iter().map(ToString::to_string).collect());
    }
    for (id, secret, privsep) in TOKENS {
        acl.tokens.insert(id.into(), TokenState { secret: secret.into(), privsep });
    }
    let both = ["felhom@pve", AGENT];
    acl.grant("/pool/felhom", &both, "FelhomAgent");
    acl.grant("/storage/local", &both, "FelhomStore");
    acl.grant("/storage/local-btrfs", &both, "FelhomStore");
    acl.grant("/nodes/pve1", &both, "FelhomNode");
    acl.grant("/sdn/zones/localnetwork/vmbr0", &both, "FelhomNet");
    acl
}

fn containers() -> BTreeMap<u32, Container> {
    let on = |storage: &str, vmid: u32| format!("{storage}:{},size=1G", container::disk_name(vmid));
    let net = "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:2C:02:F5,ip=dhcp,type=veth";
    let customer = |name: &str, storage: &str, vmid| {
        Container::new(name, &on(storage, vmid)).with("net0", net).in_pool("felhom")
    };
    BTreeMap::from([
        (100, customer("web1", "local-btrfs", 100).with("tags", "customer").running()),
        (101, customer("db1", "local", 101).with("onboot", 1)),
        (210, customer("golden", "local-btrfs", 210).with("features", "nesting=1,keyctl=1")),
        (300, customer("selftest", "local-btrfs", 300).with("tags", "felhom-selftest")),
    ])
}

fn storages() -> BTreeMap<String, StorageState> {
    let mut local = StorageState::new("dir", &["backup", "iso", "vztmpl", "rootdir", "images", "snippets"]);
    (local.total, local.used) = (270_553_174_016, 25_694_199_808);
    let golden = VolumeState {
        content: "backup",
        format: "tar.zst".into(),
        size: 1_414_031,
        time: EPOCH - 826,
        vmid: Some(210),
        notes: "golden".into(),
        config: containers().remove(&210).map(|golden| golden.options).unwrap_or_default(),
        ..VolumeState::default()
    };
    let disk = |vmid| (container::disk_name(vmid), VolumeState::disk(vmid, 1 << 30, EPOCH - 86_400));
    let mut local = local
        .with("vztmpl/alpine-3.22-mini_3.22.0_amd64.tar.gz", VolumeState::template("vztmpl", EPOCH - 1050))
        .with("backup/vzdump-lxc-210-2026_11_24-05_46_14.tar.zst", golden);
    let mut btrfs = StorageState::new("btrfs", &["images", "rootdir"]);
    local.volumes.extend([disk(101)]);
    btrfs.volumes.extend([100, 210, 300].map(disk));
    BTreeMap::from([("local".into(), local), ("local-btrfs".into(), btrfs)])
}

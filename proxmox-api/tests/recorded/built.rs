//! Makes the calls of all endpoints, of a transport that gives recorded answers, whatever is asked.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proxmox_api::endpoint::Endpoint;
use proxmox_api::scope;
use proxmox_api::sim::{Built, Given, now};
use proxmox_api::{BoxFuture, Client, HttpTransport, Observer, Request, Response, TransportError};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Gives the answers in turn; time stands still.
pub(crate) struct Canned(Mutex<VecDeque<Response>>);

impl HttpTransport for Canned {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let next = self.0.lock().unwrap().pop_front();
        let none = TransportError::Unknown { reason: "no answer was recorded".into() };
        Box::pin(std::future::ready(next.ok_or(none)))
    }

    fn pause(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

/// A client that gets these answers.
pub(crate) fn client(answers: impl IntoIterator<Item = Response>) -> Client {
    let transport = Canned(Mutex::new(answers.into_iter().collect()));
    Client::new(Arc::new(transport), "felhom@pve!agent".parse().unwrap())
}

/// A client that gets one answer and tells the observer what it made of it.
pub(crate) fn observed(answer: Response, observer: Arc<dyn Observer>) -> Client {
    let transport = Canned(Mutex::new([answer].into()));
    Client::observed(Arc::new(transport), "felhom@pve!agent".parse().unwrap(), observer)
}

/// The calls of `calls.json`, by operation.
#[derive(Clone, Default, Deserialize)]
struct Calls {
    /// Calls in which every parameter that the client has is sent, and every choice was taken once.
    #[serde(default)]
    full: Vec<Map<String, Value>>,
}

/// One or more calls of an operation that send everything that it can send.
pub(crate) fn full_calls(operation: &str) -> Vec<Map<String, Value>> {
    let mut calls: BTreeMap<String, Calls> = serde_json::from_str(include_str!("../calls.json")).unwrap();
    assert!(calls.keys().all(|name| scope::all().any(|endpoint| endpoint.operation == name)));
    let full = calls.remove(operation).unwrap_or_default().full;
    if full.is_empty() { vec![Map::new()] } else { full }
}

/// What the variables of the paths stand for.
const PLACE: [(&str, &str); 8] = [
    ("node", "pve1"),
    ("vmid", "101"),
    ("snapname", "before"),
    ("storage", "local"),
    ("volume", "local:backup/vzdump-lxc-101-2026_11_24-05_46_14.tar.zst"),
    ("upid", "UPID:pve1:0000091C:0004ED09:6B052CDB:vzdump:300:felhom@pve!agent:"),
    ("userid", "felhom@pve"),
    ("tokenid", "agent"),
];

/// A call with these parameters.
pub(crate) fn given(endpoint: &Endpoint, parameters: Map<String, Value>) -> Given {
    let in_path = |name: &&str| endpoint.path_variables().any(|variable| variable == *name);
    let place = PLACE.into_iter().filter(|(name, _)| in_path(name));
    let place = place.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Given::new(place, parameters)
}

/// Makes a call. Some endpoints have a method of their own for one of their parameters.
pub(crate) fn build(client: &Client, endpoint: &Endpoint, given: Given) -> Built {
    now(make(client, endpoint, given))
}

async fn make(client: &Client, endpoint: &Endpoint, mut given: Given) -> Built {
    let has = |given: &Given, name| given.parameters.contains_key(name);
    match endpoint.operation {
        "cluster.next_id" if has(&given, "vmid") => {
            client.cluster().check_id(given.take("vmid")?).made(&mut given).await
        }
        "pool.list" if has(&given, "poolid") => {
            let pool = given.take("poolid")?;
            client.pool(&pool).made(&mut given).await
        }
        "node.network" if given.parameters.get("type").is_some_and(|kind| kind == "any_bridge") => {
            given.parameters.clear();
            let node = given.take("node")?;
            client.node(&node).bridges().made(&mut given).await
        }
        "lxc.config" if given.parameters.get("current").is_some_and(|is| is == 1 || is == "1") => {
            given.parameters.remove("current");
            let node = given.take("node")?;
            client.node(&node).lxc(given.take("vmid")?).current_config().made(&mut given).await
        }
        "lxc.config" if has(&given, "snapshot") => {
            let (node, snapshot) = (given.take("node")?, given.take("snapshot")?);
            client.node(&node).lxc(given.take("vmid")?).config_in(&snapshot).made(&mut given).await
        }
        "access.token" => {
            let id = format!("{}!{}", given.place["userid"], given.place["tokenid"]);
            given.place.insert("token".into(), id);
            scope::make(client, endpoint.operation, &mut given).await
        }
        operation => scope::make(client, operation, &mut given).await,
    }
}

//! Calls whose answer is lost: sent once, whatever they change, and the caller learns what became of them.

use core::time::Duration;
use std::collections::BTreeMap;

use proxmox_api::endpoint::{Endpoint, Trace};
use proxmox_api::scope;
use proxmox_api::sim::{Effect, Given, HttpAnswer, Injection, Sim, now};
use proxmox_api::{Client, Error, Lxc, Node, Patience, Started};
use proxmox_types::{NodeName, StorageId, Upid};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// Parameters.
#[expect(clippy::needless_pass_by_value, reason = "what `json!` makes is handed in as it is")]
pub(crate) fn p<T: DeserializeOwned>(value: Value) -> T {
    proxmox_types::lenient::from_value(&value).unwrap()
}

fn on<T>(client: &Client, then: impl FnOnce(Node<'_>) -> T) -> T {
    let node: NodeName = p(json!("pve1"));
    then(client.node(&node))
}

pub(crate) fn lxc<T>(client: &Client, vmid: u32, then: impl FnOnce(Lxc<'_>) -> T) -> T {
    on(client, |node| then(node.lxc(p(json!(vmid)))))
}

fn local<T>(client: &Client, then: impl FnOnce(proxmox_api::Storage<'_>) -> T) -> T {
    let storage: StorageId = p(json!("local"));
    on(client, |node| then(node.storage(&storage)))
}

const GOLDEN: &str = "local:backup/vzdump-lxc-210-2026_11_24-05_46_14.tar.zst";

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Done,
    NotDone,
    Unknown,
}

pub(crate) fn fate(settled: &Settled) -> Fate {
    match settled {
        Ok(_) => Fate::Done,
        Err(error) if error.may_have_happened() => Fate::Unknown,
        Err(_) => Fate::NotDone,
    }
}

pub(crate) type Settled = Result<Started, Error>;

/// The calls of `calls.json`: what of each the node of the scene can do.
#[derive(Default, Deserialize)]
struct Calls {
    /// Variables of the path that differ from those of the scene, and parameters.
    #[serde(default)]
    done: Map<String, Value>,
}

/// Every endpoint that changes something.
pub(crate) fn changes() -> impl Iterator<Item = &'static Endpoint> {
    scope::all().filter(|endpoint| !endpoint.method.is_read())
}

/// Whether the trace of a call can be told from that of others.
pub(crate) fn has_trace(endpoint: &Endpoint) -> bool {
    !matches!(endpoint.trace, Trace::Nowhere)
}

/// What a variable of a path stands for in the scene, on which container 300 has a snapshot `s1`.
fn variable(client: &Client, name: &str) -> String {
    match name {
        "node" => "pve1".into(),
        "vmid" => "101".into(),
        "snapname" => "s1".into(),
        "storage" => "local".into(),
        "volume" => GOLDEN.into(),
        "upid" => running(client).to_string(),
        "token" => "felhom@pve!agent".into(),
        "userid" => "felhom@pve".into(),
        "tokenid" => "agent".into(),
        other => panic!("the scene has no {other}"),
    }
}

/// A call that the node of the scene can do.
pub(crate) fn given(client: &Client, endpoint: &Endpoint) -> Given {
    let mut calls: BTreeMap<String, Calls> = serde_json::from_str(include_str!("../calls.json")).unwrap();
    let mut parameters = calls.remove(endpoint.operation).unwrap_or_default().done;
    let place = endpoint.path_variables().map(|name| {
        let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (name.to_owned(), parameters.remove(name).map_or_else(|| variable(client, name), text))
    });
    Given::new(place.collect(), parameters)
}

/// Makes the changing call of an endpoint, and settles it.
pub(crate) fn settle(client: &Client, endpoint: &Endpoint) -> Settled {
    let mut given = given(client, endpoint);
    given.is_settled = true;
    let made = now(scope::make(client, endpoint.operation, &mut given)).unwrap();
    made.answer.map(|_| made.started.expect("a settled call starts something, or is done"))
}

/// The task of a backup that runs.
fn running(client: &Client) -> Upid {
    let started =
        on(client, |node| now(node.vzdump(&p(json!({"vmid": "101", "storage": "local"}))))).unwrap();
    started.upid().unwrap().clone()
}

pub(crate) fn scene() -> (Sim, Client) {
    let sim = Sim::new().as_token("root@pam!full".parse().unwrap());
    sim.world().other_nodes.push("pve2".into());
    let client = sim.client();
    let upid = lxc(&client, 300, |lxc| now(lxc.snapshot(&p(json!("s1"))).create())).unwrap();
    now(client.wait(upid, Patience::default())).unwrap();
    (sim, client)
}

/// Makes a call that meets the effect; how often the node was sent it, and what became of it.
pub(crate) fn meet(endpoint: &'static Endpoint, effect: Effect) -> (usize, Settled) {
    let (sim, client) = scene();
    let before = sim.count(endpoint);
    sim.inject(Injection::once(endpoint, effect));
    let outcome = settle(&client, endpoint);
    (sim.count(endpoint) - before, outcome)
}

/// What is known of a call: its worker's task or what it set, if that can be told from others.
fn traced(endpoint: &Endpoint) -> Fate {
    if has_trace(endpoint) { Fate::Done } else { Fate::Unknown }
}

/// What is known of a call without a trace: that of a worker is missed.
fn missed(endpoint: &Endpoint) -> Fate {
    if endpoint.trace.worker().is_some() { Fate::NotDone } else { Fate::Unknown }
}

/// A claim, what a call meets, how often the node gets it, and what the caller learns.
type Meeting = (&'static str, Effect, usize, fn(&Endpoint) -> Fate);

fn meetings() -> [Meeting; 6] {
    let timeout = HttpAnswer::bare(596, "Connection timed out");
    [
        ("a call that is answered is done", Effect::Slow(Duration::ZERO), 1, |_| Fate::Done),
        ("a call whose answer is lost was sent once and is found", Effect::LostAnswer, 1, traced),
        ("so is one on whose answer pveproxy gave up", Effect::Gateway(596), 1, traced),
        ("a call that never arrived is not done or not known to be", Effect::LostRequest, 0, missed),
        ("a call that was not sent is not done", Effect::Refused, 0, |_| Fate::NotDone),
        ("a server that was slow may still be at work", Effect::Instead(timeout), 0, |_| Fate::Unknown),
    ]
}

#[test]
fn every_change_is_sent_once_and_the_caller_learns_what_became_of_it() {
    for (claim, effect, times, expected) in meetings() {
        for endpoint in changes() {
            let (sim, client) = scene();
            let (before, start) = (sim.count(endpoint), sim.world().time());
            sim.inject(Injection::once(endpoint, effect.clone()));
            let outcome = settle(&client, endpoint);
            let at = format!("{claim}: {}: {outcome:?}", endpoint.operation);
            assert_eq!(fate(&outcome), expected(endpoint), "{at}");
            assert_eq!(sim.count(endpoint) - before, times, "{at}");
            // pvedaemon may take that long before it starts a worker.
            let looked = sim.world().time() - start;
            let is_lost = matches!(effect, Effect::LostRequest) && fate(&outcome) == Fate::NotDone;
            assert!(!is_lost || looked >= 34, "{at}: {looked} s");
            if let Ok(started) = &outcome {
                let kinds = endpoint.trace.worker().map(|worker| worker.kinds);
                let kind = started.upid().map(Upid::worker_type);
                assert!(kind.is_none_or(|kind| kinds.is_some_and(|kinds| kinds.contains(&kind))), "{at}");
                assert_eq!(kind.is_some(), kinds.is_some(), "{at}");
            }
        }
    }
}

#[test]
fn a_call_that_was_refused_is_not_done() {
    let (_, client) = scene();
    let stopped = lxc(&client, 101, |lxc| now(lxc.stop().settle()));
    assert!(fate(&stopped) == Fate::NotDone, "{stopped:?}");
}

#[test]
fn a_task_of_before_or_of_somebody_else_is_not_taken_for_the_lost_one() {
    let (sim, client) = scene();
    // Our own one a moment ago, whose UPID we have.
    let start = |client: &Client| lxc(client, 101, |lxc| now(lxc.start()).unwrap());
    let mine = start(&client);
    sim.world().kill_task(mine.as_str());
    // Somebody else's at the same time.
    let other = sim.as_token("felhom@pve!agent".parse().unwrap()).client();
    let theirs = start(&other);
    sim.world().kill_task(theirs.as_str());
    sim.inject(Injection::once(&scope::power::START, Effect::LostRequest));
    let outcome = lxc(&client, 101, |lxc| now(lxc.start().settle()));
    assert!(fate(&outcome) == Fate::NotDone, "{outcome:?}");
}

#[test]
fn two_that_may_be_it_are_not_guessed_between() {
    let (sim, client) = scene();
    let again = sim.client();
    for _ in 0..2 {
        let upid = lxc(&again, 101, |lxc| now(lxc.start()).unwrap());
        sim.world().kill_task(upid.as_str());
    }
    sim.inject(Injection::once(&scope::power::START, Effect::LostRequest));
    let outcome = lxc(&client, 101, |lxc| now(lxc.start().settle()));
    assert!(fate(&outcome) == Fate::Unknown, "{outcome:?}");
}

#[test]
fn an_unchanged_digest_proves_that_nothing_happened() {
    let (sim, client) = scene();
    let digest = lxc(&client, 101, |lxc| now(lxc.config()).unwrap().digest.unwrap());
    sim.inject(Injection::once(&scope::lxc::SET_CONFIG, Effect::LostRequest));
    let params = json!({"cores": 2, "digest": digest});
    let outcome = lxc(&client, 101, |lxc| now(lxc.set_config(&p(params)).settle()));
    assert!(fate(&outcome) == Fate::NotDone, "{outcome:?}");
}

#[test]
fn a_snapshot_that_is_there_is_a_trace_even_if_tasks_cannot_be_listed() {
    let (sim, client) = scene();
    sim.inject(Injection::once(&scope::snapshot::CREATE, Effect::LostAnswer));
    sim.inject(Injection { endpoint: &scope::task::LIST, effect: Effect::Refused, times: usize::MAX });
    let name = p(json!("s2"));
    let outcome = lxc(&client, 300, |lxc| now(lxc.snapshot(&name).create().settle()));
    assert!(matches!(outcome, Ok(Started::Done)), "{outcome:?}");
}

/// Changes the configuration of container 101 by a request that never arrives.
fn change_lost(params: Value) -> Settled {
    let (sim, client) = scene();
    let net = json!("name=eth0,bridge=vmbr0,hwaddr=BC:24:11:2C:02:F5,tag=7,firewall=1,type=veth");
    sim.world().containers.get_mut(&101).unwrap().options.insert("net0".into(), net);
    let mut params = params;
    if params["digest"] == json!("current") {
        params["digest"] = json!(lxc(&client, 101, |lxc| now(lxc.config()).unwrap().digest.unwrap()));
    }
    sim.inject(Injection::once(&scope::lxc::SET_CONFIG, Effect::LostRequest));
    lxc(&client, 101, |lxc| now(lxc.set_config(&p(params)).settle()))
}

#[test]
fn what_looks_as_if_it_were_in_effect_proves_nothing() {
    let less = "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:2C:02:F5,type=veth";
    assert!(fate(&change_lost(json!({"revert": "cores"}))) == Fate::Unknown);
    assert!(fate(&change_lost(json!({"net0": less}))) == Fate::Unknown);
    assert!(fate(&change_lost(json!({"net0": less, "digest": "current"}))) == Fate::NotDone);
    assert!(fate(&change_lost(json!({"revert": "cores", "digest": "current"}))) == Fate::NotDone);
}

#[test]
fn a_backup_of_whatever_guests_is_found() {
    for chosen in [json!({"all": true}), json!({"exclude": "101,300"}), json!({"vmid": "100,101"})] {
        let (sim, client) = scene();
        sim.inject(Injection::once(&scope::backup::VZDUMP, Effect::LostAnswer));
        let mut params = chosen.clone();
        params["storage"] = json!("local");
        let outcome = on(&client, |node| now(node.vzdump(&p(params)).settle()));
        assert!(matches!(outcome, Ok(Started::Task(_))), "{chosen}: {outcome:?}");
    }
}

#[test]
fn a_server_that_said_that_it_acted_is_believed() {
    let unlisted = json!({ "data": null, "message": "can't lock file '/var/log/pve/tasks/.active.lock' - got timeout\n" });
    let broken = HttpAnswer { body: "{\"data\":\"UPID:pv".into(), ..HttpAnswer::bare(200, "OK") };
    let reason = "can't lock file '/var/log/pve/tasks/.active.lock' - got timeout";
    let listed = HttpAnswer { body: unlisted.to_string(), ..HttpAnswer::bare(500, reason) };
    for answer in [broken, listed] {
        let (_, outcome) = meet(&scope::power::START, Effect::Instead(answer));
        assert!(fate(&outcome) == Fate::Unknown, "{outcome:?}");
    }
}

#[test]
fn a_deletion_by_somebody_else_is_not_taken_for_ours() {
    let (sim, client) = scene();
    let again = sim.client();
    let other = "local:backup/vzdump-lxc-100-2026_11_24-05_46_14.tar.zst";
    let mut world = sim.world();
    let volumes = &mut world.storages.get_mut("local").unwrap().volumes;
    let golden = volumes[GOLDEN.trim_start_matches("local:")].clone();
    volumes.insert(other.trim_start_matches("local:").into(), golden);
    drop(world);
    local(&again, |s| now(s.volume(&p(json!(other))).delete())).unwrap();
    sim.inject(Injection::once(&scope::storage::DELETE_VOLUME, Effect::LostRequest));
    let outcome = local(&client, |s| now(s.volume(&p(json!(GOLDEN))).delete().settle()));
    assert!(fate(&outcome) != Fate::Done, "{outcome:?}");
}

#[test]
fn the_worker_that_pve_does_not_name_is_found_and_can_be_waited_for() {
    let (_, client) = scene();
    let outcome = lxc(&client, 101, |lxc| now(lxc.template().settle()));
    let started = outcome.unwrap();
    assert_eq!(started.upid().map(Upid::worker_type), Some("vztemplate"));
    now(client.wait(started, Patience::default())).unwrap();
}

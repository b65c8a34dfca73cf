//! What the parent can ask on stdin: one command a line, one line of JSON back.
//!
//! `stats` counts what was seen; `received OPERATION` counts one operation; `snapshots VMID` lists names;
//! `snapshot VMID NAME [DESCRIPTION]` adds one that somebody took; `running VMID` starts a container;
//! `changes` counts requests that change something; `config VMID` shows the options; `set VMID OPTION [VALUE]` sets or
//! removes one; `revoke PATH ROLE` takes a role away; `lock VMID [LOCK]`; `slow TYPE MILLISECONDS` makes a kind of
//! worker take longer; `statistics up|down`; `grant PATH WHO ROLE`; `pool NAME` makes one; `bridge NAME` too; `delay OPERATION MILLISECONDS` makes the answers of an operation late; `lose OPERATION` loses its
//! next answer; `odd OPERATION POINTER JSON` puts a value into all its answers; `role ROLE [PRIVILEGES]` redefines or removes a role; `daemon up|down`; `secret TOKEN SECRET` changes a
//! token's secret.

use std::io::BufRead;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proxmox_api::sim::{Container, Sim, Snapshot, World};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::server::Node;

/// Adds containers of customers.
pub(crate) fn populate(sim: &Sim, customers: u32) {
    let mut world = sim.world();
    for vmid in 10_000..10_000 + customers {
        let rootfs = format!("local-btrfs:{vmid}/vm-{vmid}-disk-0.raw,size=1G");
        let container = Container::new(&format!("cust{vmid}"), &rootfs).in_pool("felhom");
        world.containers.insert(vmid, container);
    }
}

/// Answers commands until stdin ends.
pub(crate) async fn listen(node: &Node) {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    while let Some(line) = receiver.recv().await {
        println!("{}", command(node, &line).unwrap_or_else(|| json!({ "error": "not understood" })));
    }
}

/// What a command does, with the words after it.
type Verb = fn(&Node, &mut World, &[&str]) -> Option<Value>;

const VERBS: &[(&str, Verb)] = &[
    ("stats", |node, _, _| {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &node.counters;
        Some(json!({
            "connections": read(&counters.connections), "handshakes": read(&counters.handshakes),
            "requests": read(&counters.requests), "refused": read(&counters.refused),
        }))
    }),
    ("received", |_, world, words| {
        let operation = words.first()?;
        let received = world.received.iter().filter(|received| received.operation == *operation);
        Some(json!(received.count()))
    }),
    ("changes", |_, world, _| {
        Some(json!(world.received.iter().filter(|received| received.method != "GET").count()))
    }),
    ("set", |_, world, words| {
        let (option, value) = (*words.get(1)?, words.get(2));
        let options = &mut container(world, words)?.options;
        match value {
            Some(value) => options.insert(option.into(), (*value).into()),
            None => options.remove(option),
        };
        Some(Value::Null)
    }),
    ("delay", |node, _, words| {
        let late = Duration::from_millis(words.get(1)?.parse().ok()?);
        node.delays.lock().ok()?.insert((*words.first()?).into(), late);
        Some(Value::Null)
    }),
    ("lose", |node, _, words| {
        node.losses.lock().ok()?.insert((*words.first()?).into());
        Some(Value::Null)
    }),
    ("odd", |node, _, words| {
        let odd = serde_json::from_str(&words.get(2..)?.join(" ")).ok()?;
        let place = ((*words.get(1)?).into(), odd);
        node.odds.lock().ok()?.insert((*words.first()?).into(), place);
        Some(Value::Null)
    }),
    ("snapshots", |_, world, words| {
        Some(json!(container(world, words)?.snapshots.keys().collect::<Vec<_>>()))
    }),
    ("snapshot", |_, world, words| {
        let (name, description) = (*words.get(1)?, words.get(2..)?.join(" "));
        let time = world.time();
        let container = container(world, words)?;
        let options = container.options.clone();
        let snapshot = Snapshot { options, description, time, parent: None, state: None };
        container.snapshots.insert(name.into(), snapshot);
        Some(Value::Null)
    }),
    ("running", |_, world, words| {
        container(world, words)?.is_running = true;
        Some(Value::Null)
    }),
    ("config", |_, world, words| Some(json!(container(world, words)?.options))),
    ("lock", |_, world, words| {
        container(world, words)?.set_lock(words.get(1).copied());
        Some(Value::Null)
    }),
    ("revoke", |_, world, words| {
        world.acl.revoke(words.first()?, words.get(1)?);
        Some(Value::Null)
    }),
    ("grant", |_, world, words| {
        world.acl.grant(words.first()?, &[words.get(1)?], words.get(2)?);
        Some(Value::Null)
    }),
    ("pool", |_, world, words| {
        world.pools.insert((*words.first()?).into(), String::new());
        Some(Value::Null)
    }),
    ("bridge", |_, world, words| {
        world.add_bridge(words.first()?);
        Some(Value::Null)
    }),
    ("role", |_, world, words| {
        let (role, privileges) = words.split_first()?;
        world.acl.roles.remove(*role);
        if !privileges.is_empty() {
            world.acl.roles.insert((*role).into(), privileges.iter().map(ToString::to_string).collect());
        }
        Some(Value::Null)
    }),
    ("slow", |_, world, words| {
        let kinds = ["vzsnapshot", "vzrollback", "vzdelsnapshot", "vzdump"];
        let kind = kinds.into_iter().find(|kind| Some(kind) == words.first())?;
        world.durations.insert(kind, Duration::from_millis(words.get(1)?.parse().ok()?));
        Some(Value::Null)
    }),
    ("daemon", |_, world, words| {
        world.is_daemon_down = *words.first()? == "down";
        Some(Value::Null)
    }),
    ("statistics", |_, world, words| {
        world.is_statistics_daemon_down = *words.first()? == "down";
        Some(Value::Null)
    }),
    ("secret", |_, world, words| {
        world.acl.tokens.get_mut(*words.first()?)?.secret = (*words.get(1)?).into();
        Some(Value::Null)
    }),
];

fn container<'w>(world: &'w mut World, words: &[&str]) -> Option<&'w mut Container> {
    world.containers.get_mut(&words.first()?.parse().ok()?)
}

fn command(node: &Node, line: &str) -> Option<Value> {
    let words: Vec<&str> = line.split(' ').collect();
    let (verb, words) = words.split_first()?;
    let (_, run) = VERBS.iter().find(|(name, _)| name == verb)?;
    run(node, &mut node.sim.world(), words)
}

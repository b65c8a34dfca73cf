//! What the parent can ask on stdin: one command a line, one line of JSON back.
//!
//! The commands are the arms of the functions below.

use std::io::BufRead;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proxmox_api::sim::{Container, Received, SavedSnapshot, Sim, World};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::server::Served;

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
pub(crate) async fn listen(node: &Served) {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    while let Some(line) = receiver.recv().await {
        let words: Vec<&str> = line.split(' ').collect();
        let mut world = node.sim.world();
        let answer = asked(node, &world, &words)
            .or_else(|| told(&mut world, &words).or_else(|| distorted(node, &words)).map(|()| Value::Null));
        println!("{}", answer.unwrap_or_else(|| json!({ "error": "not understood" })));
    }
}

/// What is asked about the node and its wire.
fn asked(node: &Served, world: &World, words: &[&str]) -> Option<Value> {
    let count = |counts: &dyn Fn(&Received) -> bool| {
        Some(json!(world.received.iter().filter(|received| counts(received)).count()))
    };
    let container = |vmid: &str| world.containers.get(&vmid.parse().ok()?);
    let counters = &node.counters;
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    match words {
        ["stats"] => Some(json!({
            "connections": read(&counters.connections), "handshakes": read(&counters.handshakes),
            "requests": read(&counters.requests), "refused": read(&counters.refused),
        })),
        ["received", operation] => count(&|received| received.operation == *operation),
        ["changes"] => count(&|received| received.method != "GET"),
        ["snapshots", vmid] => Some(json!(container(vmid)?.snapshots.keys().collect::<Vec<_>>())),
        ["config", vmid] => Some(json!(container(vmid)?.options)),
        _ => None,
    }
}

/// What happens at the node.
fn told(world: &mut World, words: &[&str]) -> Option<()> {
    match words {
        ["daemon", how] => world.is_daemon_down = *how == "down",
        ["statistics", how] => world.is_statistics_daemon_down = *how == "down",
        ["pool", name] => drop(world.pools.insert((*name).into(), String::new())),
        ["bridge", name] => world.bridges.push((*name).into()),
        ["grant", path, who, role] => world.acl.grant(path, &[who], role),
        ["revoke", path, role] => world.acl.revoke(path, role),
        ["role", role] => drop(world.acl.roles.remove(*role)),
        ["role", role, privileges @ ..] => {
            let privileges = privileges.iter().map(ToString::to_string).collect();
            world.acl.roles.insert((*role).into(), privileges);
        }
        ["secret", token, secret] => world.acl.tokens.get_mut(*token)?.secret = (*secret).into(),
        ["slow", kind, millis] => {
            let kinds = ["vzsnapshot", "vzrollback", "vzdelsnapshot", "vzdump"];
            let kind = kinds.into_iter().find(|known| known == kind)?;
            world.durations.insert(kind, Duration::from_millis(millis.parse().ok()?));
        }
        [what, vmid, words @ ..] => {
            let time = world.time();
            changed(world.containers.get_mut(&vmid.parse().ok()?)?, time, what, words)?;
        }
        _ => return None,
    }
    Some(())
}

/// What happens to a container.
fn changed(container: &mut Container, time: u64, what: &str, words: &[&str]) -> Option<()> {
    match (what, words) {
        ("running", []) => container.is_running = true,
        ("lock", words) => container.set_lock(words.first().copied()),
        ("set", [option]) => drop(container.options.remove(*option)),
        ("set", [option, value]) => drop(container.options.insert((*option).into(), (*value).into())),
        ("snapshot", [name, description @ ..]) => {
            let (options, description) = (container.options.clone(), description.join(" "));
            let snapshot = SavedSnapshot { options, description, time, parent: None, state: None };
            container.snapshots.insert((*name).into(), snapshot);
        }
        _ => return None,
    }
    Some(())
}

/// What goes wrong with the answers of an operation: they are late, the next one is lost, or all have an odd value.
fn distorted(node: &Served, words: &[&str]) -> Option<()> {
    match words {
        ["delay", operation, millis] => {
            let late = Duration::from_millis(millis.parse().ok()?);
            node.delays.lock().ok()?.insert((*operation).into(), late);
        }
        ["lose", operation] => drop(node.losses.lock().ok()?.insert((*operation).into())),
        ["odd", operation, pointer, odd @ ..] => {
            let odd = serde_json::from_str(&odd.join(" ")).ok()?;
            node.odds.lock().ok()?.insert((*operation).into(), ((*pointer).into(), odd));
        }
        _ => return None,
    }
    Some(())
}

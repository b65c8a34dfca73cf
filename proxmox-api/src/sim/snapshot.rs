//! Snapshots of simulated containers.
//!
//! Source: pve-guest-common `PVE/AbstractConfig.pm`, pve-container `PVE/API2/LXC/Snapshot.pm`; recordings
//! `snapshot-*`, `st-*`.

use alloc::format;
use alloc::string::ToString;

use serde_json::{Value, json};

use super::answer::{Refusal, Reply, set};
use super::ask::{Ask, Row};
use super::container::Snapshot;
use super::sentence;
use super::world::World;

pub(super) const HANDLERS: &[Row] = &[
    ("snapshot.list", "GET /nodes/{node}/lxc/{vmid}/snapshot", list),
    ("snapshot.create", "POST /nodes/{node}/lxc/{vmid}/snapshot", create),
    ("snapshot.delete", "DELETE /nodes/{node}/lxc/{vmid}/snapshot/{snapname}", delete),
    ("snapshot.rollback", "POST /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback", rollback),
    ("snapshot.config", "GET /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config", |world, ask| {
        let container = world.container(ask.vmid()?)?;
        let snapshot = found(container.snapshots.get(ask.variable("snapname")), ask.variable("snapname"))?;
        let mut config = container.config(&snapshot.options);
        config.remove("digest");
        config.remove("parent");
        config.insert("snaptime".into(), snapshot.time.into());
        config.insert("description".into(), described(&snapshot.description).into());
        Ok(Value::Object(config).into())
    }),
    ("snapshot.set_config", "PUT /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config", |world, ask| {
        let name = ask.variable("snapname");
        let snapshot = found(world.container_mut(ask.vmid()?)?.snapshots.get_mut(name), name)?;
        if let Some(description) = ask.get("description") {
            snapshot.description = description.into();
        }
        Ok(Value::Null.into())
    }),
];

fn found<T>(snapshot: Option<T>, name: &str) -> Result<T, Refusal> {
    snapshot.ok_or_else(|| Refusal::die(sentence::NO_SNAPSHOT.of(&[&name])))
}

/// A description comes back with a newline, if there is one at all.
fn described(description: &str) -> alloc::string::String {
    if description.is_empty() { description.into() } else { format!("{description}\n") }
}

fn list(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let container = world.container(ask.vmid()?)?;
    let mut rows: alloc::vec::Vec<Value> =
        container.snapshots.iter().map(|(name, snapshot)| row(name, snapshot)).collect();
    let mut current = json!({
        "name": "current", "description": "You are here!", "digest": container.digest(),
        "running": u8::from(container.is_running),
    });
    if let Some(parent) = &container.parent {
        set(&mut current, "parent", parent.as_str());
    }
    rows.push(current);
    Ok(Value::Array(rows).into())
}

fn row(name: &str, snapshot: &Snapshot) -> Value {
    let mut row = json!({
        "name": name, "description": described(&snapshot.description), "snaptime": snapshot.time,
    });
    if let Some(parent) = &snapshot.parent {
        set(&mut row, "parent", parent.as_str());
    }
    if let Some(state) = &snapshot.state {
        set(&mut row, "snapstate", state.as_str());
    }
    row
}

fn create(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let vmid = ask.vmid()?;
    let name = ask.get("snapname").unwrap_or_default().to_string();
    if name == "vzdump" {
        return Err(Refusal::die(sentence::RESERVED_NAME.of(&[&name])));
    }
    let description = ask.get("description").unwrap_or_default().to_string();
    let taken = name.clone();
    let begin = move |world: &mut World, _: &mut _| {
        let container = world.unlocked(vmid)?;
        if container.is_template() {
            return Err(Refusal::die(sentence::SNAPS_TEMPLATE));
        }
        if container.snapshots.contains_key(&taken) {
            return Err(Refusal::die(sentence::SNAPSHOT_TAKEN.of(&[&taken])));
        }
        if !world.can_snapshot(container) {
            return Err(Refusal::die(sentence::NO_SNAPSHOTS));
        }
        let time = world.time();
        let container = world.container_mut(vmid)?;
        let mut options = container.options.clone();
        options.remove("lock");
        let parent = container.parent.clone();
        let state = Some("prepare".to_string());
        container.snapshots.insert(taken, Snapshot { options, description, time, parent, state });
        container.set_lock(Some("snapshot"));
        Ok(())
    };
    let upid = world.spawn("vzsnapshot", &vmid, ask.principal, begin, move |world, _| {
        let container = world.container_mut(vmid)?;
        container.set_lock(None);
        if let Some(snapshot) = container.snapshots.get_mut(&name) {
            snapshot.state = None;
        }
        container.parent = Some(name);
        Ok(())
    });
    Ok(Value::from(upid).into())
}

fn delete(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let vmid = ask.vmid()?;
    let name = ask.variable("snapname").to_string();
    world.container(vmid)?;
    let doomed = name.clone();
    let begin = move |world: &mut World, _: &mut _| {
        world.unlocked(vmid)?;
        let container = world.container_mut(vmid)?;
        found(container.snapshots.get_mut(&doomed), &doomed)?.state = Some("delete".into());
        container.set_lock(Some("snapshot-delete"));
        Ok(())
    };
    let upid = world.spawn("vzdelsnapshot", &vmid, ask.principal, begin, move |world, _| {
        let container = world.container_mut(vmid)?;
        container.set_lock(None);
        let parent = container.snapshots.remove(&name).and_then(|snapshot| snapshot.parent);
        if container.parent.as_ref() == Some(&name) {
            container.parent.clone_from(&parent);
        }
        for other in container.snapshots.values_mut().filter(|other| other.parent.as_ref() == Some(&name)) {
            other.parent.clone_from(&parent);
        }
        Ok(())
    });
    Ok(Value::from(upid).into())
}

fn rollback(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let vmid = ask.vmid()?;
    let name = ask.variable("snapname").to_string();
    world.container(vmid)?;
    let wanted = name.clone();
    let begin = move |world: &mut World, _: &mut _| {
        let container = world.unlocked(vmid)?;
        found(container.snapshots.get(&wanted), &wanted)?;
        let container = world.container_mut(vmid)?;
        container.is_running = false;
        container.set_lock(Some("rollback"));
        Ok(())
    };
    let (starts, principal) = (ask.flag("start"), ask.principal.clone());
    let upid = world.spawn("vzrollback", &vmid, ask.principal, begin, move |world, _| {
        let container = world.container_mut(vmid)?;
        let mut options = found(container.snapshots.get(&name), &name)?.options.clone();
        // Everything goes back but the description.
        options.remove("description");
        options.extend(container.options.get("description").map(|text| ("description".into(), text.clone())));
        container.options = options;
        container.pending.clear();
        container.parent = Some(name);
        if starts {
            world.spawn_start(vmid, &principal);
        }
        Ok(())
    });
    Ok(Value::from(upid).into())
}

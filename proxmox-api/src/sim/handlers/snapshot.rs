//! Snapshots of simulated containers.
//!
//! Source: pve-guest-common `PVE/AbstractConfig.pm`, pve-container `PVE/API2/LXC/Snapshot.pm`; recordings
//! `snapshot-*`, `st-*`.

use alloc::format;
use alloc::string::{String, ToString};

use serde_json::{Value, json};

use crate::sim::answer::{Refusal, die_if, said};
use crate::sim::ask::{Ask, Handled, Route};
use crate::sim::container::SavedSnapshot;
use crate::sim::world::World;

pub(super) const HANDLERS: &[Route] = &[
    ("snapshot.list", "GET /nodes/{node}/lxc/{vmid}/snapshot", |world, ask| {
        let container = world.container(ask.vmid())?;
        let current = json!({
            "name": "current", "description": "You are here!", "digest": container.digest(),
            "running": u8::from(container.is_running), "parent": container.parent,
        });
        let rows = container.snapshots.iter().map(|(name, snapshot)| {
            json!({
                "name": name, "description": described(snapshot), "snaptime": snapshot.time,
                "parent": snapshot.parent, "snapstate": snapshot.state,
            })
        });
        Ok(rows.chain([current]).map(without_nulls).collect::<Value>().into())
    }),
    ("snapshot.create", "POST /nodes/{node}/lxc/{vmid}/snapshot", create),
    ("snapshot.delete", "DELETE /nodes/{node}/lxc/{vmid}/snapshot/{snapname}", delete),
    ("snapshot.rollback", "POST /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/rollback", rollback),
    ("snapshot.config", "GET /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config", |world, ask| {
        let container = world.container(ask.vmid())?;
        let snapshot = found(container.snapshots.get(ask.variable("snapname")), ask.variable("snapname"))?;
        let mut config = container.config(&snapshot.options);
        config.remove("digest");
        config.remove("parent");
        config.insert("snaptime".into(), snapshot.time.into());
        config.insert("description".into(), described(snapshot).into());
        Ok(config.into())
    }),
    ("snapshot.set_config", "PUT /nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config", |world, ask| {
        let name = ask.variable("snapname");
        let snapshot = found(world.container_mut(ask.vmid())?.snapshots.get_mut(name), name)?;
        if let Some(description) = ask.get("description") {
            snapshot.description = description.into();
        }
        Ok(Value::Null.into())
    }),
];

/// The snapshot, or what PVE says if there is none.
pub(super) fn found<T>(snapshot: Option<T>, name: &str) -> Result<T, Refusal> {
    snapshot.ok_or_else(|| said!("snapshot '{name}' does not exist").into())
}

/// A description comes back with a newline, if there is one at all.
fn described(snapshot: &SavedSnapshot) -> String {
    let end = if snapshot.description.is_empty() { "" } else { "\n" };
    format!("{}{end}", snapshot.description)
}

fn without_nulls(mut row: Value) -> Value {
    if let Some(fields) = row.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    row
}

fn create(world: &mut World, ask: &Ask<'_>) -> Handled {
    let (vmid, name) = (ask.vmid(), ask.text("snapname").to_string());
    die_if(name == "vzdump", said!("unable to use snapshot name '{name}' (reserved name)"))?;
    let (taken, description) = (name.clone(), ask.text("description").to_string());
    let begin = move |world: &mut World, _: &mut _| {
        let (time, can_snapshot) = (world.time(), world.can_snapshot(vmid));
        let container = world.unlocked(vmid)?;
        die_if(container.is_template(), said!("you can't take a snapshot if it's a template"))?;
        let is_taken = container.snapshots.contains_key(&taken);
        die_if(is_taken, said!("snapshot name '{taken}' already used"))?;
        die_if(!can_snapshot, said!("snapshot feature is not available"))?;
        let (options, parent) = (container.options.clone(), container.parent.clone());
        let state = Some("prepare".to_string());
        container.snapshots.insert(taken, SavedSnapshot { options, description, time, parent, state });
        container.set_lock(Some("snapshot"));
        Ok(())
    };
    let upid = world.spawn("vzsnapshot", vmid, ask.principal, begin, move |world, _| {
        let container = world.container_mut(vmid)?;
        container.set_lock(None);
        if let Some(snapshot) = container.snapshots.get_mut(&name) {
            snapshot.state = None;
        }
        container.parent = Some(name);
        Ok(())
    });
    Ok(upid.into())
}

fn delete(world: &mut World, ask: &Ask<'_>) -> Handled {
    let (vmid, name) = (ask.vmid(), ask.variable("snapname").to_string());
    world.container(vmid)?;
    let doomed = name.clone();
    let begin = move |world: &mut World, _: &mut _| {
        let container = world.unlocked(vmid)?;
        found(container.snapshots.get_mut(&doomed), &doomed)?.state = Some("delete".into());
        container.set_lock(Some("snapshot-delete"));
        Ok(())
    };
    let upid = world.spawn("vzdelsnapshot", vmid, ask.principal, begin, move |world, _| {
        let container = world.container_mut(vmid)?;
        container.set_lock(None);
        let parent = container.snapshots.remove(&name).and_then(|snapshot| snapshot.parent);
        let parents = container.snapshots.values_mut().map(|other| &mut other.parent);
        for other in parents.chain([&mut container.parent]).filter(|other| other.as_ref() == Some(&name)) {
            other.clone_from(&parent);
        }
        Ok(())
    });
    Ok(upid.into())
}

fn rollback(world: &mut World, ask: &Ask<'_>) -> Handled {
    let (vmid, name) = (ask.vmid(), ask.variable("snapname").to_string());
    world.container(vmid)?;
    let wanted = name.clone();
    let begin = move |world: &mut World, _: &mut _| {
        let container = world.unlocked(vmid)?;
        found(container.snapshots.get(&wanted), &wanted)?;
        container.is_running = false;
        container.set_lock(Some("rollback"));
        Ok(())
    };
    let (starts, principal) = (ask.flag("start"), ask.principal.clone());
    let upid = world.spawn("vzrollback", vmid, ask.principal, begin, move |world, _| {
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
    Ok(upid.into())
}

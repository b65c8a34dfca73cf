//! The simulated node of a history: how it begins, and what others do on it.

use std::fs;
use std::path::Path;

use felhom_agent::exercise::journal::Journal;
use felhom_agent::exercise::leftover::{DESCRIPTION, MARKER, TAG};
use proxmox_api::sim::{Container, Principal, SavedSnapshot, Sim, VolumeState, World};
use proxmox_types::{Tags, Upid};
use serde_json::Value;
use std::time::Duration;

use crate::history::{Detail, GUEST};

/// What an older exercise left.
pub(crate) const LEFT: &str = "felhom-st-6b052c47-00000001";

/// The node that a history begins with.
pub(crate) fn node(details: &[Detail]) -> Sim {
    let sim = Sim::new();
    let mut world = sim.world();
    for (vmid, is_running) in [(400, false), (401, true)] {
        add_container(&mut world, vmid, is_running);
    }
    for detail in details {
        apply(&mut world, *detail);
    }
    drop(world);
    sim
}

fn add_container(world: &mut World, vmid: u32, is_running: bool) {
    let name = format!("{vmid}/vm-{vmid}-disk-0.raw");
    let mut container =
        Container::new(&format!("ct{vmid}"), &format!("local-btrfs:{name},size=1G")).in_pool("felhom");
    container.is_running = is_running;
    world.containers.insert(vmid, container);
    let volume =
        VolumeState { content: "rootdir", format: "raw".into(), vmid: Some(vmid), ..VolumeState::default() };
    if let Some(storage) = world.storages.get_mut("local-btrfs") {
        storage.volumes.insert(name, volume);
    }
}

fn apply(world: &mut World, detail: Detail) {
    match detail {
        Detail::Locked(lock) => guest(world).set_lock(Some(lock)),
        Detail::Running => guest(world).is_running = true,
        Detail::Snapshot(vmid, name, description) => snapshot(world, vmid, name, description),
        Detail::Tag(tag) => retag(world, |tags| tags.push(tag.into())),
        Detail::Untagged => retag(world, |tags| tags.retain(|known| known != TAG)),
        Detail::Journal(..) => {}
        Detail::Left => {
            snapshot(world, GUEST, LEFT, DESCRIPTION);
            retag(world, |tags| tags.push(MARKER.into()));
        }
        Detail::Slow(kind, seconds) => {
            world.durations.insert(kind, Duration::from_secs(seconds));
        }
        Detail::Without(privilege) => {
            world.acl.roles.entry("FelhomAgent".into()).or_default().retain(|held| held != privilege);
        }
        Detail::Backup => other_backup(world),
    }
}

fn guest(world: &mut World) -> &mut Container {
    world.containers.entry(GUEST).or_default()
}

fn retag(world: &mut World, change: impl FnOnce(&mut Vec<String>)) {
    let guest = guest(world);
    let mut tags = tags(guest).0;
    change(&mut tags);
    tags.sort();
    tags.dedup();
    guest.options.insert("tags".into(), tags.join(";").into());
}

/// The tags of a container.
pub(crate) fn tags(container: &Container) -> Tags {
    let text = container.options.get("tags").and_then(Value::as_str).unwrap_or_default();
    text.parse().unwrap_or_default()
}

fn snapshot(world: &mut World, vmid: u32, name: &str, description: &str) {
    let time = world.epoch.saturating_sub(86_400);
    let Some(container) = world.containers.get_mut(&vmid) else { return };
    let options = container.options.clone();
    let parent = container.parent.replace(name.into());
    let snapshot = SavedSnapshot { options, description: description.into(), time, parent, state: None };
    container.snapshots.insert(name.into(), snapshot);
}

/// Whose everything on the node may be, the agent's own apart.
pub(crate) fn other() -> Principal {
    Principal::token("root@pam!full")
}

/// Somebody takes a snapshot of the container of the exercise.
pub(crate) fn other_snapshot(world: &mut World) {
    let body = format!("snapname=other{}", world.sent);
    let path = format!("/nodes/pve1/lxc/{GUEST}/snapshot");
    let _answer = world.serve(&other(), "POST", &path, &body);
}

/// Somebody backs the container of the exercise up, which locks it meanwhile.
pub(crate) fn other_backup(world: &mut World) {
    let _answer = world.serve(&other(), "POST", "/nodes/pve1/vzdump", &format!("vmid={GUEST}&storage=local"));
}

/// How long PVE remembers a task, at least: its list is cut off after a thousand of them.
const REMEMBERED: u64 = 120;

/// Kills the workers that run.
pub(crate) fn kill_tasks(world: &mut World) {
    let running = world.tasks().filter(|(_, exit)| exit.is_none());
    let upids: Vec<String> = running.map(|(upid, _)| upid.into()).collect();
    for upid in upids {
        world.kill_task(&upid);
    }
}

/// Forgets the workers of some time ago that have ended.
pub(crate) fn forget_tasks(world: &mut World) {
    let is_old = |upid: &str| {
        upid.parse::<Upid>().is_ok_and(|upid| upid.started().abs_diff(world.time()) > REMEMBERED)
    };
    let ended = world.tasks().filter(|(upid, exit)| exit.is_some() && is_old(upid));
    let upids: Vec<String> = ended.map(|(upid, _)| upid.into()).collect();
    for upid in upids {
        world.forget_task(&upid);
    }
}

/// Lays the journal of the details into a folder, or clears it.
pub(crate) fn lay_journal(details: &[Detail], folder: &Path) -> std::io::Result<()> {
    let path = folder.join("exercise.json");
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    for detail in details {
        if let Detail::Journal(vmid, name) = *detail {
            fs::write(&path, journal(vmid, name).unwrap_or_default())?;
        }
    }
    Ok(())
}

fn journal(vmid: u32, name: &str) -> Option<String> {
    let journal = Journal {
        node: "pve1".parse().ok()?,
        vmid: vmid.try_into().ok()?,
        snapname: name.parse().ok()?,
        time: 1,
    };
    serde_json::to_string(&journal).ok()
}

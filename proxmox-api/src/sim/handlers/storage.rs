//! Storages of the simulated node, and the volumes on them.
//!
//! Source: pve-storage `PVE/API2/Storage/Content.pm`, `PVE/API2/Storage/PruneBackups.pm`.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use crate::sim::answer::{Refusal, die_if, fields, said};
use crate::sim::ask::{Ask, Handled, Route};
use crate::sim::container::{StorageState, VolumeState, bytes};
use crate::sim::world::World;

pub(super) const HANDLERS: &[Route] = &[
    ("storage.definitions", "GET /storage", |world, ask| {
        let seen = world.storages.iter().filter(|(name, _)| is_seen(world, ask, name));
        Ok(seen.map(|(name, storage)| storage.definition(name)).collect::<Value>().into())
    }),
    ("storage.definition", "GET /storage/{storage}", |world, ask| {
        let name = ask.variable("storage");
        let storage = world.storages.get(name).ok_or_else(|| said!("storage '{name}' does not exist"))?;
        Ok(storage.definition(name).into())
    }),
    ("storage.list", "GET /nodes/{node}/storage", list_storages),
    ("storage.status", "GET /nodes/{node}/storage/{storage}/status", |world, ask| {
        let storage = world.storages.get(ask.variable("storage")).ok_or_else(no_such_storage)?;
        Ok(storage.status().into())
    }),
    ("volume.list", "GET /nodes/{node}/storage/{storage}/content", list),
    ("volume.get", "GET /nodes/{node}/storage/{storage}/content/{volume}", get),
    ("volume.set", "PUT /nodes/{node}/storage/{storage}/content/{volume}", change),
    ("volume.delete", "DELETE /nodes/{node}/storage/{storage}/content/{volume}", delete),
    ("volume.allocate", "POST /nodes/{node}/storage/{storage}/content", allocate),
    ("storage.download", "POST /nodes/{node}/storage/{storage}/download-url", download),
    ("storage.prune_dry_run", "GET /nodes/{node}/storage/{storage}/prunebackups", |world, ask| {
        let marked = prune_marks(world, ask)?.into_iter();
        Ok(marked.map(|(_, row)| row).collect::<Value>().into())
    }),
    ("storage.prune", "DELETE /nodes/{node}/storage/{storage}/prunebackups", prune),
];

fn no_such_storage() -> Refusal {
    Refusal::parameter("storage", &said!("No such storage."))
}

fn is_seen(world: &World, ask: &Ask<'_>, name: &str) -> bool {
    world.require_on(ask, name, "Datastore.Audit|Datastore.AllocateSpace").is_ok()
}

/// One that does not exist is refused, one that may not be seen is left out.
fn list_storages(world: &mut World, ask: &Ask<'_>) -> Handled {
    let (named, wanted) = (ask.get("storage"), ask.list("content"));
    if named.is_some_and(|name| !world.storages.contains_key(name)) {
        return Err(no_such_storage());
    }
    let fits = |storage: &StorageState| {
        wanted.is_empty() || wanted.iter().any(|content| storage.content.contains(content))
    };
    let is_named = |name: &str| named.is_none_or(|wanted| wanted == name);
    let seen = world.storages.iter().filter(|(name, _)| is_seen(world, ask, name));
    let rows = seen.filter(|(name, storage)| is_named(name) && fits(storage));
    Ok(rows.map(|(name, storage)| storage_row(name, storage, ask.flag("format"))).collect::<Value>().into())
}

fn storage_row(name: &str, storage: &StorageState, wants_format: bool) -> Map<String, Value> {
    let mut row = storage.status();
    row.insert("storage".into(), name.into());
    if storage.is_active && storage.total > 0 {
        let permille = storage.used.saturating_mul(1_000_000) / storage.total;
        let fraction = u32::try_from(permille).map(f64::from).unwrap_or_default() / 1_000_000.0;
        row.insert("used_fraction".into(), fraction.into());
    }
    if wants_format {
        row.insert("formats".into(), json!({"default": "raw", "supported": ["raw", "subvol"]}));
        row.insert("format".into(), json!([{"raw": 1, "subvol": 1}, "raw"]));
    }
    row
}

/// Whether the token may read a volume: a backup needs space on the storage and VM.Backup on its container.
pub(super) fn check_access(world: &World, ask: &Ask<'_>, volume: &str) -> Result<(), Refusal> {
    let (storage, name) = volume.split_once(':').unwrap_or_default();
    if !name.starts_with("backup/") {
        return world.require_on(ask, storage, "Datastore.AllocateSpace|Datastore.Audit");
    }
    world.require_on(ask, storage, "Datastore.AllocateSpace")?;
    match world.volume(volume).and_then(|volume| volume.vmid) {
        Some(vmid) => world.require(ask.principal, &format!("/vms/{vmid}"), "VM.Backup"),
        None => Ok(()),
    }
}

fn list(world: &mut World, ask: &Ask<'_>) -> Handled {
    let storage = ask.variable("storage");
    let vmid: Option<u32> = ask.number("vmid");
    let volumes = world.storage(storage)?.volumes.iter();
    let rows = volumes
        .filter(|(_, volume)| ask.get("content").is_none_or(|content| content == volume.content))
        .filter(|(_, volume)| vmid.is_none() || volume.vmid == vmid)
        .map(|(name, volume)| (format!("{storage}:{name}"), volume))
        .filter(|(volid, _)| check_access(world, ask, volid).is_ok())
        .map(|(volid, volume)| row(&volid, volume));
    Ok(rows.collect::<Value>().into())
}

fn row(volid: &str, volume: &VolumeState) -> Map<String, Value> {
    let mut row = fields(json!({
        "volid": volid, "content": volume.content, "format": volume.format, "size": volume.size, "ctime": volume.time,
    }));
    row.extend(volume.vmid.map(|vmid| ("vmid".into(), vmid.into())));
    if volume.content == "backup" {
        row.insert("subtype".into(), "lxc".into());
        row.extend(volume.notes.lines().next().map(|first| ("notes".into(), first.into())));
        row.extend(volume.is_protected.then(|| ("protected".into(), 1.into())));
    } else if volume.content == "rootdir" {
        row.extend(fields(json!({ "parent": null, "used": volume.size / 30 })));
    }
    row
}

/// The id of the volume that the path means.
fn named(ask: &Ask<'_>) -> String {
    let volume = ask.variable("volume");
    if volume.contains(':') { volume.into() } else { format!("{}:{volume}", ask.variable("storage")) }
}

fn get(world: &mut World, ask: &Ask<'_>) -> Handled {
    let id = named(ask);
    check_access(world, ask, &id)?;
    let volume = world.volume(&id).ok_or_else(|| said!("volume_size_info on '{id}' failed - no format"))?;
    let file = id.rsplit('/').next().unwrap_or_default();
    let mut attributes = json!({
        "path": format!("/var/lib/vz/dump/{file}"), "size": volume.size.div_ceil(512) * 512,
        "used": volume.size.div_ceil(4096) * 4096, "format": "raw",
    });
    if !volume.notes.is_empty() {
        attributes["notes"] = volume.notes.as_str().into();
    }
    if volume.is_protected {
        attributes["protected"] = 1.into();
    }
    Ok(attributes.into())
}

fn change(world: &mut World, ask: &Ask<'_>) -> Handled {
    let id = named(ask);
    check_access(world, ask, &id)?;
    let volume = world.volume_mut(&id).ok_or_else(|| said!("volume '{id}' does not exist"))?;
    die_if(volume.content != "backup", said!("only backups can have notes"))?;
    if let Some(notes) = ask.get("notes") {
        volume.notes = notes.into();
    }
    if ask.get("protected").is_some() {
        volume.is_protected = ask.flag("protected");
    }
    Ok(Value::Null.into())
}

fn delete(world: &mut World, ask: &Ask<'_>) -> Handled {
    let id = named(ask);
    let (storage, name) = id.split_once(':').unwrap_or_default();
    if name.starts_with("backup/") {
        check_access(world, ask, &id)?;
    } else {
        world.require_on(ask, storage, "Datastore.Allocate")?;
    }
    let owner = world.volume(&id).and_then(|volume| volume.vmid);
    let about = owner.map_or_else(|| storage.to_string(), |vmid| format!("{vmid}@{storage}"));
    let (storage, name) = (storage.to_string(), name.to_string());
    let started = world.work(ask, "imgdel", about, move |world, log| {
        let is_protected = world.volume(&id).is_some_and(|volume| volume.is_protected);
        die_if(is_protected, said!("cannot remove protected volume '{name}' on '{storage}'"))?;
        if let Some(storage) = world.storages.get_mut(&storage) {
            storage.volumes.remove(&name);
        }
        log.line(said!("Removed volume '{id}'"));
        Ok(())
    });
    let is_waited_for = ask.get("delay").is_some();
    if is_waited_for {
        let now = world.now.saturating_add(World::TASK);
        world.end_workers(now);
        return Ok(Value::Null.into());
    }
    started
}

fn allocate(world: &mut World, ask: &Ask<'_>) -> Handled {
    let (storage, vmid) = (ask.variable("storage"), ask.number("vmid").unwrap_or_default());
    let name = format!("{vmid}/{}", ask.text("filename"));
    let is_taken = world.storage(storage)?.volumes.contains_key(&name);
    die_if(is_taken, said!("disk image '{name}' already exists"))?;
    let volume = VolumeState::disk(vmid, bytes(ask.text("size")), world.time());
    world.put(storage, &name, volume);
    Ok(format!("{storage}:{name}").into())
}

fn download(world: &mut World, ask: &Ask<'_>) -> Handled {
    let (storage, file) = (ask.variable("storage").to_string(), ask.text("filename").to_string());
    let content = if ask.get("content") == Some("iso") { "iso" } else { "vztmpl" };
    let is_taken_there = world.storage(&storage)?.content.contains(&content);
    die_if(!is_taken_there, said!("storage '{storage}' is not configured for content-type '{content}'"))?;
    let about = crate::encode(&file).to_string();
    world.work(ask, "download", about, move |world, _| {
        let volume = VolumeState::template(content, world.time());
        world.put(&storage, &format!("{content}/{file}"), volume);
        Ok(())
    })
}

/// The backups of a storage, the newest first, by their names, with what the retention means for each.
fn prune_marks(world: &World, ask: &Ask<'_>) -> Result<Vec<(String, Value)>, Refusal> {
    let name = ask.variable("storage");
    let storage = world.storage(name)?;
    die_if(!storage.content.contains(&"backup"), said!("storage '{name}' does not support backups"))?;
    let keep = ask.text("prune-backups").split(',').find_map(|part| part.strip_prefix("keep-last="));
    let keep: usize = keep.and_then(|keep| keep.parse().ok()).unwrap_or(usize::MAX);
    let vmid: Option<u32> = ask.number("vmid");
    let backups = storage.volumes.iter().filter(|(_, volume)| volume.content == "backup");
    let mut backups: Vec<_> = backups.filter(|(_, volume)| vmid.is_none() || volume.vmid == vmid).collect();
    backups.sort_by_key(|(_, volume)| core::cmp::Reverse(volume.time));
    let mut kept: BTreeMap<Option<u32>, usize> = BTreeMap::new();
    let marked = backups.into_iter().map(|(file, volume)| {
        let seen = kept.entry(volume.vmid).or_default();
        *seen += usize::from(!volume.is_protected);
        let mark = match volume.is_protected {
            true => "protected",
            false if *seen <= keep => "keep",
            false => "remove",
        };
        let row = json!({
            "volid": format!("{name}:{file}"), "ctime": volume.time, "mark": mark, "type": "lxc", "vmid": volume.vmid,
        });
        (file.clone(), row)
    });
    Ok(marked.collect())
}

fn prune(world: &mut World, ask: &Ask<'_>) -> Handled {
    let storage = ask.variable("storage").to_string();
    let mut about = storage.clone();
    if let Some(vmid) = ask.get("vmid") {
        about = format!("{vmid}@{storage}");
        world.require_on(ask, &storage, "Datastore.AllocateSpace")?;
        world.require(ask.principal, &format!("/vms/{vmid}"), "VM.Backup")?;
    } else {
        world.require_on(ask, &storage, "Datastore.Allocate")?;
    }
    let marks = prune_marks(world, ask)?.into_iter();
    let doomed: Vec<String> =
        marks.filter(|(_, row)| row["mark"] == "remove").map(|(file, _)| file).collect();
    world.work(ask, "prunebackups", about, move |world, _| {
        if let Some(storage) = world.storages.get_mut(&storage) {
            storage.volumes.retain(|name, _| !doomed.contains(name));
        }
        Ok(())
    })
}

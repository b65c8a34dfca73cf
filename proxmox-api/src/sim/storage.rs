//! Storages of the simulated node, and the volumes on them.
//!
//! Source: pve-storage `PVE/API2/Storage/Content.pm`, `PVE/API2/Storage/PruneBackups.pm`.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use super::answer::{Refusal, Reply, set};
use super::ask::{Ask, Row};
use super::container::{Storage, Volume, bytes};
use super::sentence;
use super::world::World;

pub(super) const HANDLERS: &[Row] = &[
    ("storage.definitions", "GET /storage", |world, ask| {
        let seen = world.storages.iter().filter(|(name, _)| is_seen(world, ask, name));
        let rows = seen.map(|(name, storage)| storage.definition(name));
        Ok(Value::Array(rows.collect()).into())
    }),
    ("storage.definition", "GET /storage/{storage}", |world, ask| {
        let name = ask.variable("storage");
        let storage =
            world.storages.get(name).ok_or_else(|| Refusal::die(sentence::NO_STORAGE.of(&[&name])))?;
        Ok(storage.definition(name).into())
    }),
    ("storage.list", "GET /nodes/{node}/storage", list_storages),
    ("storage.status", "GET /nodes/{node}/storage/{storage}/status", |world, ask| {
        let storage = world
            .storages
            .get(ask.variable("storage"))
            .ok_or_else(|| Refusal::parameter("storage", sentence::NO_SUCH_STORAGE))?;
        Ok(Value::Object(storage.status()).into())
    }),
    ("volume.list", "GET /nodes/{node}/storage/{storage}/content", list),
    ("volume.get", "GET /nodes/{node}/storage/{storage}/content/{volume}", get),
    ("volume.set", "PUT /nodes/{node}/storage/{storage}/content/{volume}", change),
    ("volume.delete", "DELETE /nodes/{node}/storage/{storage}/content/{volume}", delete),
    ("volume.allocate", "POST /nodes/{node}/storage/{storage}/content", allocate),
    ("storage.download", "POST /nodes/{node}/storage/{storage}/download-url", download),
    ("storage.prune_dry_run", "GET /nodes/{node}/storage/{storage}/prunebackups", |world, ask| {
        let marks = prune_marks(world, ask)?;
        let rows = marks.into_iter().map(|(name, volume, mark)| {
            json!({
                "volid": format!("{}:{name}", ask.variable("storage")), "ctime": volume.time, "mark": mark,
                "type": "lxc", "vmid": volume.vmid,
            })
        });
        Ok(Value::Array(rows.collect()).into())
    }),
    ("storage.prune", "DELETE /nodes/{node}/storage/{storage}/prunebackups", prune),
];

fn is_seen(world: &World, ask: &Ask<'_>, name: &str) -> bool {
    world.has(
        ask.principal,
        &format!("/storage/{name}"),
        &["Datastore.Audit", "Datastore.AllocateSpace"],
        true,
    )
}

/// One that does not exist is refused, one that may not be seen is left out.
fn list_storages(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    if ask.get("storage").is_some_and(|name| !world.storages.contains_key(name)) {
        return Err(Refusal::parameter("storage", sentence::NO_SUCH_STORAGE));
    }
    let wanted = ask.list("content");
    let fits = |storage: &Storage| {
        wanted.is_empty() || wanted.iter().any(|content| storage.content.contains(content))
    };
    let is_named = |name: &str| ask.get("storage").is_none_or(|wanted| wanted == name);
    let rows = world
        .storages
        .iter()
        .filter(|(name, storage)| is_named(name) && fits(storage) && is_seen(world, ask, name))
        .map(|(name, storage)| storage_row(name, storage, ask.flag("format")));
    Ok(Value::Array(rows.collect()).into())
}

fn storage_row(name: &str, storage: &Storage, wants_format: bool) -> Value {
    let mut row = storage.status();
    row.insert("storage".into(), name.into());
    if storage.is_enabled && storage.is_active && storage.total > 0 {
        let permille = storage.used.saturating_mul(1_000_000) / storage.total;
        let fraction = u32::try_from(permille).map(f64::from).unwrap_or_default() / 1_000_000.0;
        row.insert("used_fraction".into(), fraction.into());
    }
    if wants_format {
        row.insert("formats".into(), json!({"default": "raw", "supported": ["raw", "subvol"]}));
        row.insert("format".into(), json!([{"raw": 1, "subvol": 1}, "raw"]));
    }
    Value::Object(row)
}

/// Whether the token may read a volume: a backup needs space on the storage and VM.Backup on its container.
pub(super) fn check_access(world: &World, ask: &Ask<'_>, storage: &str, name: &str) -> Result<(), Refusal> {
    let path = format!("/storage/{storage}");
    let volume = world.storages.get(storage).and_then(|storage| storage.volumes.get(name));
    if !name.starts_with("backup/") {
        return world.require(ask.principal, &path, &["Datastore.AllocateSpace", "Datastore.Audit"], true);
    }
    world.require(ask.principal, &path, &["Datastore.AllocateSpace"], false)?;
    match volume.and_then(|volume| volume.vmid) {
        Some(vmid) => world.require(ask.principal, &format!("/vms/{vmid}"), &["VM.Backup"], false),
        None => Ok(()),
    }
}

fn list(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let storage_name = ask.variable("storage");
    let storage = world.storage(storage_name)?;
    let vmid = ask.number("vmid");
    let rows = storage
        .volumes
        .iter()
        .filter(|(_, volume)| ask.get("content").is_none_or(|content| content == volume.content))
        .filter(|(_, volume)| vmid.is_none_or(|vmid| volume.vmid.map(u64::from) == Some(vmid)))
        .filter(|(name, _)| check_access(world, ask, storage_name, name).is_ok())
        .map(|(name, volume)| Value::Object(row(storage_name, name, volume)));
    Ok(Value::Array(rows.collect()).into())
}

fn row(storage: &str, name: &str, volume: &Volume) -> Map<String, Value> {
    let row = json!({
        "volid": format!("{storage}:{name}"), "content": volume.content, "format": volume.format,
        "size": volume.size, "ctime": volume.time,
    });
    let mut row = row.as_object().cloned().unwrap_or_default();
    let mut add = |key: &str, value: Value| row.insert(key.into(), value);
    if let Some(vmid) = volume.vmid {
        add("vmid", vmid.into());
    }
    match volume.content {
        "backup" => {
            add("subtype", "lxc".into());
            if let Some(first) = volume.notes.lines().next() {
                add("notes", first.into());
            }
            if volume.is_protected {
                add("protected", 1.into());
            }
        }
        "rootdir" | "images" => {
            add("parent", Value::Null);
            add("used", (volume.size / 30).into());
        }
        _ => {}
    }
    row
}

/// Storage and name of the volume that the path means.
fn named(ask: &Ask<'_>) -> (String, String) {
    let volume = ask.variable("volume");
    let (storage, name) = volume.split_once(':').unwrap_or_else(|| (ask.variable("storage"), volume));
    (storage.to_string(), name.to_string())
}

fn get(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let (storage, name) = named(ask);
    check_access(world, ask, &storage, &name)?;
    let missing = || Refusal::die(sentence::NO_SIZE.of(&[&format!("{storage}:{name}")]));
    let volume = world.storage(&storage)?.volumes.get(&name).ok_or_else(missing)?;
    let file = name.split_once('/').map_or(name.as_str(), |(_, file)| file);
    let mut attributes = json!({
        "path": format!("/var/lib/vz/dump/{file}"), "size": volume.size.div_ceil(512) * 512,
        "used": volume.size.div_ceil(4096) * 4096, "format": "raw",
    });
    if !volume.notes.is_empty() {
        set(&mut attributes, "notes", volume.notes.as_str());
    }
    if volume.is_protected {
        set(&mut attributes, "protected", 1);
    }
    Ok(attributes.into())
}

fn change(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let (storage, name) = named(ask);
    check_access(world, ask, &storage, &name)?;
    let volume = world.storages.get_mut(&storage).and_then(|storage| storage.volumes.get_mut(&name));
    let volume =
        volume.ok_or_else(|| Refusal::die(sentence::NO_VOLUME.of(&[&format!("{storage}:{name}")])))?;
    if volume.content != "backup" {
        return Err(Refusal::die(sentence::NO_NOTES));
    }
    if let Some(notes) = ask.get("notes") {
        volume.notes = notes.into();
    }
    if ask.get("protected").is_some() {
        volume.is_protected = ask.flag("protected");
    }
    Ok(Value::Null.into())
}

fn delete(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let (storage, name) = named(ask);
    if name.starts_with("backup/") {
        check_access(world, ask, &storage, &name)?;
    } else {
        world.require(ask.principal, &format!("/storage/{storage}"), &["Datastore.Allocate"], false)?;
    }
    let owner = world.storages.get(&storage).and_then(|storage| storage.volumes.get(&name)?.vmid);
    let id = owner.map_or_else(|| storage.clone(), |vmid| format!("{vmid}@{storage}"));
    let upid = world.spawn_job("imgdel", &id, ask.principal, move |world, log| {
        let volumes = world.storages.get_mut(&storage).map(|storage| &mut storage.volumes);
        let Some(volumes) = volumes else { return Ok(()) };
        if volumes.get(&name).is_some_and(|volume| volume.is_protected) {
            return Err(Refusal::die(sentence::PROTECTED_VOLUME.of(&[&name, &storage])));
        }
        volumes.remove(&name);
        log.line(sentence::REMOVED.of(&[&format!("{storage}:{name}")]));
        Ok(())
    });
    let is_waited_for = ask.get("delay").is_some();
    if is_waited_for {
        let now = world.now.saturating_add(World::TASK);
        world.end_workers(now);
        return Ok(Value::Null.into());
    }
    Ok(Value::from(upid).into())
}

fn allocate(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let (storage, vmid) = (ask.variable("storage").to_string(), ask.number("vmid"));
    let vmid = vmid.and_then(|vmid| u32::try_from(vmid).ok()).unwrap_or_default();
    let name = format!("{vmid}/{}", ask.get("filename").unwrap_or_default());
    let size = bytes(ask.get("size").unwrap_or_default());
    if world.storage(&storage)?.volumes.contains_key(&name) {
        return Err(Refusal::die(sentence::VOLUME_TAKEN.of(&[&name])));
    }
    let (time, volid) = (world.time(), format!("{storage}:{name}"));
    let volume = Volume {
        content: "rootdir",
        format: "raw".into(),
        size,
        time,
        vmid: Some(vmid),
        ..Volume::default()
    };
    world.storages.entry(storage).and_modify(|storage| {
        storage.volumes.insert(name, volume);
    });
    Ok(Value::from(volid).into())
}

fn download(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let storage = ask.variable("storage").to_string();
    let file = ask.get("filename").unwrap_or_default().to_string();
    let content = if ask.get("content") == Some("iso") { "iso" } else { "vztmpl" };
    if !world.storage(&storage)?.content.contains(&content) {
        return Err(Refusal::die(sentence::OTHER_CONTENT.of(&[&storage, &content])));
    }
    let id = crate::encode(&file).to_string();
    let upid = world.spawn_job("download", &id, ask.principal, move |world, _| {
        let volume = Volume {
            content,
            format: "tgz".into(),
            size: 1_372_520,
            time: world.time(),
            ..Volume::default()
        };
        if let Some(storage) = world.storages.get_mut(&storage) {
            storage.volumes.insert(format!("{content}/{file}"), volume);
        }
        Ok(())
    });
    Ok(Value::from(upid).into())
}

/// The backups of a storage with what the retention means for each.
fn prune_marks(world: &World, ask: &Ask<'_>) -> Result<Vec<(String, Volume, &'static str)>, Refusal> {
    let name = ask.variable("storage");
    let storage = world.storage(name)?;
    if !storage.content.contains(&"backup") {
        return Err(Refusal::die(sentence::NO_BACKUPS.of(&[&name])));
    }
    let keep = ask
        .get("prune-backups")
        .and_then(|text| text.split(',').find_map(|part| part.strip_prefix("keep-last=")));
    let keep: usize = keep.and_then(|keep| keep.parse().ok()).unwrap_or(usize::MAX);
    let vmid = ask.number("vmid");
    let mut backups: Vec<(String, Volume)> = storage
        .volumes
        .iter()
        .filter(|(_, volume)| volume.content == "backup")
        .filter(|(_, volume)| vmid.is_none_or(|vmid| volume.vmid.map(u64::from) == Some(vmid)))
        .map(|(name, volume)| (name.clone(), volume.clone()))
        .collect();
    backups.sort_by_key(|(_, volume)| core::cmp::Reverse(volume.time));
    let mut kept: BTreeMap<Option<u32>, usize> = BTreeMap::new();
    let marked = backups.into_iter().map(|(name, volume)| {
        let seen = kept.entry(volume.vmid).or_default();
        *seen += usize::from(!volume.is_protected);
        let mark = if volume.is_protected {
            "protected"
        } else if *seen <= keep {
            "keep"
        } else {
            "remove"
        };
        (name, volume, mark)
    });
    Ok(marked.collect())
}

fn prune(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let storage = ask.variable("storage").to_string();
    let path = format!("/storage/{storage}");
    match ask.number("vmid") {
        Some(vmid) => {
            world.require(ask.principal, &path, &["Datastore.AllocateSpace"], false)?;
            world.require(ask.principal, &format!("/vms/{vmid}"), &["VM.Backup"], false)?;
        }
        None => world.require(ask.principal, &path, &["Datastore.Allocate"], false)?,
    }
    let marks = prune_marks(world, ask)?;
    let doomed: Vec<String> =
        marks.into_iter().filter(|(_, _, mark)| *mark == "remove").map(|(name, _, _)| name).collect();
    let id = ask.get("vmid").map_or_else(|| storage.clone(), |vmid| format!("{vmid}@{storage}"));
    let upid = world.spawn_job("prunebackups", &id, ask.principal, move |world, _| {
        if let Some(storage) = world.storages.get_mut(&storage) {
            storage.volumes.retain(|name, _| !doomed.contains(name));
        }
        Ok(())
    });
    Ok(Value::from(upid).into())
}

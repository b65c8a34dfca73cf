//! Starting, stopping, copying, growing, moving and destroying simulated containers.
//!
//! Source: pve-container `PVE/API2/LXC.pm`, `PVE/API2/LXC/Status.pm`; recordings `lxc-start-*`, `lxc-stop-*`,
//! `template-start`, `clone-*`, `resize-*`, `move-volume`, `lxc-delete-*`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::Value;

use super::answer::{Refusal, Reply};
use super::ask::{Ask, Row};
use super::container::{Container, Options, bytes, printed};
use super::create::{disk_name, new_vmid, placeholder};
use super::sentence::{self, Sentence};
use super::world::World;

pub(super) const HANDLERS: &[Row] = &[
    ("lxc.destroy", "DELETE /nodes/{node}/lxc/{vmid}", destroy),
    ("lxc.clone", "POST /nodes/{node}/lxc/{vmid}/clone", clone),
    ("lxc.template", "POST /nodes/{node}/lxc/{vmid}/template", template),
    ("lxc.resize", "PUT /nodes/{node}/lxc/{vmid}/resize", resize),
    ("lxc.move_volume", "POST /nodes/{node}/lxc/{vmid}/move_volume", move_volume),
    ("lxc.migrate", "POST /nodes/{node}/lxc/{vmid}/migrate", migrate),
    ("lxc.start", "POST /nodes/{node}/lxc/{vmid}/status/start", |world, ask| {
        let vmid = ask.vmid()?;
        if world.containers.get(&vmid).is_some_and(|container| container.is_running) {
            return Err(Refusal::die(sentence::RUNNING.of(&[&vmid])));
        }
        Ok(Value::from(world.spawn_start(vmid, ask.principal)).into())
    }),
    ("lxc.stop", "POST /nodes/{node}/lxc/{vmid}/status/stop", |world, ask| halt(world, ask, "vzstop")),
    ("lxc.shutdown", "POST /nodes/{node}/lxc/{vmid}/status/shutdown", |world, ask| {
        halt(world, ask, "vzshutdown")
    }),
    ("lxc.reboot", "POST /nodes/{node}/lxc/{vmid}/status/reboot", reboot),
    ("lxc.suspend", "POST /nodes/{node}/lxc/{vmid}/status/suspend", |world, ask| {
        checkpoint(world, ask, "vzsuspend")
    }),
    ("lxc.resume", "POST /nodes/{node}/lxc/{vmid}/status/resume", |world, ask| {
        let vmid = ask.vmid()?;
        if world.container(vmid)?.is_running {
            return Err(Refusal::die(sentence::RUNNING.of(&[&vmid])));
        }
        let finish = move |world: &mut World, _: &mut _| {
            world.container_mut(vmid)?.is_running = true;
            Ok(())
        };
        Ok(Value::from(world.spawn_job("vzresume", &vmid, ask.principal, finish)).into())
    }),
];

fn migrate(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let vmid = ask.vmid()?;
    world.unlocked(vmid)?;
    let target = ask.get("target").unwrap_or_default();
    if target == world.node {
        return Err(Refusal::parameter("target", sentence::OWN_NODE));
    }
    if !world.other_nodes.iter().any(|node| node == target) {
        return Err(Refusal::die(sentence::NO_NODE.of(&[&target, &target])));
    }
    let upid = world.spawn_job("vzmigrate", &vmid, ask.principal, move |world, _| {
        world.containers.remove(&vmid);
        Ok(())
    });
    Ok(Value::from(upid).into())
}

fn destroy(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let vmid = ask.vmid()?;
    let purges = ask.flag("purge");
    if world.container(vmid)?.is_protected() {
        return Err(Refusal::die(sentence::PROTECTED.of(&[&vmid])));
    }
    if world.unlocked(vmid)?.is_running && !ask.flag("force") {
        return Err(Refusal::die(sentence::DESTROYS_RUNNING.of(&[&vmid])));
    }
    if world.ha_managed.contains(&vmid) && !purges {
        return Err(Refusal::die(sentence::HA_MANAGED.of(&[&vmid])));
    }
    let upid = world.spawn_job("vzdestroy", &vmid, ask.principal, move |world, log| {
        if purges {
            log.line(sentence::PURGING.of(&[&vmid]));
        }
        world.remove_container(vmid);
        Ok(())
    });
    Ok(Value::from(upid).into())
}

fn clone(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let vmid = ask.vmid()?;
    let newid = new_vmid(ask, "newid");
    let source = world.unlocked(vmid)?.clone();
    if world.containers.contains_key(&newid) {
        return Err(world.taken(newid));
    }
    let mut options = cloned_options(&source, ask)?;
    let (_, volume, size) =
        source.volumes().into_iter().find(|(key, ..)| key == "rootfs").unwrap_or_default();
    let storage = ask.get("storage").or_else(|| volume.split_once(':').map(|(storage, _)| storage));
    let storage = storage.unwrap_or_default().to_string();
    options.insert("rootfs".into(), format!("{storage}:{},size={}", disk_name(newid), printed(size)).into());
    let pool = ask.get("pool").map(ToString::to_string);
    world.containers.insert(newid, placeholder(pool.as_deref()));
    world.container_mut(vmid)?.set_lock(Some("disk"));
    let upid = world.spawn_job("vzclone", &vmid, ask.principal, move |world, log| {
        log.line(sentence::CLONING.of(&[&vmid, &newid]));
        world.container_mut(vmid)?.set_lock(None);
        world.add_rootfs(&storage, newid, size);
        world.containers.insert(newid, Container { options, pool, ..Container::default() });
        Ok(())
    });
    Ok(Value::from(upid).into())
}

/// The options of a copy: of the running state only if nothing runs.
fn cloned_options(source: &Container, ask: &Ask<'_>) -> Result<Options, Refusal> {
    let mut options = match ask.get("snapname") {
        Some(name) => match source.snapshots.get(name) {
            Some(snapshot) => snapshot.options.clone(),
            None => return Err(Refusal::die(sentence::NO_SNAPSHOT.of(&[&name]))),
        },
        None if source.is_running => {
            return Err(Refusal::die(sentence::CLONES_RUNNING));
        }
        None => source.options.clone(),
    };
    options.retain(|option, _| option != "template" && option != "lock");
    for option in ["hostname", "description"] {
        options.extend(ask.get(option).map(|text| (option.to_string(), text.into())));
    }
    Ok(options)
}

fn template(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let vmid = ask.vmid()?;
    let container = world.unlocked(vmid)?;
    if container.is_template() {
        return Err(Refusal::die(sentence::TEMPLATE_ALREADY));
    }
    if container.is_running {
        return Err(Refusal::die(sentence::CONVERTS_RUNNING));
    }
    if !container.snapshots.is_empty() {
        return Err(Refusal::die(sentence::CONVERTS_SNAPSHOTS));
    }
    // PVE forks the worker and throws its UPID away.
    world.spawn_job("vztemplate", &vmid, ask.principal, move |world, _| {
        world.container_mut(vmid)?.options.insert("template".into(), 1.into());
        Ok(())
    });
    Ok(Value::Null.into())
}

fn resize(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let vmid = ask.vmid()?;
    let container = world.unlocked(vmid)?;
    world.require(ask.principal, &format!("/vms/{vmid}"), &["VM.Config.Options"], false)?;
    if ask.get("digest").is_some_and(|digest| digest != container.digest()) {
        return Err(Refusal::die(sentence::MODIFIED));
    }
    let disk = ask.get("disk").unwrap_or_default().to_string();
    let found = container.volumes().into_iter().find(|(key, ..)| *key == disk);
    let (_, volume, size) = found.ok_or_else(missing_key)?;
    let wanted = ask.get("size").unwrap_or_default();
    let new_size = wanted.strip_prefix('+').map_or_else(|| bytes(wanted), |more| size + bytes(more));
    if new_size < size {
        return Err(Refusal::die(sentence::SHRINKS));
    }
    if new_size == size {
        return Err(Refusal::die(sentence::SAME_SIZE));
    }
    let upid = world.spawn_job("resize", &vmid, ask.principal, move |world, log| {
        log.line(sentence::RESIZED);
        let container = world.container_mut(vmid)?;
        let text = container.text(&disk).unwrap_or_default().to_string();
        let parts = text.split(',').filter(|part| !part.starts_with("size=")).map(ToString::to_string);
        let parts: Vec<String> = parts.chain([format!("size={}", printed(new_size))]).collect();
        container.options.insert(disk, parts.join(",").into());
        let (storage, name) = volume.split_once(':').unwrap_or_default();
        let storage = world.storages.get_mut(storage);
        if let Some(volume) = storage.and_then(|storage| storage.volumes.get_mut(name)) {
            volume.size = new_size;
        }
        Ok(())
    });
    Ok(Value::from(upid).into())
}

/// The refusal of a volume that the configuration does not have: PVE parses what is not there.
fn missing_key() -> Refusal {
    Refusal::die(sentence::NO_VOLUME_KEY).with("volume", sentence::ABSENT).with("mp", sentence::ABSENT)
}

fn move_volume(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let vmid = ask.vmid()?;
    let container = world.unlocked(vmid)?;
    if container.is_running {
        return Err(Refusal::die(sentence::MOVES_RUNNING));
    }
    let key = ask.get("volume").unwrap_or_default().to_string();
    let found = container.volumes().into_iter().find(|(option, ..)| *option == key);
    let (_, volume, _) = found.ok_or_else(missing_key)?;
    let one_target =
        || Refusal::parameter("storage", sentence::NO_TARGET).with("target-vmid", sentence::NO_TARGET);
    let target = ask.get("storage").ok_or_else(one_target)?.to_string();
    world.storage(&target)?;
    world.require(ask.principal, &format!("/storage/{target}"), &["Datastore.AllocateSpace"], false)?;
    let deletes = ask.flag("delete");
    world.container_mut(vmid)?.set_lock(Some("disk"));
    let upid = world.spawn_job("move_volume", &vmid, ask.principal, move |world, _| {
        let (source, name) = volume.split_once(':').unwrap_or_default();
        let volumes = world.storages.get_mut(source).map(|storage| &mut storage.volumes);
        let moved = volumes
            .and_then(|volumes| if deletes { volumes.remove(name) } else { volumes.get(name).cloned() });
        if let (Some(moved), Some(target)) = (moved, world.storages.get_mut(&target)) {
            target.volumes.insert(name.into(), moved);
        }
        let container = world.container_mut(vmid)?;
        container.set_lock(None);
        let text = container.text(&key).unwrap_or_default().replace(&volume, &format!("{target}:{name}"));
        container.options.insert(key, text.into());
        Ok(())
    });
    Ok(Value::from(upid).into())
}

fn running(world: &World, vmid: u32, otherwise: Sentence) -> Result<(), Refusal> {
    if world.container(vmid)?.is_running {
        return Ok(());
    }
    Err(Refusal::die(otherwise.of(&[&vmid])))
}

fn halt(world: &mut World, ask: &Ask<'_>, kind: &'static str) -> Result<Reply, Refusal> {
    let vmid = ask.vmid()?;
    running(world, vmid, sentence::NOT_RUNNING)?;
    let begin = move |world: &mut World, _: &mut _| world.unlocked(vmid).map(|_| ());
    let upid = world.spawn(kind, &vmid, ask.principal, begin, move |world, _| {
        let container = world.container_mut(vmid)?;
        container.is_running = false;
        container.apply_pending();
        Ok(())
    });
    Ok(Value::from(upid).into())
}

fn reboot(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let vmid = ask.vmid()?;
    running(world, vmid, sentence::VM_NOT_RUNNING)?;
    let upid = world.spawn_job("vzreboot", &vmid, ask.principal, move |world, _| {
        world.container_mut(vmid)?.apply_pending();
        Ok(())
    });
    Ok(Value::from(upid).into())
}

fn checkpoint(world: &mut World, ask: &Ask<'_>, kind: &'static str) -> Result<Reply, Refusal> {
    let vmid = ask.vmid()?;
    running(world, vmid, sentence::NOT_RUNNING)?;
    let upid = world.spawn_job(kind, &vmid, ask.principal, move |world, _| {
        world.container_mut(vmid)?.is_running = false;
        Ok(())
    });
    Ok(Value::from(upid).into())
}

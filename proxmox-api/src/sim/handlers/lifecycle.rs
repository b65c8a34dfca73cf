//! Starting, stopping, copying, growing, moving and destroying simulated containers.
//!
//! Source: pve-container `PVE/API2/LXC.pm`, `PVE/API2/LXC/Status.pm`; recordings `lxc-start-*`, `lxc-stop-*`,
//! `template-start`, `clone-*`, `resize-*`, `move-volume`, `lxc-delete-*`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::Value;

use super::create::placeholder;
use super::lxc::check_digest;
use super::snapshot::found;
use crate::sim::answer::{Refusal, die_if, said};
use crate::sim::ask::{Ask, Handled, Route};
use crate::sim::container::{Container, Options, VolumeState, bytes, disk_name, printed};
use crate::sim::world::{NODE, World};

pub(super) const HANDLERS: &[Route] = &[
    ("lxc.destroy", "DELETE /nodes/{node}/lxc/{vmid}", destroy),
    ("lxc.clone", "POST /nodes/{node}/lxc/{vmid}/clone", clone),
    ("lxc.template", "POST /nodes/{node}/lxc/{vmid}/template", template),
    ("lxc.resize", "PUT /nodes/{node}/lxc/{vmid}/resize", resize),
    ("lxc.move_volume", "POST /nodes/{node}/lxc/{vmid}/move_volume", move_volume),
    ("lxc.migrate", "POST /nodes/{node}/lxc/{vmid}/migrate", migrate),
    ("lxc.start", "POST /nodes/{node}/lxc/{vmid}/status/start", |world, ask| {
        check_stopped(world, ask.vmid())?;
        Ok(world.spawn_start(ask.vmid(), ask.principal).into())
    }),
    ("lxc.stop", "POST /nodes/{node}/lxc/{vmid}/status/stop", |world, ask| halt(world, ask, "vzstop")),
    ("lxc.shutdown", "POST /nodes/{node}/lxc/{vmid}/status/shutdown", |world, ask| {
        halt(world, ask, "vzshutdown")
    }),
    ("lxc.reboot", "POST /nodes/{node}/lxc/{vmid}/status/reboot", |world, ask| {
        let vmid = ask.vmid();
        die_if(!world.container(vmid)?.is_running, said!("VM {vmid} not running"))?;
        world.work(ask, "vzreboot", vmid, move |world, _| {
            world.container_mut(vmid)?.apply_pending();
            Ok(())
        })
    }),
    ("lxc.suspend", "POST /nodes/{node}/lxc/{vmid}/status/suspend", |world, ask| {
        check_running(world, ask.vmid())?;
        set_running(world, ask, "vzsuspend", false)
    }),
    ("lxc.resume", "POST /nodes/{node}/lxc/{vmid}/status/resume", |world, ask| {
        world.container(ask.vmid())?;
        check_stopped(world, ask.vmid())?;
        set_running(world, ask, "vzresume", true)
    }),
];

fn check_running(world: &World, vmid: u32) -> Result<(), Refusal> {
    die_if(!world.container(vmid)?.is_running, said!("CT {vmid} not running"))
}

/// A container that is not there does not run: its worker fails.
fn check_stopped(world: &World, vmid: u32) -> Result<(), Refusal> {
    let is_running = world.containers.get(&vmid).is_some_and(|container| container.is_running);
    die_if(is_running, said!("CT {vmid} already running"))
}

fn set_running(world: &mut World, ask: &Ask<'_>, kind: &'static str, is_running: bool) -> Handled {
    let vmid = ask.vmid();
    world.work(ask, kind, vmid, move |world, _| {
        world.container_mut(vmid)?.is_running = is_running;
        Ok(())
    })
}

fn halt(world: &mut World, ask: &Ask<'_>, kind: &'static str) -> Handled {
    let vmid = ask.vmid();
    check_running(world, vmid)?;
    let begin = move |world: &mut World, _: &mut _| world.unlocked(vmid).map(|_| ());
    let upid = world.spawn(kind, vmid, ask.principal, begin, move |world, _| {
        let container = world.container_mut(vmid)?;
        container.is_running = false;
        container.apply_pending();
        Ok(())
    });
    Ok(upid.into())
}

fn migrate(world: &mut World, ask: &Ask<'_>) -> Handled {
    let (vmid, target) = (ask.vmid(), ask.text("target"));
    world.unlocked(vmid)?;
    if target == NODE {
        // Not recorded: pve-container PVE/API2/LXC.pm, migrate_vm.
        return Err(Refusal::parameter("target", &said!("target is local node.")));
    }
    die_if(!world.other_nodes.iter().any(|node| node == target), no_node(target))?;
    let target = target.to_string();
    world.work(ask, "vzmigrate", vmid, move |world, _| {
        world.moved.extend(world.containers.remove(&vmid).map(|container| (vmid, (target, container))));
        Ok(())
    })
}

/// What pveproxy says of a node that it does not know.
pub(crate) fn no_node(name: &str) -> crate::sim::answer::Said {
    said!(
        "hostname lookup '{name}' failed - failed to get address info for: {name}: Name or service not known"
    )
}

fn destroy(world: &mut World, ask: &Ask<'_>) -> Handled {
    let (vmid, purges) = (ask.vmid(), ask.flag("purge"));
    let is_protected = world.container(vmid)?.number("protection") == Some(1);
    die_if(is_protected, said!("can't remove CT {vmid} - protection mode enabled"))?;
    let runs_on = world.unlocked(vmid)?.is_running && !ask.flag("force");
    die_if(runs_on, said!("unable to destroy CT {vmid} - container is running"))?;
    world.work(ask, "vzdestroy", vmid, move |world, log| {
        if purges {
            log.line(said!("purging CT {vmid} from related configurations.."));
        }
        world.remove_container(vmid);
        Ok(())
    })
}

fn clone(world: &mut World, ask: &Ask<'_>) -> Handled {
    let (vmid, newid) = (ask.vmid(), ask.number("newid").unwrap_or_default());
    let source = world.unlocked(vmid)?.clone();
    world.check_free(newid)?;
    let mut options = cloned_options(&source, ask)?;
    let (volume, size) = source.volume("rootfs").unwrap_or_default();
    let storage = ask.get("storage").or_else(|| volume.split_once(':').map(|(storage, _)| storage));
    let storage = storage.unwrap_or_default().to_string();
    options.insert("rootfs".into(), format!("{storage}:{},size={}", disk_name(newid), printed(size)).into());
    let pool = ask.get("pool").map(ToString::to_string);
    world.containers.insert(newid, placeholder(pool.clone()));
    world.container_mut(vmid)?.set_lock(Some("disk"));
    world.work(ask, "vzclone", vmid, move |world, log| {
        log.line(said!("creating a clone of container {vmid} with ID {newid}"));
        world.container_mut(vmid)?.set_lock(None);
        world.put(&storage, &disk_name(newid), VolumeState::disk(newid, size, world.time()));
        world.containers.insert(newid, Container { options, pool, ..Container::default() });
        Ok(())
    })
}

/// The options of a copy: of the running state only if nothing runs.
fn cloned_options(source: &Container, ask: &Ask<'_>) -> Result<Options, Refusal> {
    let mut options = match ask.get("snapname") {
        Some(name) => found(source.snapshots.get(name), name)?.options.clone(),
        None if source.is_running => {
            return Err(said!("Full clone of a running container is only possible from a snapshot").into());
        }
        None => source.options.clone(),
    };
    options.remove("template");
    options.remove("lock");
    for option in ["hostname", "description"] {
        options.extend(ask.get(option).map(|text| (option.to_string(), text.into())));
    }
    Ok(options)
}

fn template(world: &mut World, ask: &Ask<'_>) -> Handled {
    let vmid = ask.vmid();
    let container = world.unlocked(vmid)?;
    die_if(container.is_template(), said!("you can't convert a template to a template"))?;
    // Not recorded: pve-container PVE/API2/LXC.pm, template.
    die_if(container.is_running, said!("you can't convert a running CT to template"))?;
    let has_snapshots = !container.snapshots.is_empty();
    die_if(has_snapshots, said!("unable to create template, because CT contains snapshots"))?;
    world.work(ask, "vztemplate", vmid, move |world, _| {
        world.container_mut(vmid)?.options.insert("template".into(), 1.into());
        Ok(())
    })?;
    // PVE forks the worker and throws its UPID away.
    Ok(Value::Null.into())
}

fn resize(world: &mut World, ask: &Ask<'_>) -> Handled {
    let vmid = ask.vmid();
    let container = world.unlocked(vmid)?.clone();
    world.require(ask.principal, &format!("/vms/{vmid}"), "VM.Config.Options")?;
    check_digest(&container, ask)?;
    let disk = ask.text("disk").to_string();
    let (volume, size) = container.volume(&disk).ok_or_else(missing_key)?;
    let wanted = ask.text("size");
    let new_size = wanted.strip_prefix('+').map_or_else(|| bytes(wanted), |more| size + bytes(more));
    die_if(new_size < size, said!("unable to shrink disk size"))?;
    die_if(new_size == size, said!("disk is already at specified size"))?;
    world.work(ask, "resize", vmid, move |world, log| {
        log.line(said!("Image resized."));
        let container = world.container_mut(vmid)?;
        let text = container.text(&disk).unwrap_or_default();
        let parts = text.split(',').filter(|part| !part.starts_with("size=")).map(ToString::to_string);
        let parts: Vec<String> = parts.chain([format!("size={}", printed(new_size))]).collect();
        container.options.insert(disk, parts.join(",").into());
        if let Some(volume) = world.volume_mut(&volume) {
            volume.size = new_size;
        }
        Ok(())
    })
}

/// The refusal of a volume that the configuration does not have: PVE parses what is not there.
fn missing_key() -> Refusal {
    let absent = said!("property is missing and it is not optional").to_string();
    let errors = ["volume", "mp"].map(|name| (name.to_string(), absent.clone()));
    Refusal { errors: errors.into(), ..said!("format error").into() }
}

fn move_volume(world: &mut World, ask: &Ask<'_>) -> Handled {
    let (vmid, key) = (ask.vmid(), ask.text("volume").to_string());
    let container = world.unlocked(vmid)?;
    // Not recorded: pve-container PVE/API2/LXC.pm, move_volume.
    die_if(container.is_running, said!("cannot move volumes of a running container"))?;
    let (volume, _) = container.volume(&key).ok_or_else(missing_key)?;
    let Some(target) = ask.get("storage").map(ToString::to_string) else {
        let text = said!("both 'storage' and 'target-vmid' missing, either needs to be set").to_string();
        let errors = ["storage", "target-vmid"].map(|name| (name.to_string(), text.clone()));
        return Err(Refusal::parameters(errors.into()));
    };
    world.storage(&target)?;
    world.require_on(ask, &target, "Datastore.AllocateSpace")?;
    let deletes = ask.flag("delete");
    world.container_mut(vmid)?.set_lock(Some("disk"));
    world.work(ask, "move_volume", vmid, move |world, _| {
        let (source, name) = volume.split_once(':').unwrap_or_default();
        if let Some(moved) = world.volume(&volume).cloned() {
            world.put(&target, name, moved);
        }
        if let Some(source) = world.storages.get_mut(source).filter(|_| deletes) {
            source.volumes.remove(name);
        }
        let container = world.container_mut(vmid)?;
        container.set_lock(None);
        let text = container.text(&key).unwrap_or_default().replace(&volume, &format!("{target}:{name}"));
        container.options.insert(key, text.into());
        Ok(())
    })
}

//! Creating and restoring simulated containers.
//!
//! Source: pve-container `PVE/API2/LXC.pm`, `create_vm`, `PVE/LXC/Create.pm`; recordings `lxc-create-*`, `restore-*`,
//! `golden-*`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::Value;

use super::lxc::{check_features, typed};
use super::storage::check_access;
use crate::sim::access::Principal;
use crate::sim::answer::{Refusal, Said, die_if, said};
use crate::sim::ask::{Ask, Handled, Route};
use crate::sim::container::{Container, Options, VolumeState, disk_name, printed, volume_size, zone};
use crate::sim::world::{Log, World};

pub(super) const HANDLERS: &[Route] =
    &[("lxc.create", "POST /nodes/{node}/lxc", create), ("lxc.restore", "POST /nodes/{node}/lxc", restore)];

/// Parameters of a new container that are not options of it.
const NOT_OPTIONS: &str = " vmid ostemplate storage pool bwlimit ignore-unpack-errors start ha-managed password \
                           ssh-public-keys restore force unique rootfs unprivileged ";

/// A container while it is being made: a lock and nothing else.
pub(super) fn placeholder(pool: Option<String>) -> Container {
    Container { pool, ..Container::default() }.with("lock", "create")
}

fn option_names<'a>(ask: &'a Ask<'_>) -> Vec<&'a str> {
    let names = ask.parameters.keys().map(String::as_str);
    names.filter(|name| !NOT_OPTIONS.contains(&format!(" {name} "))).collect()
}

impl World {
    /// Refuses a VMID that is taken.
    pub(super) fn check_free(&self, vmid: u32) -> Result<(), Refusal> {
        match self.guest(vmid) {
            Some((node, _)) => Err(said!("CT {vmid} already exists on node '{node}'").into()),
            None => Ok(()),
        }
    }

    /// Removes a container with its volumes.
    pub(super) fn remove_container(&mut self, vmid: u32) {
        self.containers.remove(&vmid);
        for storage in self.storages.values_mut() {
            storage.volumes.retain(|_, volume| volume.vmid != Some(vmid) || volume.content != "rootdir");
        }
    }
}

/// A container that a worker is making.
struct Creation {
    vmid: u32,
    /// The template or the backup that it is made from.
    source: String,
    storage: String,
    size: u64,
    container: Container,
    /// Starts it then, in the name of this.
    starter: Option<Principal>,
}

impl Creation {
    /// What creating and restoring check on the call, in PVE's order. The root volume has this size, unless the call
    /// says another.
    fn new(world: &World, ask: &Ask<'_>, vmid: u32, size: u64) -> Result<Self, Refusal> {
        if let Some(pool) = ask.get("pool").filter(|pool| !world.pools.contains_key(*pool)) {
            return Err(Refusal::permission(Some(&said!("pool '{pool}' does not exist"))));
        }
        let pool = ask.get("pool").map(|pool| format!("/pool/{pool}"));
        let allocates = |path: &str| world.has(ask.principal, path, "VM.Allocate");
        let overwrites = ask.flag("force") && world.containers.contains_key(&vmid);
        let backs_up = overwrites && world.has(ask.principal, &format!("/vms/{vmid}"), "VM.Backup");
        if !allocates(&format!("/vms/{vmid}")) && !pool.as_deref().is_some_and(allocates) && !backs_up {
            return Err(Refusal::permission(None));
        }
        world.check_options(ask, vmid, &option_names(ask))?;
        check_features(ask.get("features"), ask.flag("unprivileged") || !ask.flag("restore"))?;
        // As `rootfs=STORAGE:GIB` says, else `storage`, else `local`.
        let rootfs = ask.get("rootfs").and_then(|rootfs| rootfs.split_once(':'));
        let storage = rootfs.map(|(storage, _)| storage).or_else(|| ask.get("storage")).unwrap_or("local");
        if !world.storage(storage)?.content.contains(&"rootdir") {
            let text = said!("storage '{storage}' does not support container directories");
            return Err(Refusal::parameter("storage", &text));
        }
        world.require_on(ask, storage, "Datastore.AllocateSpace")?;
        let size = rootfs.map_or(Ok(size), |(_, gib)| size_of(gib))?;
        let container = Container { pool: ask.get("pool").map(Into::into), ..Container::default() };
        let (source, storage) = (ask.text("ostemplate").to_string(), storage.to_string());
        let starter = ask.flag("start").then(|| ask.principal.clone());
        Ok(Self { vmid, source, storage, size, container, starter })
    }

    fn set(&mut self, options: impl IntoIterator<Item = (String, Value)>) {
        self.container.options.extend(options);
    }

    /// Makes it, with its root volume.
    fn finish(mut self, world: &mut World) {
        let vmid = self.vmid;
        let rootfs = format!("{}:{},size={}", self.storage, disk_name(vmid), printed(self.size));
        self.set([("rootfs".into(), rootfs.into())]);
        world.put(&self.storage, &disk_name(vmid), VolumeState::disk(vmid, self.size, world.time()));
        world.containers.insert(vmid, self.container);
        if let Some(principal) = self.starter {
            world.spawn_start(vmid, &principal);
        }
    }
}

/// The options in a call.
fn options(ask: &Ask<'_>) -> Options {
    option_names(ask).into_iter().map(|name| (name.to_string(), typed(name, ask.text(name)))).collect()
}

/// The bytes of `GIB` in `rootfs=STORAGE:GIB`.
fn size_of(gib: &str) -> Result<u64, Refusal> {
    let number: Option<f64> = gib.split(',').next().and_then(|gib| gib.parse().ok());
    let number = number.ok_or_else(|| said!("unable to parse directory volume name '{gib}'"))?;
    // Whole MiB are fine enough for a simulation, and need no numeric cast.
    Ok(format!("{:.0}", number * 1024.0).parse::<u64>().unwrap_or_default() << 20)
}

fn create(world: &mut World, ask: &Ask<'_>) -> Handled {
    let vmid = ask.number("vmid").unwrap_or_default();
    world.check_free(vmid)?;
    let mut new = Creation::new(world, ask, vmid, 4 << 30)?;
    let (template_storage, _) = new.source.split_once(':').unwrap_or_default();
    world.require_on(ask, template_storage, "Datastore.AllocateSpace|Datastore.Audit")?;
    new.container.options = Container::new(&format!("CT{vmid}"), "").options;
    new.set(options(ask));
    new.set([("unprivileged".into(), u8::from(ask.get("unprivileged") != Some("0")).into())]);
    new.container.warns = new.source.contains("debian-15");
    world.containers.insert(vmid, placeholder(new.container.pool.clone()));
    world.work(ask, "vzcreate", vmid, move |world, log| {
        let source = new.source.clone();
        log.line(said!("extracting archive '{source}'"));
        if world.volume(&source).is_none() {
            world.containers.remove(&vmid);
            let reason = said!("volume '{source}' does not exist");
            return Err(said!("unable to create CT {vmid} - {reason}").into());
        }
        if new.container.warns {
            log.warn_of_debian();
        }
        new.finish(world);
        Ok(())
    })
}

fn restore(world: &mut World, ask: &Ask<'_>) -> Handled {
    let vmid = ask.number("vmid").unwrap_or_default();
    check_target(world, ask, vmid)?;
    let old = world.containers.get(&vmid).cloned();
    let archive = ask.text("ostemplate");
    let backup = world.volume(archive).cloned();
    let size = backup.as_ref().and_then(|backup| backup.config.get("rootfs")?.as_str());
    let mut new = Creation::new(world, ask, vmid, size.map_or(4 << 30, volume_size))?;
    if backup.as_ref().and_then(|backup| backup.vmid) != Some(vmid) {
        check_access(world, ask, archive)?;
    }
    let overwrites = old.is_some();
    let pool = new.container.pool.take().or_else(|| old?.pool);
    new.container.pool.clone_from(&pool);
    new.set(options(ask));
    new.set(ask.get("unprivileged").map(|value| ("unprivileged".into(), u8::from(value == "1").into())));
    if !overwrites {
        world.containers.insert(vmid, placeholder(pool));
    }
    let principal = ask.principal.clone();
    world.work(ask, "vzrestore", vmid, move |world, log| {
        unpack(world, log, new, backup, &principal, overwrites)
            .map_err(|reason| said!("unable to restore CT {vmid} - {reason}").into())
    })
}

/// Refuses to restore over a container that may not be overwritten.
fn check_target(world: &mut World, ask: &Ask<'_>, vmid: u32) -> Result<(), Refusal> {
    if !ask.flag("force") {
        world.check_free(vmid)?;
    }
    if let Some(container) = world.containers.get(&vmid) {
        die_if(container.is_running, said!("can't overwrite running container"))?;
        world.unlocked(vmid)?;
    }
    Ok(())
}

/// Makes a container from a backup. A bridge that the sender may not use loses it the container that was there.
fn unpack(
    world: &mut World,
    log: &mut Log,
    mut new: Creation,
    backup: Option<VolumeState>,
    principal: &Principal,
    overwrites: bool,
) -> Result<(), Said> {
    let (vmid, archive) = (new.vmid, new.source.clone());
    log.line(said!("recovering backed-up configuration from '{archive}'"));
    let Some(backup) = backup else {
        if !overwrites {
            world.containers.remove(&vmid);
        }
        return Err(said!("volume '{archive}' does not exist"));
    };
    let given = core::mem::replace(&mut new.container.options, backup.config);
    new.set(given);
    for bridge in new.container.bridges() {
        if let Err(Refusal { message, .. }) = world.require(principal, &zone(bridge), "SDN.Use") {
            world.containers.remove(&vmid);
            return Err(said!("403 {message}"));
        }
    }
    log.line(said!("restoring '{archive}' now.."));
    world.remove_container(vmid);
    log.line(said!("merging backed-up and given configuration.."));
    new.finish(world);
    Ok(())
}

//! Creating and restoring simulated containers.
//!
//! Source: pve-container `PVE/API2/LXC.pm`, `create_vm`, `PVE/LXC/Create.pm`; recordings `lxc-create-*`, `restore-*`,
//! `golden-*`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::Value;

use super::answer::{Principal, Refusal, Reply};
use super::ask::{Ask, Row};
use super::container::{Container, GIB, Options, Volume, bytes, printed};
use super::lxc::{bridge_of, check_features, typed};
use super::sentence::{self, Said};
use super::storage::check_access;
use super::world::{Log, World};

pub(super) const HANDLERS: &[Row] =
    &[("lxc.create", "POST /nodes/{node}/lxc", create), ("lxc.restore", "POST /nodes/{node}/lxc", restore)];

/// Parameters of a new container that are not options of it.
const NOT_OPTIONS: [&str; 15] = [
    "vmid",
    "ostemplate",
    "storage",
    "pool",
    "bwlimit",
    "ignore-unpack-errors",
    "start",
    "ha-managed",
    "password",
    "ssh-public-keys",
    "restore",
    "force",
    "unique",
    "rootfs",
    "unprivileged",
];

/// The VMID in a parameter.
pub(super) fn new_vmid(ask: &Ask<'_>, name: &str) -> u32 {
    ask.number(name).and_then(|vmid| u32::try_from(vmid).ok()).unwrap_or_default()
}

/// The name of a container's root volume on its storage.
pub(super) fn disk_name(vmid: u32) -> String {
    format!("{vmid}/vm-{vmid}-disk-0.raw")
}

/// A container while it is being made: a lock and nothing else.
pub(super) fn placeholder(pool: Option<&str>) -> Container {
    let container = Container { pool: pool.map(ToString::to_string), ..Container::default() };
    container.with("lock", "create")
}

fn option_names<'a>(ask: &'a Ask<'_>) -> Vec<&'a str> {
    ask.parameters().map(|(name, _)| name).filter(|name| !NOT_OPTIONS.contains(name)).collect()
}

fn options(ask: &Ask<'_>) -> Options {
    let names = option_names(ask).into_iter();
    names.map(|name| (name.to_string(), typed(name, ask.get(name).unwrap_or_default()))).collect()
}

impl World {
    /// The refusal of a VMID that is taken.
    pub(super) fn taken(&self, vmid: u32) -> Refusal {
        Refusal::die(sentence::TAKEN.of(&[&vmid, &self.node]))
    }

    /// Puts the root volume of a container on a storage.
    pub(super) fn add_rootfs(&mut self, storage: &str, vmid: u32, size: u64) {
        let time = self.time();
        let format = "raw".to_string();
        let volume = Volume { content: "rootdir", format, size, time, vmid: Some(vmid), ..Volume::default() };
        if let Some(storage) = self.storages.get_mut(storage) {
            storage.volumes.insert(disk_name(vmid), volume);
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

/// What creating and restoring check on the call, in PVE's order.
fn check_new(world: &World, ask: &Ask<'_>, vmid: u32) -> Result<(), Refusal> {
    if let Some(pool) = ask.get("pool").filter(|pool| !world.pools.contains_key(*pool)) {
        return Err(Refusal::permission(Some(&sentence::NO_POOL.of(&[&pool]))));
    }
    let pool = ask.get("pool").map(|pool| format!("/pool/{pool}"));
    let allocates = |path: &str| world.has(ask.principal, path, &["VM.Allocate"], false);
    let overwrites = ask.flag("force") && world.containers.contains_key(&vmid);
    let backs_up = overwrites && world.has(ask.principal, &format!("/vms/{vmid}"), &["VM.Backup"], false);
    if !allocates(&format!("/vms/{vmid}")) && !pool.as_deref().is_some_and(allocates) && !backs_up {
        return Err(Refusal::permission(None));
    }
    world.check_options(ask, vmid, &option_names(ask))?;
    check_features(ask.get("features"), ask.flag("unprivileged") || !ask.flag("restore"))?;
    let storage = target_storage(ask);
    if !world.storage(storage)?.content.contains(&"rootdir") {
        return Err(Refusal::parameter("storage", sentence::NO_DIRECTORIES.of(&[&storage])));
    }
    world.require(ask.principal, &format!("/storage/{storage}"), &["Datastore.AllocateSpace"], false)
}

/// The storage of the root volume: as `rootfs=STORAGE:GIB` says, else `storage`, else `local`.
fn target_storage<'a>(ask: &'a Ask<'_>) -> &'a str {
    let named = ask.get("rootfs").and_then(|rootfs| rootfs.split_once(':')).map(|(storage, _)| storage);
    named.or_else(|| ask.get("storage")).unwrap_or("local")
}

/// The size of the root volume: as `rootfs=STORAGE:GIB` says, else the given.
fn target_size(ask: &Ask<'_>, size: u64) -> Result<u64, Refusal> {
    let Some((_, gib)) = ask.get("rootfs").and_then(|rootfs| rootfs.split_once(':')) else { return Ok(size) };
    let bad = || Refusal::die(sentence::BAD_SIZE.of(&[&gib]));
    let gib: f64 = gib.split(',').next().and_then(|gib| gib.parse().ok()).ok_or_else(bad)?;
    // Whole MiB are fine enough for a simulation, and need no numeric cast.
    Ok(format!("{:.0}", gib * 1024.0).parse::<u64>().unwrap_or_default() << 20)
}

/// A container that a worker is making.
struct NewContainer {
    vmid: u32,
    storage: String,
    size: u64,
    container: Container,
}

impl NewContainer {
    /// Makes it, with its root volume.
    fn finish(mut self, world: &mut World) {
        let rootfs = format!("{}:{},size={}", self.storage, disk_name(self.vmid), printed(self.size));
        self.container.options.insert("rootfs".into(), rootfs.into());
        world.add_rootfs(&self.storage, self.vmid, self.size);
        world.containers.insert(self.vmid, self.container);
    }
}

fn create(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let vmid = new_vmid(ask, "vmid");
    if world.containers.contains_key(&vmid) {
        return Err(world.taken(vmid));
    }
    check_new(world, ask, vmid)?;
    let template = ask.get("ostemplate").unwrap_or_default().to_string();
    let (template_storage, _) = template.split_once(':').unwrap_or_default();
    let path = format!("/storage/{template_storage}");
    world.require(ask.principal, &path, &["Datastore.AllocateSpace", "Datastore.Audit"], true)?;
    let mut container = Container::new(&format!("CT{vmid}"), "");
    container.options.extend(options(ask));
    container.options.insert("unprivileged".into(), u8::from(ask.get("unprivileged") != Some("0")).into());
    container.pool = ask.get("pool").map(ToString::to_string);
    container.warns = template.contains("debian-15");
    let storage = target_storage(ask).to_string();
    let new = NewContainer { vmid, storage, size: target_size(ask, 4 * GIB)?, container };
    world.containers.insert(vmid, placeholder(ask.get("pool")));
    let (starts, principal) = (ask.flag("start"), ask.principal.clone());
    let upid = world.spawn_job("vzcreate", &vmid, ask.principal, move |world, log| {
        unpack(world, log, &template, new)?;
        if starts {
            world.spawn_start(vmid, &principal);
        }
        Ok(())
    });
    Ok(Value::from(upid).into())
}

/// Makes a container from a template, or leaves nothing behind.
fn unpack(world: &mut World, log: &mut Log, template: &str, new: NewContainer) -> Result<(), Refusal> {
    log.line(sentence::EXTRACTING.of(&[&template]));
    let (storage, name) = template.split_once(':').unwrap_or_default();
    if world.storages.get(storage).is_none_or(|storage| !storage.volumes.contains_key(name)) {
        world.containers.remove(&new.vmid);
        let reason = sentence::NO_VOLUME.of(&[&template]);
        return Err(Refusal::die(sentence::CREATE_FAILED.of(&[&new.vmid, &reason])));
    }
    if new.container.warns {
        log.warn(sentence::NEWER_DEBIAN);
    }
    new.finish(world);
    Ok(())
}

/// A restore that a worker is doing.
struct Restore {
    archive: String,
    backup: Option<Volume>,
    given: Options,
    overwrites: bool,
    principal: Principal,
    new: NewContainer,
}

fn restore(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let vmid = new_vmid(ask, "vmid");
    let overwrites = may_overwrite(world, ask, vmid)?;
    check_new(world, ask, vmid)?;
    let archive = ask.get("ostemplate").unwrap_or_default().to_string();
    let (archive_storage, archive_name) = archive.split_once(':').unwrap_or_default();
    let backup =
        world.storages.get(archive_storage).and_then(|storage| storage.volumes.get(archive_name)).cloned();
    if backup.as_ref().and_then(|backup| backup.vmid) != Some(vmid) {
        check_access(world, ask, archive_storage, archive_name)?;
    }
    let size =
        backup.as_ref().and_then(|backup| backup.config.get("rootfs")?.as_str()?.split("size=").nth(1));
    let size = target_size(ask, size.map_or(4 * GIB, bytes))?;
    let old_pool = world.containers.get(&vmid).and_then(|container| container.pool.clone());
    let pool = ask.get("pool").map(ToString::to_string).or(old_pool);
    let mut given = options(ask);
    let privilege = ask.get("unprivileged").map(|value| Value::from(u8::from(value == "1")));
    given.extend(privilege.map(|value| ("unprivileged".into(), value)));
    if !overwrites {
        world.containers.insert(vmid, placeholder(pool.as_deref()));
    }
    let container = Container { pool, ..Container::default() };
    let new = NewContainer { vmid, storage: target_storage(ask).to_string(), size, container };
    let job = Restore { archive, backup, given, overwrites, principal: ask.principal.clone(), new };
    let upid = world.spawn_job("vzrestore", &vmid, ask.principal, move |world, log| job.run(world, log));
    Ok(Value::from(upid).into())
}

/// Whether the restore overwrites a container; refuses if it may not.
fn may_overwrite(world: &World, ask: &Ask<'_>, vmid: u32) -> Result<bool, Refusal> {
    match world.containers.get(&vmid) {
        None => Ok(false),
        Some(_) if !ask.flag("force") => Err(world.taken(vmid)),
        Some(container) if container.is_running => Err(Refusal::die(sentence::OVERWRITES_RUNNING)),
        Some(_) => world.unlocked(vmid).map(|_| true),
    }
}

impl Restore {
    fn run(self, world: &mut World, log: &mut Log) -> Result<(), Refusal> {
        let vmid = self.new.vmid;
        let archive = &self.archive;
        log.line(sentence::RECOVERING.of(&[archive]));
        let fail = |reason: Said| Refusal::die(sentence::RESTORE_FAILED.of(&[&vmid, &reason]));
        let Some(backup) = self.backup else {
            if !self.overwrites {
                world.containers.remove(&vmid);
            }
            return Err(fail(sentence::NO_VOLUME.of(&[archive])));
        };
        let mut options = backup.config;
        options.extend(self.given);
        let nets = options.iter().filter(|(name, _)| name.starts_with("net"));
        for bridge in nets.filter_map(|(_, net)| bridge_of(net.as_str()?)) {
            let zone = format!("/sdn/zones/localnetwork/{bridge}");
            if let Err(refusal) = world.require(&self.principal, &zone, &["SDN.Use"], false) {
                world.containers.remove(&vmid);
                return Err(fail(sentence::FORBIDDEN.of(&[refusal.message()])));
            }
        }
        log.line(sentence::RESTORING.of(&[archive]));
        // The old container is gone before the archive is read: a truncated one loses both.
        world.remove_container(vmid);
        if backup.is_truncated {
            return Err(fail(sentence::COMMAND_FAILED.of(&[&"tar xpf -"])));
        }
        log.line(sentence::MERGING);
        let container = Container { options, ..self.new.container };
        NewContainer { container, ..self.new }.finish(world);
        Ok(())
    }
}

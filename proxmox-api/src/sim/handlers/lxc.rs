//! Reading and changing simulated containers.
//!
//! Source: pve-container `PVE/LXC.pm` (`vmstatus`), `PVE/API2/LXC.pm`, `PVE/API2/LXC/Config.pm`, `PVE/LXC/Config.pm`;
//! recordings `get-lxc-*`, `config-put-*`, `pending-*`.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use super::snapshot::found;
use crate::sim::access::Principal;
use crate::sim::answer::{Refusal, die_if, fields, said};
use crate::sim::ask::{Ask, Handled, Route};
use crate::sim::container::{Container, StorageState, bridge_of, is_indexed, zone};
use crate::sim::world::World;

pub(super) const HANDLERS: &[Route] = &[
    ("lxc.list", "GET /nodes/{node}/lxc", |world, ask| {
        let seen = world.containers.iter().filter(|(vmid, _)| world.sees(ask.principal, **vmid));
        Ok(seen.map(|(vmid, container)| status(*vmid, container)).collect::<Value>().into())
    }),
    ("lxc.status", "GET /nodes/{node}/lxc/{vmid}/status/current", |world, ask| {
        let mut row = status(ask.vmid(), world.container(ask.vmid())?);
        row.insert("ha".into(), json!({ "managed": 0 }));
        Ok(row.into())
    }),
    ("lxc.feature", "GET /nodes/{node}/lxc/{vmid}/feature", |world, ask| {
        let (container, can_snapshot) = (world.container(ask.vmid())?, world.can_snapshot(ask.vmid()));
        let has = match ask.text("feature") {
            "copy" => true,
            "clone" => container.is_template() && can_snapshot,
            _ => can_snapshot,
        };
        Ok(json!({ "hasFeature": u8::from(has) }).into())
    }),
    ("lxc.config", "GET /nodes/{node}/lxc/{vmid}/config", |world, ask| {
        let container = world.container(ask.vmid())?;
        let config = match ask.get("snapshot") {
            Some(name) => container.config(&found(container.snapshots.get(name), name)?.options),
            None if ask.flag("current") => container.config(&container.options),
            None => container.config(&container.overlaid()),
        };
        Ok(config.into())
    }),
    ("lxc.pending", "GET /nodes/{node}/lxc/{vmid}/pending", pending),
    ("lxc.set_config", "PUT /nodes/{node}/lxc/{vmid}/config", change),
];

/// The fields that list and status share.
pub(super) fn status(vmid: u32, container: &Container) -> Map<String, Value> {
    let running = container.is_running;
    let of = |value: u64| if running { value } else { 0 };
    let number = |option: &str, otherwise: u64| container.number(option).unwrap_or(otherwise);
    let mut row = fields(json!({
        "vmid": vmid, "name": container.name(vmid), "type": "lxc",
        "status": if running { "running" } else { "stopped" },
        "cpus": number("cores", 2), "cpu": 0, "mem": of(757_760), "maxmem": number("memory", 512) << 20, "swap": 0,
        "maxswap": number("swap", 0) << 20, "disk": of(2_772_992),
        "maxdisk": container.volume("rootfs").map_or(0, |(_, size)| size),
        "diskread": 0, "diskwrite": 0, "netin": 0, "netout": 0, "uptime": of(271),
    }));
    for option in ["tags", "lock", "template"] {
        row.extend(container.options.get(option).map(|value| (option.into(), value.clone())));
    }
    if running {
        row.insert("pid".into(), (1000 + vmid).into());
        let pressures = ["cpusome", "cpufull", "iosome", "iofull", "memorysome", "memoryfull"];
        row.extend(pressures.map(|pressure| (format!("pressure{pressure}"), "0.00".into())));
    }
    row
}

fn pending(world: &mut World, ask: &Ask<'_>) -> Handled {
    let container = world.container(ask.vmid())?;
    let current = container.config(&container.options).into_iter();
    let mut rows: BTreeMap<String, Value> =
        current.map(|(key, value)| (key.clone(), json!({ "key": key, "value": value }))).collect();
    for (key, value) in &container.pending {
        let row = rows.entry(key.clone()).or_insert_with(|| json!({ "key": key }));
        match value {
            Value::Null => row["delete"] = 1.into(),
            value => row["pending"] = value.clone(),
        }
    }
    Ok(rows.into_values().collect::<Value>().into())
}

/// The privilege that an option needs.
fn privilege(option: &str) -> &'static str {
    match option {
        "cores" | "cpulimit" | "cpuunits" => "VM.Config.CPU",
        "memory" | "swap" => "VM.Config.Memory",
        "hostname" | "nameserver" | "searchdomain" => "VM.Config.Network",
        "rootfs" => "VM.Config.Disk",
        _ if is_indexed(option, "net") => "VM.Config.Network",
        _ if is_indexed(option, "mp") => "VM.Config.Disk",
        _ => "VM.Config.Options",
    }
}

/// Options that take effect in a running container, and `netN`.
const HOT: &str =
    " description onboot startup protection hostname cores tags cpulimit cpuunits memory swap lock ";

/// Whether a token may set these features: `nesting` alone, and only of an unprivileged container.
pub(super) fn check_features(features: Option<&str>, is_unprivileged: bool) -> Result<(), Refusal> {
    let Some(features) = features else { return Ok(()) };
    let refusal = if !is_unprivileged {
        said!("changing feature flags for privileged container is only allowed for root@pam")
    } else if !features.split(',').all(|feature| feature.starts_with("nesting=")) {
        said!("changing feature flags (except nesting) is only allowed for root@pam")
    } else {
        return Ok(());
    };
    Err(Refusal::permission(Some(&refusal)))
}

impl World {
    /// Whether every volume of the container lies on a storage with snapshots.
    pub(super) fn can_snapshot(&self, vmid: u32) -> bool {
        let has_snapshots = |volume: &str| {
            let storage = volume.split_once(':').and_then(|(storage, _)| self.storages.get(storage));
            storage.is_some_and(StorageState::has_snapshots)
        };
        let container = self.containers.get(&vmid);
        container
            .is_some_and(|container| container.volumes().iter().all(|(_, volume, _)| has_snapshots(volume)))
    }

    /// Checks the privileges for options that are set; the pool stands in for the container.
    pub(super) fn check_options(&self, ask: &Ask<'_>, vmid: u32, options: &[&str]) -> Result<(), Refusal> {
        for option in options {
            let needed = privilege(option);
            let is_through = |pool: &str| self.has(ask.principal, &format!("/pool/{pool}"), needed);
            if !ask.get("pool").is_some_and(is_through) {
                self.require(ask.principal, &format!("/vms/{vmid}"), needed)?;
            }
            if let Some(bridge) = ask.get(option).filter(|_| option.starts_with("net")).and_then(bridge_of) {
                self.require(ask.principal, &zone(bridge), "SDN.Use")?;
            }
        }
        Ok(())
    }
}

fn change(world: &mut World, ask: &Ask<'_>) -> Handled {
    let vmid = ask.vmid();
    let names = ask.parameters.keys().map(String::as_str);
    let set: Vec<&str> = names.filter(|name| !["delete", "revert", "digest"].contains(name)).collect();
    let (deleted, reverted) = (ask.list("delete"), ask.list("revert"));
    let is_empty = set.is_empty() && deleted.is_empty() && reverted.is_empty();
    die_if(is_empty, said!("no options specified"))?;
    let container = world.unlocked(vmid)?;
    check_digest(container, ask)?;
    let option = "unprivileged";
    die_if(set.contains(&option), said!("unable to modify read-only option: '{option}'"))?;
    if let Some(option) = deleted.iter().find(|option| ["rootfs", "memory", "ostype"].contains(option)) {
        return Err(said!("unable to delete required option '{option}'").into());
    }
    check_features(ask.get("features"), container.number("unprivileged") == Some(1))?;
    world.check_options(ask, vmid, &set)?;
    world.check_options(ask, vmid, &deleted)?;
    let container = world.container_mut(vmid)?;
    container.pending.retain(|option, _| !reverted.contains(&option.as_str()));
    for option in deleted {
        store(container, option, Value::Null);
    }
    for option in set {
        store(container, option, typed(option, ask.text(option)));
    }
    Ok(Value::Null.into())
}

/// Refuses a change of a configuration that is no longer the one that was read.
pub(super) fn check_digest(container: &Container, ask: &Ask<'_>) -> Result<(), Refusal> {
    let is_other = ask.get("digest").is_some_and(|digest| digest != container.digest());
    die_if(is_other, said!("detected modified configuration - file changed by other user? Try again."))
}

/// Applies a change at once, or leaves it for the next start.
fn store(container: &mut Container, option: &str, value: Value) {
    let is_hot = option.starts_with("net") || HOT.contains(&format!(" {option} "));
    container.pending.remove(option);
    if container.is_running && !is_hot {
        container.pending.insert(option.into(), value);
    } else if value.is_null() {
        container.options.remove(option);
    } else {
        container.options.insert(option.into(), value);
    }
}

/// Options that stay text even if they look like a number.
const TEXTS: [&str; 4] = ["hostname", "description", "cpulimit", "timezone"];

/// An option as it stands in the configuration: integers as integers, tags sorted and joined by `;`.
pub(super) fn typed(option: &str, text: &str) -> Value {
    if option == "tags" {
        let mut tags: Vec<String> = text.split([',', ';', ' ']).map(str::to_lowercase).collect();
        tags.retain(|tag| !tag.is_empty());
        tags.sort();
        tags.dedup();
        return tags.join(";").into();
    }
    match text.parse::<u64>() {
        Ok(number) if !TEXTS.contains(&option) => number.into(),
        _ => text.into(),
    }
}

impl World {
    /// Starts the worker that starts a container: everything is checked inside it.
    pub(super) fn spawn_start(&mut self, vmid: u32, principal: &Principal) -> String {
        let begin = move |world: &mut Self, _: &mut _| {
            let known = world.bridges.clone();
            let container = world.unlocked(vmid)?;
            die_if(container.is_template(), said!("you can't start a CT if it's a template"))?;
            let missing = container.bridges().find(|bridge| !known.iter().any(|known| known == bridge));
            match missing {
                Some(bridge) => Err(said!("bridge '{bridge}' does not exist").into()),
                None => Ok(()),
            }
        };
        self.spawn("vzstart", vmid, principal, begin, move |world, log| {
            let container = world.container_mut(vmid)?;
            container.apply_pending();
            container.is_running = true;
            if container.warns {
                log.warn_of_debian();
            }
            Ok(())
        })
    }
}

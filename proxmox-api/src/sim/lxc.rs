//! Reading and changing simulated containers.
//!
//! Source: pve-container `PVE/LXC.pm` (`vmstatus`), `PVE/API2/LXC.pm`, `PVE/API2/LXC/Config.pm`, `PVE/LXC/Config.pm`;
//! recordings `get-lxc-*`, `config-put-*`, `pending-*`.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use super::answer::{Principal, Refusal, Reply, set};
use super::ask::{Ask, Row};
use super::container::Container;
use super::sentence;
use super::world::World;

pub(super) const HANDLERS: &[Row] = &[
    ("lxc.list", "GET /nodes/{node}/lxc", |world, ask| {
        let seen = world.containers.iter().filter(|(vmid, _)| world.sees(ask.principal, **vmid));
        let rows = seen.map(|(vmid, container)| Value::Object(status(*vmid, container)));
        Ok(Value::Array(rows.collect()).into())
    }),
    ("lxc.status", "GET /nodes/{node}/lxc/{vmid}/status/current", |world, ask| {
        let vmid = ask.vmid()?;
        let mut row = status(vmid, world.container(vmid)?);
        let managed = u8::from(world.ha_managed.contains(&vmid));
        row.insert("ha".into(), json!({ "managed": managed }));
        Ok(Value::Object(row).into())
    }),
    ("lxc.feature", "GET /nodes/{node}/lxc/{vmid}/feature", feature),
    ("lxc.interfaces", "GET /nodes/{node}/lxc/{vmid}/interfaces", |world, ask| {
        let container = world.container(ask.vmid()?)?;
        let interface = |name: &str, mac: &str| json!({ "name": name, "hwaddr": mac, "hardware-address": mac, "ip-addresses": [] });
        let rows = json!([interface("lo", "00:00:00:00:00:00"), interface("eth0", "bc:24:11:2c:02:f5")]);
        Ok(if container.is_running { rows } else { Value::Null }.into())
    }),
    ("lxc.migrate_preconditions", "GET /nodes/{node}/lxc/{vmid}/migrate", |world, ask| {
        let running = u8::from(world.container(ask.vmid()?)?.is_running);
        Ok(json!({ "running": running, "allowed-nodes": [], "not-allowed-nodes": {} }).into())
    }),
    ("lxc.config", "GET /nodes/{node}/lxc/{vmid}/config", read),
    ("lxc.pending", "GET /nodes/{node}/lxc/{vmid}/pending", pending),
    ("lxc.set_config", "PUT /nodes/{node}/lxc/{vmid}/config", change),
];

/// The fields that list and status share.
pub(super) fn status(vmid: u32, container: &Container) -> Map<String, Value> {
    let running = container.is_running;
    let of = |value: u64| if running { value } else { 0 };
    let disk = container.volumes().iter().find(|(key, ..)| key == "rootfs").map_or(0, |(_, _, size)| *size);
    let row = json!({
        "vmid": vmid, "name": container.name(vmid), "type": "lxc",
        "status": if running { "running" } else { "stopped" },
        "cpus": container.number("cores").unwrap_or(2), "cpu": 0, "mem": of(757_760),
        "maxmem": container.number("memory").unwrap_or(512) << 20, "swap": 0,
        "maxswap": container.number("swap").unwrap_or(0) << 20, "disk": of(2_772_992), "maxdisk": disk,
        "diskread": 0, "diskwrite": 0, "netin": 0, "netout": 0, "uptime": of(271),
    });
    let mut row = row.as_object().cloned().unwrap_or_default();
    for option in ["tags", "lock", "template"] {
        row.extend(container.options.get(option).map(|value| (option.into(), value.clone())));
    }
    if running {
        row.insert("pid".into(), (1000 + vmid).into());
        for pressure in ["cpusome", "cpufull", "iosome", "iofull", "memorysome", "memoryfull"] {
            row.insert(alloc::format!("pressure{pressure}"), "0.00".into());
        }
    }
    row
}

impl World {
    /// Whether every volume of the container lies on a storage with snapshots.
    pub(super) fn can_snapshot(&self, container: &Container) -> bool {
        let on_good_storage = |volume: &str| {
            let storage = volume.split_once(':').and_then(|(storage, _)| self.storages.get(storage));
            storage.is_some_and(|storage| storage.has_snapshots)
        };
        container.volumes().iter().all(|(_, volume, _)| on_good_storage(volume))
    }
}

fn feature(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let container = world.container(ask.vmid()?)?;
    let has = match ask.get("feature") {
        Some("copy") => true,
        Some("clone") => container.is_template() && world.can_snapshot(container),
        _ => world.can_snapshot(container),
    };
    Ok(json!({ "hasFeature": u8::from(has) }).into())
}

fn read(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let container = world.container(ask.vmid()?)?;
    if let Some(name) = ask.get("snapshot") {
        let snapshot = container.snapshots.get(name);
        let snapshot = snapshot.ok_or_else(|| Refusal::die(sentence::NO_SNAPSHOT.of(&[&name])))?;
        return Ok(Value::Object(container.config(&snapshot.options)).into());
    }
    let config = if ask.flag("current") {
        container.config(&container.options)
    } else {
        container.config(&container.overlaid())
    };
    Ok(Value::Object(config).into())
}

fn pending(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let container = world.container(ask.vmid()?)?;
    let current = container.config(&container.options);
    let mut rows: BTreeMap<String, Value> = current
        .into_iter()
        .map(|(key, value)| (key.clone(), json!({ "key": key, "value": value })))
        .collect();
    for (key, value) in &container.pending {
        let row = rows.entry(key.clone()).or_insert_with(|| json!({ "key": key }));
        match value {
            Value::Null => set(row, "delete", 1),
            value => set(row, "pending", value.clone()),
        }
    }
    Ok(Value::Array(rows.into_values().collect()).into())
}

/// The privilege that an option needs.
pub(super) fn privilege(option: &str) -> &'static str {
    let indexed =
        |name: &str| option.strip_prefix(name).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    match option {
        "cores" | "cpulimit" | "cpuunits" => "VM.Config.CPU",
        "memory" | "swap" => "VM.Config.Memory",
        "hostname" | "nameserver" | "searchdomain" => "VM.Config.Network",
        "rootfs" => "VM.Config.Disk",
        _ if indexed("net") => "VM.Config.Network",
        _ if indexed("mp") => "VM.Config.Disk",
        _ => "VM.Config.Options",
    }
}

/// Options that take effect in a running container.
fn is_hot(option: &str) -> bool {
    const HOT: [&str; 12] = [
        "description",
        "onboot",
        "startup",
        "protection",
        "hostname",
        "cores",
        "tags",
        "cpulimit",
        "cpuunits",
        "memory",
        "swap",
        "lock",
    ];
    HOT.contains(&option) || option.starts_with("net")
}

/// Whether a token may set these features: `nesting` alone, and only of an unprivileged container.
pub(super) fn check_features(features: Option<&str>, is_unprivileged: bool) -> Result<(), Refusal> {
    let Some(features) = features else { return Ok(()) };
    if !is_unprivileged {
        return Err(Refusal::permission(Some(&sentence::PRIVILEGED_FEATURES.into())));
    }
    if features.split(',').all(|feature| feature.starts_with("nesting=")) {
        return Ok(());
    }
    Err(Refusal::permission(Some(&sentence::OTHER_FEATURES.into())))
}

impl World {
    /// Checks the privileges for options that are set; the pool stands in for the container.
    pub(super) fn check_options(&self, ask: &Ask<'_>, vmid: u32, options: &[&str]) -> Result<(), Refusal> {
        let pool = ask.get("pool").map(|pool| format!("/pool/{pool}"));
        for option in options {
            let needed = [privilege(option)];
            let through_pool =
                pool.as_ref().is_some_and(|pool| self.has(ask.principal, pool, &needed, false));
            if !through_pool {
                self.require(ask.principal, &format!("/vms/{vmid}"), &needed, false)?;
            }
            if let Some(bridge) = ask.get(option).filter(|_| option.starts_with("net")).and_then(bridge_of) {
                let zone = format!("/sdn/zones/localnetwork/{bridge}");
                self.require(ask.principal, &zone, &["SDN.Use"], false)?;
            }
        }
        Ok(())
    }
}

/// The bridge of a `netN`.
pub(super) fn bridge_of(net: &str) -> Option<&str> {
    net.split(',').find_map(|part| part.strip_prefix("bridge="))
}

fn change(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let vmid = ask.vmid()?;
    let orders = ["delete", "revert", "digest"];
    let set: Vec<&str> =
        ask.parameters().map(|(name, _)| name).filter(|name| !orders.contains(name)).collect();
    let (deleted, reverted) = (ask.list("delete"), ask.list("revert"));
    if set.is_empty() && deleted.is_empty() && reverted.is_empty() {
        return Err(Refusal::die(sentence::NO_OPTIONS));
    }
    let container = world.unlocked(vmid)?;
    if ask.get("digest").is_some_and(|digest| digest != container.digest()) {
        return Err(Refusal::die(sentence::MODIFIED));
    }
    if set.contains(&"unprivileged") {
        return Err(Refusal::die(sentence::READ_ONLY.of(&[&"unprivileged"])));
    }
    if let Some(option) = deleted.iter().find(|option| ["rootfs", "memory", "ostype"].contains(option)) {
        return Err(Refusal::die(sentence::REQUIRED.of(&[option])));
    }
    check_features(ask.get("features"), container.number("unprivileged") == Some(1))?;
    world.check_options(ask, vmid, &set)?;
    world.check_options(ask, vmid, &deleted)?;
    let container = world.container_mut(vmid)?;
    for option in reverted {
        container.pending.remove(option);
    }
    for option in deleted {
        store(container, option, Value::Null);
    }
    for option in set {
        store(container, option, typed(option, ask.get(option).unwrap_or_default()));
    }
    Ok(Value::Null.into())
}

/// Applies a change at once, or leaves it for the next start.
fn store(container: &mut Container, option: &str, value: Value) {
    container.pending.remove(option);
    if container.is_running && !is_hot(option) {
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
        _ => text.to_string().into(),
    }
}

impl World {
    /// Starts the worker that starts a container: everything is checked inside it.
    pub(super) fn spawn_start(&mut self, vmid: u32, principal: &Principal) -> String {
        let begin = move |world: &mut Self, _: &mut _| {
            let container = world.unlocked(vmid)?;
            if container.is_template() {
                return Err(Refusal::die(sentence::STARTS_TEMPLATE));
            }
            let missing =
                container.options.iter().filter(|(key, _)| key.starts_with("net")).find_map(|(_, net)| {
                    let bridge = bridge_of(net.as_str()?)?;
                    (!world.bridges.iter().any(|known| known == bridge)).then(|| bridge.into())
                });
            match missing {
                Some(bridge) => {
                    let bridge: String = bridge;
                    Err(Refusal::die(sentence::NO_BRIDGE.of(&[&bridge])))
                }
                None => Ok(()),
            }
        };
        self.spawn("vzstart", &vmid, principal, begin, move |world, log| {
            let container = world.container_mut(vmid)?;
            container.apply_pending();
            container.is_running = true;
            if container.warns {
                log.warn(sentence::NEWER_DEBIAN);
            }
            Ok(())
        })
    }
}

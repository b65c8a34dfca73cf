//! Reading containers of the simulated node.
//!
//! Source: pve-container `PVE/LXC.pm` (`vmstatus`), `PVE/API2/LXC.pm`; recordings `get-lxc-*`.

use alloc::string::String;

use serde_json::{Map, Value, json};

use super::answer::{Refusal, Reply};
use super::container::Container;
use super::route::{Ask, Row};
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
        Ok(json!({ "running": running, "allowed-nodes": [], "not-allowed-nodes": {}, "dependent-ha-resources": [] })
            .into())
    }),
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

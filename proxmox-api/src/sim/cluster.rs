//! The cluster that the simulated node is alone in.
//!
//! Source: pve-manager `PVE/API2/Cluster.pm`; recordings `get-cluster-*`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use super::answer::{Refusal, Reply, set};
use super::route::{Ask, Row};
use super::sentence;
use super::world::World;
use super::{lxc, task};

pub(super) const HANDLERS: &[Row] = &[
    ("cluster.next_id", "GET /cluster/nextid", next_id),
    ("cluster.resources", "GET /cluster/resources", |world, ask| Ok(resources(world, ask))),
    ("cluster.status", "GET /cluster/status", |world, _| {
        Ok(json!([{
            "id": format!("node/{}", world.node), "type": "node", "name": world.node, "ip": "192.0.2.2", "nodeid": 0,
            "online": 1, "local": 1, "level": "",
        }])
        .into())
    }),
    ("cluster.tasks", "GET /cluster/tasks", |world, ask| {
        if !world.has(ask.principal, "/", &["Sys.Audit"], false) {
            return Ok(json!([]).into());
        }
        let rows = world.workers.iter().rev().take(25).map(|worker| Value::Object(task::cluster_row(worker)));
        Ok(Value::Array(rows.collect()).into())
    }),
    ("cluster.ha_resources", "GET /cluster/ha/resources", |world, _| {
        let rows = world.ha_managed.iter().map(|vmid| {
            json!({ "sid": format!("ct:{vmid}"), "type": "ct", "state": "started", "digest": "da39a3ee" })
        });
        Ok(Value::Array(rows.collect()).into())
    }),
    ("node.replication", "GET /nodes/{node}/replication", |world, ask| {
        let wanted = ask.number("guest");
        let jobs =
            world.replicated.iter().filter(|vmid| wanted.is_none_or(|wanted| u64::from(**vmid) == wanted));
        let rows = jobs.map(|vmid| {
            json!({ "id": format!("{vmid}-0"), "guest": vmid, "jobnum": 0, "type": "local", "target": "pve2" })
        });
        Ok(Value::Array(rows.collect()).into())
    }),
];

fn next_id(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let taken = |vmid: u64| u32::try_from(vmid).is_ok_and(|vmid| world.containers.contains_key(&vmid));
    match ask.number("vmid") {
        Some(vmid) if taken(vmid) => Err(Refusal::parameter("vmid", sentence::VMID_IN_USE.of(&[&vmid]))),
        Some(vmid) => Ok(Value::from(format!("{vmid}")).into()),
        None => {
            let free = (100..1_000_000).find(|vmid| !taken(*vmid)).unwrap_or_default();
            Ok(Value::from(format!("{free}")).into())
        }
    }
}

/// Lists one class of resources.
type Rows = fn(&World, &Ask<'_>) -> Vec<Value>;

fn resources(world: &mut World, ask: &Ask<'_>) -> Reply {
    let kinds: [(&str, Rows); 4] = [("pool", pools), ("vm", guests), ("node", nodes), ("storage", storages)];
    let wanted = kinds.into_iter().filter(|(kind, _)| ask.get("type").is_none_or(|wanted| wanted == *kind));
    Value::Array(wanted.flat_map(|(_, rows)| rows(world, ask)).collect()).into()
}

/// A guest as its pool lists it.
pub(super) fn member(world: &World, vmid: u32) -> Option<Value> {
    let mut row = guest(world, vmid)?;
    row.retain(|key, _| key != "pool" && key != "tags");
    Some(Value::Object(row))
}

fn guest(world: &World, vmid: u32) -> Option<Map<String, Value>> {
    let container = world.containers.get(&vmid)?;
    let mut row = lxc::status(vmid, container);
    row.retain(|key, _| {
        !key.starts_with("pressure") && !["pid", "maxswap", "swap", "cpus"].contains(&key.as_str())
    });
    let more = json!({
        "id": format!("lxc/{vmid}"), "node": world.node, "maxcpu": container.number("cores").unwrap_or(2), "memhost": 0,
        "template": u8::from(container.is_template()),
    });
    row.extend(more.as_object().cloned().unwrap_or_default());
    row.extend(container.pool.as_ref().map(|pool| ("pool".into(), pool.as_str().into())));
    if world.is_statistics_daemon_down {
        // Recording `resources-pvestatd-dead`.
        row.retain(|key, _| ["node", "vmid", "id", "tags", "type", "lock"].contains(&key.as_str()));
        row.insert("status".into(), "unknown".into());
    }
    Some(row)
}

fn guests(world: &World, ask: &Ask<'_>) -> Vec<Value> {
    let seen = world.containers.keys().filter(|vmid| world.sees(ask.principal, **vmid));
    seen.filter_map(|vmid| guest(world, *vmid)).map(Value::Object).collect()
}

fn pools(world: &World, ask: &Ask<'_>) -> Vec<Value> {
    let seen = world
        .pools
        .keys()
        .filter(|pool| world.has(ask.principal, &format!("/pool/{pool}"), &["Pool.Audit"], false));
    seen.map(|pool| {
        json!({
            "id": format!("/pool/{pool}"), "type": "pool", "pool": pool, "cpu": 0, "maxcpu": 1, "mem": 0,
            "maxmem": 268_435_456_u64, "uptime": 0,
        })
    })
    .collect()
}

fn nodes(world: &World, ask: &Ask<'_>) -> Vec<Value> {
    let mut row = super::node::entry(world, ask.principal);
    row.remove("ssl_fingerprint");
    row.insert("cgroup-mode".into(), 1.into());
    alloc::vec![Value::Object(row)]
}

fn storages(world: &World, ask: &Ask<'_>) -> Vec<Value> {
    let seen = world.storages.iter().filter(|(name, storage)| {
        storage.is_enabled
            && world.has(ask.principal, &format!("/storage/{name}"), &["Datastore.Audit"], false)
    });
    seen.map(|(name, storage)| {
        let mut row = json!({
            "id": format!("storage/{}/{name}", world.node), "type": "storage", "storage": name, "node": world.node,
            "content": storage.content.join(","), "plugintype": storage.kind, "shared": u8::from(storage.kind == "nfs"),
            "status": if storage.is_active { "available" } else { "unknown" },
        });
        if storage.is_active {
            set(&mut row, "disk", storage.used);
            set(&mut row, "maxdisk", storage.total);
        }
        row
    })
    .collect()
}

//! The simulated node, the cluster that it is alone in, and its privileges and pools.
//!
//! Source: pve-manager `PVE/API2/Cluster.pm`, pve-access-control `PVE/API2/AccessControl.pm`; recordings `get-nodes*`,
//! `get-node-network*`, `get-cluster-*`, `lp-permissions*`, `get-access-*`, `get-pools*`.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use super::lxc;
use super::recorded::recorded;
use super::task;
use crate::sim::access::Principal;
use crate::sim::answer::{Refusal, fields, said};
use crate::sim::ask::{Ask, Handled, Route};
use crate::sim::container::zone;
use crate::sim::world::{NODE, World};

pub(super) const HANDLERS: &[Route] = &[
    ("node.list", "GET /nodes", |world, ask| Ok(json!([entry(world, ask.principal)]).into())),
    ("node.network", "GET /nodes/{node}/network", |world, ask| {
        let [bridge, card] = ["/0", "/1"].map(|at| recorded!("get-node-network").pointer(at).cloned());
        let is_shown = |name: &&String| world.has(ask.principal, &zone(name), "SDN.Audit|SDN.Use");
        let bridges = world.bridges.iter().filter(is_shown).filter_map(|name| {
            let mut bridge = bridge.clone()?;
            bridge["iface"] = name.as_str().into();
            Some(bridge)
        });
        Ok(bridges.chain(card).collect::<Value>().into())
    }),
    ("cluster.next_id", "GET /cluster/nextid", next_id),
    ("cluster.resources", "GET /cluster/resources", |world, ask| {
        let kinds: [(&str, Resources); 4] =
            [("pool", pools), ("vm", guests), ("node", nodes), ("storage", storages)];
        let wanted = kinds.iter().filter(|(kind, _)| ask.get("type").is_none_or(|wanted| wanted == *kind));
        Ok(wanted.flat_map(|(_, rows)| rows(world, ask)).collect::<Value>().into())
    }),
    ("cluster.tasks", "GET /cluster/tasks", |world, ask| {
        let sees = world.has(ask.principal, "/", "Sys.Audit");
        let rows = world.workers.iter().rev().take(25).filter(|_| sees).map(task::cluster_row);
        Ok(rows.collect::<Value>().into())
    }),
    ("access.permissions", "GET /access/permissions", permissions),
    ("access.roles", "GET /access/roles", |world, _| {
        let rows = world.acl.roles.iter().map(|(role, privileges)| {
            json!({ "roleid": role, "privs": privileges.join(","), "special": u8::from(!role.starts_with("Felhom")) })
        });
        Ok(rows.collect::<Value>().into())
    }),
    ("access.token", "GET /access/users/{userid}/token/{tokenid}", |world, ask| {
        let (user, name) = (ask.variable("userid"), ask.variable("tokenid"));
        let token = world.acl.tokens.get(&format!("{user}!{name}"));
        let token = token.ok_or_else(|| said!("no such token '{name}' for user '{user}'"))?;
        Ok(json!({ "privsep": u8::from(token.privsep), "expire": 0 }).into())
    }),
    ("pool.list", "GET /pools", list_pools),
];

/// The node as the lists show it; load and space only to who may see them. Without pvestatd there are none, recording
/// `nodes-pvestatd-dead`.
fn entry(world: &World, principal: &Principal) -> Map<String, Value> {
    let mut row = fields(recorded!("get-nodes.root").pointer("/0").cloned().unwrap_or_default());
    let is_stale = world.is_statistics_daemon_down;
    if is_stale || !world.has(principal, &format!("/nodes/{NODE}"), "Sys.Audit") {
        row.retain(|key, _| {
            ["node", "id", "type", "status", "level", "ssl_fingerprint"].contains(&key.as_str())
        });
    }
    if is_stale {
        row.remove("level");
        row.insert("status".into(), "unknown".into());
    }
    row
}

fn next_id(world: &mut World, ask: &Ask<'_>) -> Handled {
    let is_taken = |vmid: &u32| world.guest(*vmid).is_some();
    let vmid = match ask.number("vmid") {
        Some(vmid) if is_taken(&vmid) => {
            return Err(Refusal::parameter("vmid", &said!("VM {vmid} already exists")));
        }
        Some(vmid) => vmid,
        None => (100..1_000_000).find(|vmid| !is_taken(vmid)).unwrap_or_default(),
    };
    Ok(vmid.to_string().into())
}

/// Lists one class of resources.
type Resources = fn(&World, &Ask<'_>) -> Vec<Value>;

fn guest(world: &World, vmid: u32) -> Option<Map<String, Value>> {
    let (node, container) = world.guest(vmid)?;
    let mut row = lxc::status(vmid, container);
    row.retain(|key, _| {
        !key.starts_with("pressure") && !["pid", "maxswap", "swap", "cpus"].contains(&key.as_str())
    });
    row.extend(fields(json!({
        "id": format!("lxc/{vmid}"), "node": node, "maxcpu": container.number("cores").unwrap_or(2), "memhost": 0,
        "template": u8::from(container.is_template()),
    })));
    row.extend(container.pool.as_ref().map(|pool| ("pool".into(), pool.as_str().into())));
    if world.is_statistics_daemon_down {
        // Recording `resources-pvestatd-dead`.
        row.retain(|key, _| ["node", "vmid", "id", "tags", "type", "lock"].contains(&key.as_str()));
        row.insert("status".into(), "unknown".into());
    }
    Some(row)
}

fn guests(world: &World, ask: &Ask<'_>) -> Vec<Value> {
    let seen =
        world.containers.keys().chain(world.moved.keys()).filter(|vmid| world.sees(ask.principal, **vmid));
    seen.filter_map(|vmid| guest(world, *vmid)).map(Value::Object).collect()
}

/// The pools that the token may audit, with their comments.
fn seen_pools<'w>(world: &'w World, ask: &Ask<'_>) -> impl Iterator<Item = (&'w String, &'w String)> {
    let sees = move |pool: &str| world.has(ask.principal, &format!("/pool/{pool}"), "Pool.Audit");
    world.pools.iter().filter(move |(pool, _)| sees(pool))
}

fn pools(world: &World, ask: &Ask<'_>) -> Vec<Value> {
    let row = |pool: &String| {
        json!({
            "id": format!("/pool/{pool}"), "type": "pool", "pool": pool, "cpu": 0, "maxcpu": 1, "mem": 0,
            "maxmem": 268_435_456_u64, "uptime": 0,
        })
    };
    seen_pools(world, ask).map(|(pool, _)| row(pool)).collect()
}

fn nodes(world: &World, ask: &Ask<'_>) -> Vec<Value> {
    let mut row = entry(world, ask.principal);
    row.remove("ssl_fingerprint");
    row.insert("cgroup-mode".into(), 1.into());
    alloc::vec![Value::Object(row)]
}

fn storages(world: &World, ask: &Ask<'_>) -> Vec<Value> {
    let seen = world
        .storages
        .iter()
        .filter(|(name, _)| world.has(ask.principal, &format!("/storage/{name}"), "Datastore.Audit"));
    let rows = seen.map(|(name, storage)| {
        let mut row = json!({
            "id": format!("storage/{NODE}/{name}"), "type": "storage", "storage": name, "node": NODE,
            "content": storage.content.join(","), "plugintype": storage.kind, "shared": u8::from(storage.kind == "nfs"),
            "status": if storage.is_active { "available" } else { "unknown" },
        });
        if storage.is_active {
            row["disk"] = storage.used.into();
            row["maxdisk"] = storage.total.into();
        }
        row
    });
    rows.collect()
}

fn permissions(world: &mut World, ask: &Ask<'_>) -> Handled {
    let principal = match ask.get("userid") {
        Some(other) if other != ask.principal.as_str() => {
            world.require(ask.principal, "/access", "Sys.Audit")?;
            Principal::token(other)
        }
        _ => ask.principal.clone(),
    };
    let held = |path: &str| -> Map<String, Value> {
        let held = world.held(&principal, path).into_iter();
        held.map(|(name, propagates)| (name, u8::from(propagates).into())).collect()
    };
    if let Some(path) = ask.get("path") {
        return Ok(json!({ path: held(path) }).into());
    }
    let mut paths: BTreeSet<String> = world.acl.entries.iter().map(|entry| entry.path.clone()).collect();
    let pooled = world.containers.iter().filter(|(_, container)| container.pool.is_some());
    paths.extend(pooled.map(|(vmid, _)| format!("/vms/{vmid}")));
    paths.extend(["/", "/access", "/nodes", "/storage", "/vms"].map(Into::into));
    let shown =
        paths.into_iter().map(|path| (path.clone(), held(&path))).filter(|(_, held)| !held.is_empty());
    Ok(shown.map(|(path, held)| (path, Value::Object(held))).collect::<Value>().into())
}

/// The pools that the token may audit, or the one that was asked for, which everybody may see.
fn list_pools(world: &mut World, ask: &Ask<'_>) -> Handled {
    if let Some(wanted) = ask.get("poolid") {
        let comment = world.pools.get(wanted).ok_or_else(|| said!("pool '{wanted}' does not exist"))?;
        let members = world.containers.iter().filter(|(_, ct)| ct.pool.as_deref() == Some(wanted));
        let members: Value = members
            .filter_map(|(vmid, _)| {
                let mut row = guest(world, *vmid)?;
                row.retain(|key, _| key != "pool" && key != "tags");
                Some(row)
            })
            .collect();
        return Ok(json!([{ "poolid": wanted, "comment": comment, "members": members }]).into());
    }
    let rows = seen_pools(world, ask).map(|(pool, comment)| json!({ "poolid": pool, "comment": comment }));
    Ok(rows.collect::<Value>().into())
}

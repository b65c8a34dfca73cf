//! The simulated node, the cluster that it is alone in, and its privileges and pools.
//!
//! Source: pve-manager `PVE/API2/Cluster.pm`, pve-access-control `PVE/API2/AccessControl.pm`; recordings `get-version`,
//! `get-nodes*`, `get-node-*`, `get-disks-*`, `get-certificates-info`, `get-cluster-*`, `lp-permissions*`,
//! `get-access-*`, `get-pools*`.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use super::answer::{Held, Principal, Refusal, Reply, set};
use super::ask::{Ask, Row};
use super::lxc;
use super::sentence;
use super::task;
use super::world::World;

/// Fingerprint of the recorded node's certificate.
const FINGERPRINT: &str =
    "12:01:20:AF:19:02:FB:C4:2B:EE:FA:79:13:5B:46:6C:6B:33:85:C2:40:D2:42:77:28:D7:18:79:DB:BA:A9:23";

pub(super) const HANDLERS: &[Row] = &[
    ("version", "GET /version", |world, ask| Ok(version(world, ask))),
    ("node.version", "GET /nodes/{node}/version", |world, ask| Ok(version(world, ask))),
    ("node.list", "GET /nodes", |world, ask| {
        Ok(Value::Array(alloc::vec![Value::Object(entry(world, ask.principal))]).into())
    }),
    ("node.status", "GET /nodes/{node}/status", |world, ask| Ok(status(world, ask))),
    ("node.time", "GET /nodes/{node}/time", |world, _| {
        Ok(json!({ "time": world.time(), "localtime": world.time(), "timezone": "Etc/UTC" }).into())
    }),
    ("node.network", "GET /nodes/{node}/network", |world, ask| {
        let is_shown = |bridge: &&String| {
            let path = format!("/sdn/zones/localnetwork/{bridge}");
            world.has(ask.principal, &path, &["SDN.Audit", "SDN.Use"], true)
        };
        let bridges = world.bridges.iter().filter(is_shown).map(|bridge| {
            json!({
                "iface": bridge, "type": "bridge", "method": "manual", "method6": "manual", "families": ["inet"],
                "active": 1, "autostart": 1, "priority": 3, "bridge_ports": "", "bridge_stp": "off", "bridge_fd": "0",
            })
        });
        Ok(Value::Array(bridges.collect()).into())
    }),
    ("node.services", "GET /nodes/{node}/services", |world, _| {
        let services = ["chrony", "cron", "pve-cluster", "pvedaemon", "pveproxy", "pvestatd"].map(|service| {
            let is_dead = service == "pvestatd" && world.is_statistics_daemon_down;
            let (state, active) = if is_dead { ("dead", "inactive") } else { ("running", "active") };
            json!({
                "service": service, "name": service, "desc": service, "state": state, "active-state": active,
                "unit-state": "enabled",
            })
        });
        Ok(Value::from(services.to_vec()).into())
    }),
    ("node.certificates", "GET /nodes/{node}/certificates/info", |world, _| {
        let subject = format!("/OU=PVE Cluster Node/O=Proxmox Virtual Environment/CN={}", world.node);
        Ok(json!([{
            "filename": "pve-ssl.pem", "fingerprint": FINGERPRINT, "subject": subject,
            "issuer": "/CN=Proxmox Virtual Environment/OU=felhom/O=PVE Cluster Manager CA", "san": ["127.0.0.1"],
            "notbefore": world.epoch - 86_400, "notafter": world.epoch + 62_000_000, "pem": "",
            "public-key-type": "rsaEncryption", "public-key-bits": 2048,
        }])
        .into())
    }),
    ("disk.list", "GET /nodes/{node}/disks/list", |_, _| {
        Ok(json!([{
            "devpath": "/dev/vda", "size": 274_877_906_944_u64, "model": "unknown", "vendor": "0x1af4",
            "serial": "unknown", "wwn": "unknown", "gpt": 0, "type": "unknown", "rpm": -1, "health": "UNKNOWN",
            "wearout": "N/A", "used": "mounted", "mounted": 1, "osdid": -1, "osdid-list": null,
        }])
        .into())
    }),
    ("disk.smart", "GET /nodes/{node}/disks/smart", |_, ask| match ask.get("disk") {
        Some("/dev/vda") => Ok(json!({ "health": "UNKNOWN" }).into()),
        _ => Err(Refusal::die(sentence::NO_DEVICE)),
    }),
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
    ("access.permissions", "GET /access/permissions", permissions),
    ("access.roles", "GET /access/roles", |world, _| {
        let rows = world.acl.roles.iter().map(|(role, privileges)| {
            json!({ "roleid": role, "privs": privileges.join(","), "special": u8::from(!role.starts_with("Felhom")) })
        });
        Ok(Value::Array(rows.collect()).into())
    }),
    ("access.token", "GET /access/users/{userid}/token/{tokenid}", |world, ask| {
        let (user, name) = (ask.variable("userid"), ask.variable("tokenid"));
        let token = world.acl.tokens.get(&format!("{user}!{name}"));
        let missing = || Refusal::die(sentence::NO_TOKEN.of(&[&name, &user]));
        let token = token.ok_or_else(missing)?;
        Ok(json!({ "privsep": u8::from(token.privsep), "expire": token.expire }).into())
    }),
    ("pool.list", "GET /pools", list_pools),
];

fn version(_: &mut World, _: &Ask<'_>) -> Reply {
    json!({ "version": "9.2.11", "release": "9.2", "repoid": "14a22df35955d97d" }).into()
}

/// The node as the lists show it; load and space only to who may see them. Without pvestatd there are none, recording
/// `nodes-pvestatd-dead`.
pub(super) fn entry(world: &World, principal: &Principal) -> Map<String, Value> {
    let row = json!({
        "node": world.node, "id": format!("node/{}", world.node), "type": "node", "status": "online", "level": "",
        "ssl_fingerprint": FINGERPRINT,
    });
    let mut row = row.as_object().cloned().unwrap_or_default();
    if world.is_statistics_daemon_down {
        row.remove("level");
        row.insert("status".into(), "unknown".into());
        return row;
    }
    if world.has(principal, &format!("/nodes/{}", world.node), &["Sys.Audit"], false) {
        let load = json!({
            "cpu": 0.009_429_280_397, "maxcpu": 2, "mem": 1_840_500_736_u64, "maxmem": 25_276_502_016_u64,
            "disk": 25_690_136_576_u64, "maxdisk": 270_553_174_016_u64, "uptime": world.now.as_secs() + 1370,
        });
        row.extend(load.as_object().cloned().unwrap_or_default());
    }
    row
}

fn status(world: &mut World, _: &Ask<'_>) -> Reply {
    json!({
        "uptime": world.now.as_secs() + 1370, "idle": 0, "cpu": 0.0021, "wait": 0, "loadavg": ["0.31", "0.27", "0.22"],
        "kversion": "Linux 6.18.44 #1 SMP PREEMPT_DYNAMIC @0", "pveversion": "pve-manager/9.2.11/14a22df35955d97d",
        "current-kernel": {
            "sysname": "Linux", "release": "6.18.44", "version": "#1 SMP PREEMPT_DYNAMIC @0", "machine": "x86_64",
        },
        "boot-info": { "mode": "legacy-bios" },
        "cpuinfo": {
            "cores": 2, "cpus": 2, "sockets": 1, "model": "AMD EPYC", "vendor": "AuthenticAMD", "family": "26",
            "mhz": "2596.098", "flags": "fpu vme de pse tsc msr", "hvm": "", "user_hz": 100,
        },
        "memory": {
            "total": 25_276_502_016_u64, "used": 1_886_232_576_u64, "free": 17_441_214_464_u64,
            "available": 23_390_269_440_u64,
        },
        "swap": { "total": 0, "used": 0, "free": 0 }, "ksm": { "shared": 0 },
        "rootfs": {
            "total": 270_553_174_016_u64, "used": 25_694_085_120_u64, "free": 244_859_088_896_u64,
            "avail": 71_878_664_192_u64,
        },
    })
    .into()
}

impl World {
    /// Adds a bridge to the node.
    pub fn add_bridge(&mut self, name: &str) {
        self.bridges.push(String::from(name));
    }
}

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
    let mut row = entry(world, ask.principal);
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

fn permissions(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    let principal = match ask.get("userid") {
        Some(other) if other != ask.principal.as_str() => {
            world.require(ask.principal, "/access", &["Sys.Audit"], false)?;
            Principal::token(other)
        }
        _ => ask.principal.clone(),
    };
    if let Some(path) = ask.get("path") {
        let held = json_of(&world.held(&principal, path));
        return Ok(json!({ path: held }).into());
    }
    let mut paths: BTreeSet<String> = world.acl.entries.iter().map(|entry| entry.path.clone()).collect();
    let pooled = world.containers.iter().filter(|(_, container)| container.pool.is_some());
    paths.extend(pooled.map(|(vmid, _)| format!("/vms/{vmid}")));
    paths.extend(["/", "/access", "/nodes", "/storage", "/vms"].map(Into::into));
    let held = paths.into_iter().map(|path| (path.clone(), world.held(&principal, &path)));
    let shown: Map<String, Value> =
        held.filter(|(_, held)| !held.is_empty()).map(|(path, held)| (path, json_of(&held))).collect();
    Ok(Value::Object(shown).into())
}

fn json_of(held: &Held) -> Value {
    Value::Object(
        held.iter().map(|(name, propagates)| (name.clone(), u8::from(*propagates).into())).collect(),
    )
}

/// The pools that the token may audit, or the one that was asked for, which everybody may see.
fn list_pools(world: &mut World, ask: &Ask<'_>) -> Result<Reply, Refusal> {
    if let Some(wanted) = ask.get("poolid") {
        let comment = world.pools.get(wanted);
        let comment = comment.ok_or_else(|| Refusal::die(sentence::NO_POOL.of(&[&wanted])))?;
        let members = world.containers.iter().filter(|(_, ct)| ct.pool.as_deref() == Some(wanted));
        let members: Value = members.filter_map(|(vmid, _)| member(world, *vmid)).collect();
        return Ok(json!([{ "poolid": wanted, "comment": comment, "members": members }]).into());
    }
    let sees = |pool: &str| world.has(ask.principal, &format!("/pool/{pool}"), &["Pool.Audit"], false);
    let pools = world.pools.iter().filter(|(pool, _)| sees(pool));
    let rows = pools.map(|(pool, comment)| json!({ "poolid": pool, "comment": comment }));
    Ok(Value::Array(rows.collect()).into())
}

//! The simulated node itself.
//!
//! Source: recordings `get-version`, `get-nodes*`, `get-node-*`, `get-disks-*`, `get-certificates-info`.

use alloc::format;
use alloc::string::String;

use serde_json::{Map, Value, json};

use super::acl::Principal;
use super::answer::{Refusal, Reply};
use super::route::{Ask, Row};
use super::sentence;
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

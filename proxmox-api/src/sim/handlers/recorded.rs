//! Reads that the state of the node hardly changes: answered as a recorded server did, with the little that does.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::{Value, json};

use crate::sim::answer::said;
use crate::sim::ask::Route;
use crate::sim::world::World;

/// What a recording answered.
macro_rules! recorded {
    ($name:literal) => {
        crate::sim::handlers::recorded::data(include_str!(concat!(
            "../../../../proxmox-types/fixtures/",
            $name,
            ".json"
        )))
    };
}
pub(super) use recorded;

/// `data` of the body of a recording.
pub(super) fn data(recording: &str) -> Value {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    read(read(recording)["body"].as_str().unwrap_or_default())["data"].take()
}

pub(super) const HANDLERS: &[Route] = &[
    ("version", "GET /version", |_, _| Ok(recorded!("get-version").into())),
    ("node.version", "GET /nodes/{node}/version", |_, _| Ok(recorded!("get-node-version").into())),
    ("node.status", "GET /nodes/{node}/status", |_, _| Ok(recorded!("get-node-status.root").into())),
    ("node.time", "GET /nodes/{node}/time", |world, _| {
        Ok(json!({ "time": world.time(), "localtime": world.time(), "timezone": "Etc/UTC" }).into())
    }),
    ("node.services", "GET /nodes/{node}/services", |world, _| Ok(services(world).into())),
    ("node.certificates", "GET /nodes/{node}/certificates/info", |world, _| {
        let mut certificates = recorded!("get-certificates-info.root");
        for certificate in certificates.as_array_mut().into_iter().flatten() {
            certificate["notbefore"] = (world.epoch - 86_400).into();
            certificate["notafter"] = (world.epoch + 62_000_000).into();
        }
        Ok(certificates.into())
    }),
    ("node.replication", "GET /nodes/{node}/replication", |_, _| Ok(json!([]).into())),
    ("disk.list", "GET /nodes/{node}/disks/list", |_, _| Ok(recorded!("get-disks-list").into())),
    ("disk.smart", "GET /nodes/{node}/disks/smart", |_, ask| match ask.get("disk") {
        Some("/dev/vda") => Ok(recorded!("get-disks-smart").into()),
        _ => Err(said!("not a valid block device").into()),
    }),
    ("cluster.status", "GET /cluster/status", |_, _| Ok(recorded!("get-cluster-status.root").into())),
    ("cluster.ha_resources", "GET /cluster/ha/resources", |_, _| {
        Ok(recorded!("get-cluster-ha-resources").into())
    }),
    ("backup.defaults", "GET /nodes/{node}/vzdump/defaults", |world, ask| {
        let mut defaults = recorded!("vzdump-defaults");
        let storage = ask.get("storage").unwrap_or("local");
        world.require_on(ask, storage, "Datastore.Audit|Datastore.AllocateSpace")?;
        defaults["storage"] = storage.into();
        Ok(defaults.into())
    }),
    ("lxc.interfaces", "GET /nodes/{node}/lxc/{vmid}/interfaces", |world, ask| {
        let is_running = world.container(ask.vmid())?.is_running;
        let data = if is_running { recorded!("get-lxc-interfaces") } else { Value::Null };
        Ok(data.into())
    }),
    ("lxc.migrate_preconditions", "GET /nodes/{node}/lxc/{vmid}/migrate", |world, ask| {
        let mut preconditions = recorded!("migrate-preconditions-full");
        preconditions["running"] = u8::from(world.container(ask.vmid())?.is_running).into();
        Ok(preconditions.into())
    }),
];

/// The services of a node that systemd started; the recorded one was started by something else.
fn services(world: &World) -> Value {
    let mut services = recorded!("get-node-services");
    for service in services.as_array_mut().into_iter().flatten() {
        let is_dead = service["name"] == "pvestatd" && world.is_statistics_daemon_down;
        let (state, active) = if is_dead { ("dead", "inactive") } else { ("running", "active") };
        service["state"] = state.into();
        service["active-state"] = active.into();
        service["unit-state"] = "enabled".into();
    }
    services
}

/// PVE's own roles, and others of the recorded server: name, and privileges in a list.
pub(crate) fn roles() -> impl Iterator<Item = (String, String)> {
    let roles = match recorded!("get-access-roles.root") {
        Value::Array(roles) => roles,
        _ => Vec::new(),
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    roles.into_iter().map(move |role| (text(&role["roleid"]), text(&role["privs"])))
}

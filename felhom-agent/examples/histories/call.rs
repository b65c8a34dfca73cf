//! The calls of the library that a program makes: each of them changes something.

use std::future::Future;
use std::pin::Pin;

use proxmox_api::sim::World;
use proxmox_api::{Client, Error, Started};
use proxmox_types::NodeName;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A changing call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Snapshot,
    Rollback,
    DeleteSnapshot,
    SetCores,
    SetTags,
    Describe,
    Resize,
    Start,
    Stop,
    Shutdown,
    Clone,
    Template,
    Destroy,
    Create,
    Restore,
    Backup,
    DeleteBackup,
    Move,
}

/// What became of a call.
pub(crate) type Settled = Result<Started, Error>;

type Settling<'c> = Pin<Box<dyn Future<Output = Settled> + 'c>>;

/// What a call is, and where what it sets can be seen: whether it is in effect, whoever brought it about.
struct Row {
    act: Act,
    settle: for<'c> fn(&'c Client, &'c NodeName, u32) -> Option<Settling<'c>>,
    is_in_effect: fn(&World, u32) -> bool,
}

const NOWHERE: fn(&World, u32) -> bool = |_, _| false;

const TEMPLATE: &str = "local:vztmpl/alpine-3.22-mini_3.22.0_amd64.tar.gz";
const GOLDEN: &str = "backup/vzdump-lxc-210-2026_11_24-05_46_14.tar.zst";

/// Parameters.
#[expect(clippy::needless_pass_by_value, reason = "what `json!` makes is handed in as it is")]
fn p<T: DeserializeOwned>(value: Value) -> Option<T> {
    proxmox_types::lenient::from_value(&value).ok()
}

/// A call at a container that needs no parameters.
macro_rules! plain {
    ($call:ident) => {
        |client, node, vmid| {
            let lxc = client.node(node).lxc(p(json!(vmid))?);
            Some(Box::pin(async move { lxc.$call().settle().await }))
        }
    };
}

/// A call of a container's snapshot that needs no parameters.
macro_rules! plain_snapshot {
    ($call:ident) => {
        |client, node, vmid| {
            let lxc = client.node(node).lxc(p(json!(vmid))?);
            let name = p(json!("before"))?;
            Some(Box::pin(async move { lxc.snapshot(&name).$call().settle().await }))
        }
    };
}

/// A call at a container with parameters.
macro_rules! at {
    ($call:ident, $params:expr) => {
        |client, node, vmid| {
            let lxc = client.node(node).lxc(p(json!(vmid))?);
            let params = p($params)?;
            Some(Box::pin(async move { lxc.$call(&params).settle().await }))
        }
    };
}

/// A call of a container's snapshot.
macro_rules! of_snapshot {
    ($call:ident, $params:expr) => {
        |client, node, vmid| {
            let lxc = client.node(node).lxc(p(json!(vmid))?);
            let (name, params) = (p(json!("before"))?, p($params)?);
            Some(Box::pin(async move { lxc.snapshot(&name).$call().with(params).settle().await }))
        }
    };
}

/// A call of the node with parameters in which the container may stand.
macro_rules! on {
    ($call:ident, |$vmid:ident| $params:expr) => {
        |client, node, $vmid| {
            let params = p($params)?;
            Some(Box::pin(async move { client.node(node).$call(&params).settle().await }))
        }
    };
}

fn option(world: &World, vmid: u32, name: &str) -> Value {
    world.containers.get(&vmid).and_then(|container| container.options.get(name)).cloned().unwrap_or_default()
}

const fn row(act: Act, settle: for<'c> fn(&'c Client, &'c NodeName, u32) -> Option<Settling<'c>>) -> Row {
    Row { act, settle, is_in_effect: NOWHERE }
}

const ROWS: &[Row] = &[
    row(Act::Snapshot, plain_snapshot!(create)),
    row(Act::Rollback, plain_snapshot!(rollback)),
    row(Act::DeleteSnapshot, plain_snapshot!(delete)),
    Row {
        is_in_effect: |world, vmid| option(world, vmid, "cores") == 2,
        ..row(Act::SetCores, at!(set_config, json!({ "cores": 2 })))
    },
    Row {
        is_in_effect: |world, vmid| option(world, vmid, "tags") == "a;b",
        ..row(Act::SetTags, at!(set_config, json!({ "tags": "a;b" })))
    },
    Row {
        is_in_effect: |world, vmid| {
            let container = world.containers.get(&vmid);
            container
                .and_then(|container| container.snapshots.get("before"))
                .is_some_and(|snapshot| snapshot.description == "new")
        },
        ..row(Act::Describe, of_snapshot!(set_config, json!({ "description": "new" })))
    },
    row(Act::Resize, at!(resize, json!({ "disk": "rootfs", "size": "+1G" }))),
    row(Act::Start, plain!(start)),
    row(Act::Stop, plain!(stop)),
    row(Act::Shutdown, plain!(shutdown)),
    row(Act::Clone, at!(clone_to, json!({ "newid": 500, "full": 1, "pool": "felhom" }))),
    row(Act::Template, plain!(template)),
    row(Act::Destroy, plain!(destroy)),
    row(
        Act::Create,
        on!(create, |vmid| json!({
            "vmid": vmid + 200, "ostemplate": TEMPLATE, "storage": "local-btrfs", "pool": "felhom",
        })),
    ),
    row(
        Act::Restore,
        on!(restore, |vmid| json!({
            "vmid": vmid + 300, "ostemplate": format!("local:{GOLDEN}"), "storage": "local-btrfs", "pool": "felhom",
        })),
    ),
    row(Act::Backup, on!(vzdump, |vmid| json!({ "vmid": vmid.to_string(), "storage": "local" }))),
    Row {
        is_in_effect: |world, _| {
            world.storages.get("local").is_some_and(|local| !local.volumes.contains_key(GOLDEN))
        },
        ..row(Act::DeleteBackup, |client, node, _| {
            let (storage, volume) = (p(json!("local"))?, p(json!(format!("local:{GOLDEN}")))?);
            Some(Box::pin(async move {
                client.node(node).storage(&storage).volume(&volume).delete().settle().await
            }))
        })
    },
    row(Act::Move, at!(move_volume, json!({ "volume": "rootfs", "storage": "local", "delete": 1 }))),
];

/// Every call.
pub(crate) fn all() -> Vec<Act> {
    ROWS.iter().map(|row| row.act).collect()
}

impl Act {
    fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.act == self)
    }

    /// Makes the call and learns what became of it.
    pub(crate) async fn settle(self, client: &Client, node: &NodeName, vmid: u32) -> Option<Settled> {
        Some((self.row()?.settle)(client, node, vmid)?.await)
    }

    /// Whether what it sets is in effect, whoever set it.
    pub(crate) fn is_in_effect(self, world: &World, vmid: u32) -> bool {
        self.row().is_some_and(|row| (row.is_in_effect)(world, vmid))
    }
}

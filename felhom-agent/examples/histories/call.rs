//! The calls of the library that a program makes: each of them changes something.

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
    CloneTo,
    Template,
    Destroy,
    Create,
    Restore,
    Backup,
    DeleteBackup,
    Move,
}

use Act::{
    Backup, CloneTo, Create, DeleteBackup, DeleteSnapshot, Describe, Destroy, Move, Resize, Restore,
    Rollback, SetCores, SetTags, Shutdown, Snapshot, Start, Stop, Template,
};

/// Every call.
pub(crate) const ALL: [Act; 18] = [
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
    CloneTo,
    Template,
    Destroy,
    Create,
    Restore,
    Backup,
    DeleteBackup,
    Move,
];

/// What became of a call.
pub(crate) type Outcome = Result<Started, Error>;

const TEMPLATE: &str = "local:vztmpl/alpine-3.22-mini_3.22.0_amd64.tar.gz";
const GOLDEN: &str = "backup/vzdump-lxc-210-2026_11_24-05_46_14.tar.zst";

/// Parameters.
#[expect(clippy::needless_pass_by_value, reason = "what `json!` makes is handed in as it is")]
fn p<T: DeserializeOwned>(value: Value) -> T {
    proxmox_types::lenient::from_value(&value).unwrap_or_else(|error| unreachable!("{value}: {error:?}"))
}

impl Act {
    /// Makes the call at a container and learns what became of it.
    pub(crate) async fn settle(self, client: &Client, node: &NodeName, vmid: u32) -> Outcome {
        let lxc = client.node(node).lxc(p(json!(vmid)));
        let name = p(json!("before"));
        let snapshot = lxc.snapshot(&name);
        match self {
            Snapshot => snapshot.create().settle().await,
            Rollback => snapshot.rollback().settle().await,
            DeleteSnapshot => snapshot.delete().settle().await,
            Describe => snapshot.set_config().with(p(json!({ "description": "new" }))).settle().await,
            SetCores => lxc.set_config(&p(json!({ "cores": 2 }))).settle().await,
            SetTags => lxc.set_config(&p(json!({ "tags": "a;b" }))).settle().await,
            Resize => lxc.resize(&p(json!({ "disk": "rootfs", "size": "+1G" }))).settle().await,
            Start => lxc.start().settle().await,
            Stop => lxc.stop().settle().await,
            Shutdown => lxc.shutdown().settle().await,
            Template => lxc.template().settle().await,
            Destroy => lxc.destroy().settle().await,
            CloneTo => lxc.clone_to(&p(json!({ "newid": 500, "full": 1, "pool": "felhom" }))).settle().await,
            Move => {
                let params = json!({ "volume": "rootfs", "storage": "local", "delete": 1 });
                lxc.move_volume(&p(params)).settle().await
            }
            Create | Restore | Backup | DeleteBackup => self.settle_at_node(client, node, vmid).await,
        }
    }

    async fn settle_at_node(self, client: &Client, node: &NodeName, vmid: u32) -> Outcome {
        let node = client.node(node);
        let new = |vmid: u32, source: &str| json!({ "vmid": vmid, "ostemplate": source, "storage": "local-btrfs", "pool": "felhom" });
        let golden = format!("local:{GOLDEN}");
        match self {
            Create => node.create(&p(new(vmid + 200, TEMPLATE))).settle().await,
            Restore => node.restore(&p(new(vmid + 300, &golden))).settle().await,
            Backup => node.vzdump(&p(json!({ "vmid": vmid.to_string(), "storage": "local" }))).settle().await,
            _ => node.storage(&p(json!("local"))).volume(&p(json!(golden))).delete().settle().await,
        }
    }

    /// Whether what it sets is in effect, whoever set it; never of what a worker does.
    pub(crate) fn is_in_effect(self, world: &World, vmid: u32) -> bool {
        let container = world.containers.get(&vmid);
        let option = |name: &str| container.and_then(|container| container.options.get(name)).cloned();
        let described = || Some(container?.snapshots.get("before")?.description == "new");
        match self {
            SetCores => option("cores") == Some(json!(2)),
            SetTags => option("tags") == Some(json!("a;b")),
            Describe => described().unwrap_or_default(),
            DeleteBackup => {
                world.storages.get("local").is_some_and(|local| !local.volumes.contains_key(GOLDEN))
            }
            _ => false,
        }
    }
}

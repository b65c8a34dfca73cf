//! What the simulated node holds at first: a golden image, two customers, a container for the self-test.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use core::time::Duration;

use proxmox_types::TokenId;

use super::acl::{Acl, Token};
use super::container::Container;
use super::storage::{Storage, Volume};
use super::world::World;

/// The agent's own token, with the least privileges.
const AGENT: &str = "felhom@pve!agent";

/// The id of the agent's own token.
#[expect(clippy::expect_used, reason = "it parses a constant, as every test of the simulated node does")]
pub(super) fn agent() -> TokenId {
    AGENT.parse().expect("a token id")
}

/// The date of the recordings.
const EPOCH: u64 = 1_795_500_000;

/// The roles of the least-privilege recipe, and PVE's own for everything.
const ROLES: [(&str, &str); 6] = [
    (
        "FelhomAgent",
        "VM.Audit,VM.Allocate,VM.Backup,VM.PowerMgmt,VM.Snapshot,VM.Snapshot.Rollback,VM.Config.Options,VM.Config.CPU,\
         VM.Config.Memory,VM.Config.Network,VM.Config.Disk",
    ),
    ("FelhomStore", "Datastore.Audit,Datastore.AllocateSpace"),
    ("FelhomNode", "Sys.Audit"),
    ("FelhomNet", "SDN.Use"),
    ("NoAccess", ""),
    (
        "Administrator",
        "Datastore.Allocate,Datastore.AllocateSpace,Datastore.AllocateTemplate,Datastore.Audit,Group.Allocate,\
         Mapping.Audit,Mapping.Modify,Mapping.Use,Permissions.Modify,Pool.Allocate,Pool.Audit,Realm.Allocate,\
         Realm.AllocateUser,SDN.Allocate,SDN.Audit,SDN.Use,Sys.AccessNetwork,Sys.Audit,Sys.Console,Sys.Incoming,\
         Sys.Modify,Sys.PowerMgmt,Sys.Syslog,User.Modify,VM.Allocate,VM.Audit,VM.Backup,VM.Clone,VM.Config.CPU,\
         VM.Config.Disk,VM.Config.Memory,VM.Config.Network,VM.Config.Options,VM.Console,VM.Migrate,VM.PowerMgmt,\
         VM.Replicate,VM.Snapshot,VM.Snapshot.Rollback",
    ),
];

/// The tokens: the agent's, one of root that is not separated, and one without any right.
const TOKENS: [(&str, &str, bool); 3] = [
    (AGENT, "0c7f2a4e-9b1d-4e6a-8f35-2d6b7c9e1a40", true),
    ("root@pam!full", "7b3e9d52-1c84-4f0a-9a6e-5d2f8b1c7e93", false),
    ("felhom@pve!none", "e41d6c0b-83f2-4a97-b5c8-9f0e3a7d2b16", true),
];

pub(super) fn node() -> World {
    World {
        node: "pve1".into(),
        other_nodes: alloc::vec![],
        now: Duration::ZERO,
        epoch: EPOCH,
        containers: containers(),
        storages: storages(),
        pools: BTreeMap::from([("felhom".into(), "containers of felhom-agent".into())]),
        bridges: alloc::vec!["vmbr0".into()],
        acl: acl(),
        ha_managed: alloc::vec![],
        replicated: alloc::vec![],
        is_daemon_down: false,
        is_statistics_daemon_down: false,
        received: alloc::vec![],
        durations: BTreeMap::new(),
        script: None,
        sent: 0,
        workers: alloc::vec![],
        faults: alloc::vec![],
        deferred: alloc::vec![],
        next_pid: 2000,
    }
}

fn acl() -> Acl {
    let mut acl = Acl::default();
    for (role, privileges) in ROLES {
        let privileges = privileges.split(',').filter(|name| !name.is_empty()).map(ToString::to_string);
        acl.roles.insert(role.into(), privileges.collect());
    }
    for (id, secret, privsep) in TOKENS {
        acl.tokens.insert(id.into(), Token { secret: secret.into(), privsep, expire: 0 });
    }
    let both = ["felhom@pve", AGENT];
    acl.grant("/pool/felhom", &both, "FelhomAgent");
    acl.grant("/storage/local", &both, "FelhomStore");
    acl.grant("/storage/local-btrfs", &both, "FelhomStore");
    acl.grant("/nodes/pve1", &both, "FelhomNode");
    acl.grant("/sdn/zones/localnetwork/vmbr0", &both, "FelhomNet");
    acl
}

fn rootfs(vmid: u32) -> (String, Volume) {
    let volume = Volume {
        content: "rootdir",
        format: "raw".into(),
        size: 1 << 30,
        time: EPOCH - 86_400,
        vmid: Some(vmid),
        ..Volume::default()
    };
    (format!("{vmid}/vm-{vmid}-disk-0.raw"), volume)
}

fn containers() -> BTreeMap<u32, Container> {
    let on = |storage: &str, vmid: u32| format!("{storage}:{},size=1G", rootfs(vmid).0);
    let net = "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:2C:02:F5,ip=dhcp,type=veth";
    let customer = |name: &str, storage: &str, vmid| {
        Container::new(name, &on(storage, vmid)).with("net0", net).in_pool("felhom")
    };
    BTreeMap::from([
        (100, customer("web1", "local-btrfs", 100).with("tags", "customer").running()),
        (101, customer("db1", "local", 101).with("onboot", 1)),
        (210, customer("golden", "local-btrfs", 210).with("features", "nesting=1,keyctl=1")),
        (300, customer("selftest", "local-btrfs", 300).with("tags", "felhom-selftest")),
    ])
}

fn storages() -> BTreeMap<String, Storage> {
    let mut local = Storage::new("dir", &["backup", "iso", "vztmpl", "rootdir", "images", "snippets"]);
    (local.total, local.used) = (270_553_174_016, 25_694_199_808);
    let template = Volume {
        content: "vztmpl",
        format: "tgz".into(),
        size: 1_372_520,
        time: EPOCH - 1050,
        ..Volume::default()
    };
    let golden = Volume {
        content: "backup",
        format: "tar.zst".into(),
        size: 1_414_031,
        time: EPOCH - 826,
        vmid: Some(210),
        notes: "golden".into(),
        config: containers().remove(&210).map(|golden| golden.options).unwrap_or_default(),
        ..Volume::default()
    };
    let mut local = local
        .with("vztmpl/alpine-3.22-mini_3.22.0_amd64.tar.gz", template)
        .with("backup/vzdump-lxc-210-2026_11_24-05_46_14.tar.zst", golden);
    let mut btrfs = Storage::new("btrfs", &["images", "rootdir"]);
    local.volumes.extend([rootfs(101)]);
    btrfs.volumes.extend([100, 210, 300].map(rootfs));
    BTreeMap::from([("local".into(), local), ("local-btrfs".into(), btrfs)])
}

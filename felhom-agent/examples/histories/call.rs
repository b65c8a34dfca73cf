//! The calls of the library that a program makes: each of them changes something.

use proxmox_api::scope;
use proxmox_api::sim::{Given, World};
use proxmox_api::{Client, Error, Started};
use serde_json::json;

/// Every call: its name in a history, its operation, and what it sends about the container `{vmid}`.
pub(crate) const ALL: [(&str, &str, &str); 18] = [
    ("Snapshot", "snapshot.create", ""),
    ("Rollback", "snapshot.rollback", ""),
    ("DeleteSnapshot", "snapshot.delete", ""),
    ("SetCores", "lxc.set_config", r#""cores":2"#),
    ("SetTags", "lxc.set_config", r#""tags":"a;b""#),
    ("Describe", "snapshot.set_config", r#""description":"new""#),
    ("Resize", "lxc.resize", r#""disk":"rootfs","size":"+1G""#),
    ("Start", "lxc.start", ""),
    ("Stop", "lxc.stop", ""),
    ("Shutdown", "lxc.shutdown", ""),
    ("CloneTo", "lxc.clone", r#""newid":500,"full":1,"pool":"felhom""#),
    ("Template", "lxc.template", ""),
    ("Destroy", "lxc.destroy", ""),
    (
        "Create",
        "lxc.create",
        r#""vmid":2{vmid},"ostemplate":"local:vztmpl/alpine-3.22-mini_3.22.0_amd64.tar.gz","storage":"local-btrfs","pool":"felhom""#,
    ),
    (
        "Restore",
        "lxc.restore",
        r#""vmid":3{vmid},"ostemplate":"local:{golden}","storage":"local-btrfs","pool":"felhom""#,
    ),
    ("Backup", "backup.create", r#""vmid":"{vmid}","storage":"local""#),
    ("DeleteBackup", "volume.delete", ""),
    ("Move", "lxc.move_volume", r#""volume":"rootfs","storage":"local","delete":1"#),
];

/// What became of a call.
pub(crate) type Outcome = Result<Started, Error>;

/// The backup that is restored and deleted.
const GOLDEN: &str = "backup/vzdump-lxc-210-2026_11_24-05_46_14.tar.zst";

/// Makes the call at a container and learns what became of it.
pub(crate) async fn settle(act: &str, client: &Client, vmid: u32) -> Outcome {
    let (_, operation, parameters) = ALL.into_iter().find(|(name, ..)| *name == act).unwrap_or_default();
    let parameters = parameters.replace("{vmid}", &vmid.to_string()).replace("{golden}", GOLDEN);
    let place = [
        ("node", "pve1".into()),
        ("vmid", vmid.to_string()),
        ("snapname", "before".into()),
        ("storage", "local".into()),
        ("volume", format!("local:{GOLDEN}")),
    ];
    let parameters = serde_json::from_str(&format!("{{{parameters}}}")).unwrap_or_default();
    let place = place.map(|(name, value)| (name.to_owned(), value)).into();
    let mut given = Given::new(place, parameters);
    given.is_settled = true;
    let made = scope::make(client, operation, &mut given).await;
    let made = made.unwrap_or_else(|reason| unreachable!("{act}: {reason}"));
    made.answer.map(|_| made.started.unwrap_or(Started::Done))
}

/// Whether what it sets is in effect, whoever set it; never of what a worker does.
pub(crate) fn is_in_effect(act: &str, world: &World, vmid: u32) -> bool {
    let container = world.containers.get(&vmid);
    let option = |name: &str| container.and_then(|container| container.options.get(name)).cloned();
    let described = || Some(container?.snapshots.get("before")?.description == "new");
    match act {
        "SetCores" => option("cores") == Some(json!(2)),
        "SetTags" => option("tags") == Some(json!("a;b")),
        "Describe" => described().unwrap_or_default(),
        "DeleteBackup" => {
            world.storages.get("local").is_some_and(|local| !local.volumes.contains_key(GOLDEN))
        }
        _ => false,
    }
}

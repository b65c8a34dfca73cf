//! The life of a container: created, started, snapshotted, changed, rolled back, backed up, restored and destroyed.
//!
//! On the simulated node, or on the real host that the environment names. The assertions are the same, and whatever happens, what was
//! made is destroyed at the end.

use std::env;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use felhom_agent::config::{Config, Environment};
use proxmox_api::sim::Sim;
use proxmox_api::{Client, ConfigChange, Error, Lxc, Node, Patience, Started};
use proxmox_types::params::{
    CreateParams, DestroyParams, NewContainer, RestoreParams, SetConfigParams, SnapshotParams, VzdumpParams,
};
use proxmox_types::property::{Property, RootFs};
use proxmox_types::{
    BackupVolume, CommonOptions, Content, GuestStatus, LxcOptions, NodeName, PoolId, SnapshotEntry,
    SnapshotName, StorageId, TemplateVolume, Vmid, VolumeId,
};

use serde_json::json;

use crate::agent::Agent;
use crate::node;

const PATIENCE: Patience = Patience::new(Duration::from_mins(3));

/// Where the suite runs, and with what.
struct LifeSite {
    client: Client,
    node: NodeName,
    /// For containers; it must be able to snapshot.
    storage: StorageId,
    template: TemplateVolume,
    pool: Option<PoolId>,
}

impl LifeSite {
    /// A real host if `FELHOM_PVE_URL` is set, else the simulated node in virtual time.
    ///
    /// A real host needs `FELHOM_PVE_TOKEN`, `FELHOM_PVE_PIN` or `FELHOM_PVE_CA`, `FELHOM_PVE_NODE`,
    /// `FELHOM_PVE_STORAGE` and `FELHOM_PVE_TEMPLATE` as well, and takes `FELHOM_PVE_POOL`.
    fn of_environment() -> Self {
        let Ok(url) = env::var("FELHOM_PVE_URL") else { return Self::simulated() };
        let var =
            |name: &str| env::var(name).unwrap_or_else(|_| panic!("FELHOM_PVE_URL is set and {name} is not"));
        let (pin, ca) = (env::var("FELHOM_PVE_PIN").ok(), env::var("FELHOM_PVE_CA").ok());
        assert!(
            pin.is_some() || ca.is_some(),
            "FELHOM_PVE_URL is set and neither FELHOM_PVE_PIN nor FELHOM_PVE_CA is"
        );
        let tls = json!({ "pins": pin.as_slice(), "ca_file": ca });
        let node = var("FELHOM_PVE_NODE");
        let config = json!({ "url": url, "node": node, "token": var("FELHOM_PVE_TOKEN"), "tls": tls });
        Self {
            storage: var("FELHOM_PVE_STORAGE").parse().unwrap(),
            template: var("FELHOM_PVE_TEMPLATE").parse().unwrap(),
            pool: env::var("FELHOM_PVE_POOL").ok().map(|pool| pool.parse().unwrap()),
            ..Self::over_tls(&Agent::with_text(&config.to_string()))
        }
    }

    /// The client of an agent with this configuration.
    fn over_tls(agent: &Agent) -> Self {
        let config = Config::load(&agent.path("config.json"), &Environment::default()).unwrap();
        let client = felhom_agent::wiring::connect(&config).unwrap().client;
        Self { client, node: config.node, ..Self::simulated() }
    }

    fn simulated() -> Self {
        Self {
            client: Sim::new().client(),
            node: "pve1".parse().unwrap(),
            storage: "local-btrfs".parse().unwrap(),
            template: "local:vztmpl/alpine-3.22-mini_3.22.0_amd64.tar.gz".parse().unwrap(),
            pool: Some("felhom".parse().unwrap()),
        }
    }
}

/// What was made, and has to be destroyed.
#[derive(Default)]
struct Made {
    containers: Vec<Vmid>,
    backups: Vec<VolumeId>,
}

struct Life {
    place: LifeSite,
    made: Mutex<Made>,
}

impl Life {
    fn node(&self) -> Node<'_> {
        self.place.client.node(&self.place.node)
    }

    fn lxc(&self, vmid: Vmid) -> Lxc<'_> {
        self.node().lxc(vmid)
    }

    async fn live(&self) {
        let vmid = self.create().await;
        self.start(vmid).await;
        self.snapshot_change_and_roll_back(vmid).await;
        let backup = self.back_up(vmid).await;
        let copy = self.restore(&backup).await;
        // With the container goes the right to its backups.
        self.delete_backups().await;
        self.destroy(copy).await;
        self.destroy(vmid).await;
    }

    async fn create(&self) -> Vmid {
        let place = &self.place;
        let rootfs: RootFs = proxmox_types::property::parse(&format!("{}:1", place.storage)).unwrap();
        let params = |vmid| {
            let mut params = CreateParams::new(vmid, place.template.clone());
            params.new.storage = Some(place.storage.clone());
            params.new.pool.clone_from(&place.pool);
            params.options = LxcOptions {
                common: CommonOptions {
                    hostname: "life-of-a-container".parse().ok(),
                    memory: Some(128),
                    ..CommonOptions::default()
                },
                rootfs: Some(Property::new(rootfs.clone())),
                unprivileged: Some(true),
                ..LxcOptions::default()
            };
            params
        };
        let node = self.node();
        let created = place.client.cluster().with_next_id(|vmid| node.create(&params(vmid))).await;
        let vmid = self.is_made(created).await;
        assert_eq!(self.memory(vmid).await, Some(128));
        assert_eq!(self.status(vmid).await, GuestStatus::Stopped);
        let feature = self.lxc(vmid).feature(proxmox_api::FeatureName::Snapshot).await.unwrap();
        assert!(feature.has_feature, "it can snapshot");
        vmid
    }

    /// Waits for a container that is being made.
    async fn is_made(&self, made: Result<(Vmid, Result<Started, Error>), Error>) -> Vmid {
        let (vmid, started) = made.unwrap();
        self.made.lock().unwrap().containers.push(vmid);
        self.place.client.wait(started.unwrap(), PATIENCE).await.unwrap();
        vmid
    }

    async fn status(&self, vmid: Vmid) -> GuestStatus {
        self.lxc(vmid).status().await.unwrap().status
    }

    async fn memory(&self, vmid: Vmid) -> Option<u64> {
        self.lxc(vmid).config().await.unwrap().options.common.memory
    }

    async fn start(&self, vmid: Vmid) {
        self.lxc(vmid).start().run().await.unwrap();
        assert_eq!(self.status(vmid).await, GuestStatus::Running);
        let again = self.lxc(vmid).start().await;
        let is_refused = again.as_ref().is_err_and(|error| error.to_string().contains("already running"));
        assert!(is_refused, "a second start is {again:?}");
    }

    async fn snapshot_change_and_roll_back(&self, vmid: Vmid) {
        let (lxc, name): (_, SnapshotName) = (self.lxc(vmid), "before".parse().unwrap());
        let snapshot = lxc.snapshot(&name);
        let described = SnapshotParams { description: Some("life".into()) };
        snapshot.create().with(described).run().await.unwrap();
        let current = lxc.snapshots().await.unwrap().into_iter().find(SnapshotEntry::is_current);
        assert_eq!(current.and_then(|entry| entry.parent), Some(name.clone()));
        assert!(snapshot.create().run().await.is_err(), "a name that is taken is refused");
        let options = CommonOptions { memory: Some(256), ..CommonOptions::default() }.into();
        let digest = lxc.config().await.unwrap().digest;
        let change = SetConfigParams { options, digest, ..SetConfigParams::default() };
        assert!(matches!(lxc.apply(&change).await.unwrap(), ConfigChange::Live), "memory changes at once");
        assert!(lxc.set_config(&change).await.is_err(), "the digest is outdated now");
        assert_eq!(self.memory(vmid).await, Some(256));
        snapshot.rollback().run().await.unwrap();
        assert_eq!(self.memory(vmid).await, Some(128), "the rollback took the change back");
        assert_eq!(self.status(vmid).await, GuestStatus::Stopped, "a rollback stops it");
        snapshot.delete().run().await.unwrap();
        assert_eq!(lxc.snapshots().await.unwrap().len(), 1, "only the running state is left");
    }

    async fn back_up(&self, vmid: Vmid) -> Content {
        let storage: StorageId = self.place.template.volume().storage().parse().unwrap();
        let params = VzdumpParams { storage: Some(storage.clone()), ..VzdumpParams::new(vmid.into()) };
        let ended = self.node().vzdump(&params).run().await.unwrap();
        let upid = ended.upid.expect("a backup is a task");
        let made = self.node().storage(&storage).backups_made_by(&upid).await.unwrap();
        self.made.lock().unwrap().backups.extend(made.iter().map(|content| content.volid.clone()));
        assert_eq!(made.iter().map(|backup| backup.vmid).collect::<Vec<_>>(), [Some(vmid)]);
        made.into_iter().next().unwrap()
    }

    async fn restore(&self, backup: &Content) -> Vmid {
        let place = &self.place;
        let archive: BackupVolume = backup.volid.to_string().parse().unwrap();
        let params = |vmid| {
            let (storage, pool) = (Some(place.storage.clone()), place.pool.clone());
            RestoreParams::new(NewContainer { storage, pool, ..NewContainer::from(vmid) }, archive.clone())
        };
        let node = self.node();
        let restored = place.client.cluster().with_next_id(|vmid| node.restore(&params(vmid))).await;
        let vmid = self.is_made(restored).await;
        let options = self.lxc(vmid).config().await.unwrap().options;
        let name = options.common.hostname.map(|name| name.to_string());
        assert_eq!(name.as_deref(), Some("life-of-a-container"));
        assert_eq!((options.common.memory, options.unprivileged), (Some(128), Some(true)));
        vmid
    }

    async fn destroy(&self, vmid: Vmid) {
        self.lxc(vmid).destroy().run().await.unwrap();
        self.made.lock().unwrap().containers.retain(|made| *made != vmid);
        assert!(self.lxc(vmid).config().await.is_err(), "{vmid} is gone");
    }

    async fn delete_backups(&self) {
        let backups = std::mem::take(&mut self.made.lock().unwrap().backups);
        for volume in &backups {
            let storage: StorageId = volume.storage().parse().unwrap();
            let node = self.node();
            node.storage(&storage).volume(volume).delete().run().await.unwrap();
            let left = node.storage(&storage).content().await.unwrap();
            assert!(left.iter().all(|content| content.volid != *volume), "{volume} is gone");
        }
    }

    /// Destroys whatever was made and is still there.
    async fn clean(&self) {
        self.delete_backups().await;
        let containers = self.made.lock().unwrap().containers.clone();
        for vmid in containers {
            let params = DestroyParams { force: Some(true), ..DestroyParams::default() };
            self.lxc(vmid).destroy().with(params).run().await.unwrap();
        }
    }
}

/// An assertion that fails leaves the chance to clean up.
async fn live(place: LifeSite) {
    let life = Arc::new(Life { place, made: Mutex::default() });
    let living = life.clone();
    let lived = tokio::task::LocalSet::new();
    let lived = lived.run_until(async { tokio::task::spawn_local(async move { living.live().await }).await });
    let lived = lived.await;
    life.clean().await;
    lived.unwrap();
}

#[tokio::test]
async fn a_container_lives_and_leaves_nothing() {
    live(LifeSite::of_environment()).await;
}

#[tokio::test]
async fn a_container_lives_over_tls() {
    let node = node::Node::start("");
    live(LifeSite::over_tls(&Agent::of(&node))).await;
}

//! The life of a container: created, started, snapshotted, changed, rolled back, backed up, restored and destroyed.
//!
//! On the simulated node, or on the real host that the environment names. The assertions are the same, and whatever happens, what was
//! made is destroyed at the end.

use std::env;
use std::time::Duration;

use felhom_agent::config::{Config, Environment};
use proxmox_api::sim::Sim;
use proxmox_api::{Client, ConfigChange, Error, Lxc, Patience};
use proxmox_types::params::{
    CreateParams, DestroyParams, RestoreParams, SetConfigParams, SnapshotParams, VzdumpParams,
};
use proxmox_types::property::{Property, RootFs};
use proxmox_types::{
    BackupVolume, Content, GuestStatus, LxcOptions, NodeName, PoolId, SnapshotEntry, SnapshotName, StorageId,
    TemplateVolume, Vmid, VolumeId,
};

use serde_json::json;

use crate::agent::Agent;
use crate::node::Node;

const PATIENCE: Patience = Patience::new(Duration::from_mins(3));

/// Where the suite runs, and with what.
struct Place {
    client: Client,
    node: NodeName,
    /// For containers; it must be able to snapshot.
    storage: StorageId,
    template: TemplateVolume,
    pool: Option<PoolId>,
}

impl Place {
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

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What was made, and has to be destroyed.
#[derive(Default)]
struct Made {
    containers: Vec<Vmid>,
    backups: Vec<VolumeId>,
}

struct Life {
    place: Place,
    made: Made,
}

/// An assertion that leaves the test its chance to clean up.
macro_rules! ensure {
    ($holds:expr, $($text:tt)*) => {
        if !$holds {
            return Err(format!($($text)*).into());
        }
    };
}

impl Life {
    fn lxc(&self, vmid: Vmid) -> Lxc<'_> {
        self.place.client.node(&self.place.node).lxc(vmid)
    }

    async fn live(&mut self) -> Outcome<()> {
        let vmid = self.create().await?;
        self.start(vmid).await?;
        self.snapshot_change_and_roll_back(vmid).await?;
        let backup = self.back_up(vmid).await?;
        let copy = self.restore(&backup).await?;
        // With the container goes the right to its backups.
        self.delete_backups().await?;
        self.destroy(copy).await?;
        self.destroy(vmid).await
    }

    async fn create(&mut self) -> Outcome<Vmid> {
        let place = &self.place;
        let rootfs: RootFs = proxmox_types::property::parse(&format!("{}:1", place.storage))?;
        let params = |vmid| {
            let mut params = CreateParams::new(vmid, place.template.clone());
            params.storage = Some(place.storage.clone());
            params.pool.clone_from(&place.pool);
            params.options = LxcOptions {
                hostname: "life-of-a-container".parse().ok(),
                memory: Some(128),
                rootfs: Some(Property::new(rootfs.clone())),
                unprivileged: Some(true),
                ..LxcOptions::default()
            };
            params
        };
        let node = place.client.node(&place.node);
        let (vmid, started) = place.client.cluster().with_next_id(|vmid| node.create(&params(vmid))).await?;
        self.made.containers.push(vmid);
        self.place.client.wait(started?, PATIENCE).await?;
        let config = self.lxc(vmid).config().await?;
        ensure!(config.options.memory == Some(128), "memory is {:?}", config.options.memory);
        ensure!(self.status(vmid).await? == GuestStatus::Stopped, "a new container is stopped");
        ensure!(
            self.lxc(vmid).feature(proxmox_api::FeatureName::Snapshot).await?.has_feature,
            "it can snapshot"
        );
        Ok(vmid)
    }

    async fn status(&self, vmid: Vmid) -> Result<GuestStatus, Error> {
        Ok(self.lxc(vmid).status().await?.status)
    }

    async fn start(&self, vmid: Vmid) -> Outcome<()> {
        let start = || self.lxc(vmid).start();
        start().run().await?;
        ensure!(self.status(vmid).await? == GuestStatus::Running, "it was started");
        let again = start().await;
        ensure!(
            again.as_ref().is_err_and(|error| error.to_string().contains("already running")),
            "a second start is {again:?}"
        );
        Ok(())
    }

    async fn snapshot_change_and_roll_back(&self, vmid: Vmid) -> Outcome<()> {
        let (lxc, name): (_, SnapshotName) = (self.lxc(vmid), "before".parse()?);
        let snapshot = lxc.snapshot(&name);
        snapshot.create().with(SnapshotParams { description: Some("life".into()) }).run().await?;
        let current = lxc.snapshots().await?.into_iter().find(SnapshotEntry::is_current);
        ensure!(
            current.and_then(|entry| entry.parent) == Some(name.clone()),
            "it descends from the snapshot"
        );
        let again = snapshot.create().run().await;
        ensure!(again.is_err(), "a name that is taken is refused");
        let options = LxcOptions { memory: Some(256), ..LxcOptions::default() };
        let digest = lxc.config().await?.digest;
        let change = SetConfigParams { options, digest, ..SetConfigParams::default() };
        ensure!(matches!(lxc.apply(&change).await?, ConfigChange::Live), "memory changes at once");
        ensure!(lxc.set_config(&change).await.is_err(), "the digest is outdated now");
        ensure!(lxc.config().await?.options.memory == Some(256), "memory was changed");
        snapshot.rollback().run().await?;
        ensure!(lxc.config().await?.options.memory == Some(128), "the rollback took the change back");
        ensure!(self.status(vmid).await? == GuestStatus::Stopped, "a rollback stops it");
        snapshot.delete().run().await?;
        ensure!(lxc.snapshots().await?.len() == 1, "only the running state is left");
        Ok(())
    }

    async fn back_up(&mut self, vmid: Vmid) -> Outcome<Content> {
        let node = self.place.client.node(&self.place.node);
        let storage: StorageId = self.place.template.volume().storage().parse()?;
        let params = VzdumpParams { storage: Some(storage.clone()), ..VzdumpParams::new(vmid.into()) };
        let ended = node.vzdump(&params).run().await?;
        let upid = ended.upid.as_ref().ok_or("a backup is a task")?;
        let made = node.storage(&storage).backups_made_by(upid).await?;
        self.made.backups.extend(made.iter().map(|content| content.volid.clone()));
        ensure!(made.len() == 1, "one backup was made, not {made:?}");
        let backup = made.into_iter().next().ok_or("it is there")?;
        ensure!(backup.vmid == Some(vmid), "it is of {vmid}, not of {:?}", backup.vmid);
        Ok(backup)
    }

    async fn restore(&mut self, backup: &Content) -> Outcome<Vmid> {
        let place = &self.place;
        let archive: BackupVolume = backup.volid.to_string().parse()?;
        let params = |vmid| RestoreParams {
            storage: Some(place.storage.clone()),
            pool: place.pool.clone(),
            ..RestoreParams::new(vmid, archive.clone())
        };
        let node = place.client.node(&place.node);
        let (vmid, started) = place.client.cluster().with_next_id(|vmid| node.restore(&params(vmid))).await?;
        self.made.containers.push(vmid);
        self.place.client.wait(started?, PATIENCE).await?;
        let options = self.lxc(vmid).config().await?.options;
        let name = options.hostname.map(|name| name.to_string());
        ensure!(name.as_deref() == Some("life-of-a-container"), "the copy is called {name:?}");
        ensure!(
            options.memory == Some(128) && options.unprivileged == Some(true),
            "the copy is like the original"
        );
        Ok(vmid)
    }

    async fn destroy(&mut self, vmid: Vmid) -> Outcome<()> {
        self.lxc(vmid).destroy().run().await?;
        self.made.containers.retain(|made| *made != vmid);
        ensure!(self.lxc(vmid).config().await.is_err(), "{vmid} is gone");
        Ok(())
    }

    async fn delete_backups(&mut self) -> Outcome<()> {
        let node = self.place.client.node(&self.place.node);
        for volume in &std::mem::take(&mut self.made.backups) {
            let storage: StorageId = volume.storage().parse()?;
            node.storage(&storage).volume(volume).delete().run().await?;
            let left = node.storage(&storage).content().await?;
            ensure!(left.iter().all(|content| content.volid != *volume), "{volume} is gone");
        }
        Ok(())
    }

    /// Destroys whatever was made and is still there.
    async fn clean(&mut self) -> Outcome<()> {
        self.delete_backups().await?;
        for vmid in &self.made.containers {
            let params = DestroyParams { force: Some(true), ..DestroyParams::default() };
            self.lxc(*vmid).destroy().with(params).run().await?;
        }
        Ok(())
    }
}

async fn live(place: Place) {
    let mut life = Life { place, made: Made::default() };
    let lived = life.live().await;
    let cleaned = life.clean().await;
    lived.unwrap();
    cleaned.unwrap();
}

#[tokio::test]
async fn a_container_lives_and_leaves_nothing() {
    live(Place::of_environment()).await;
}

#[tokio::test]
async fn a_container_lives_over_tls() {
    let node = Node::start("");
    live(Place::over_tls(&Agent::of(&node))).await;
}

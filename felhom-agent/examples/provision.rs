//! Provisions a container from a golden backup, shows what the server says meanwhile, and takes it away again.
//!
//! On the host of a configuration, over the production transport:
//! `cargo run --example provision -- /etc/felhom/agent.json local:backup/vzdump-lxc-210-2026_11_24-05_46_14.tar.zst local-zfs`.
//! Without arguments on the simulated node, where waiting takes no time.

use std::env;
use std::error::Error;
use std::path::Path;

use felhom_agent::config::{Config, Environment};
use felhom_agent::wiring;
use proxmox_api::sim::Sim;
use proxmox_api::{Client, Error as ApiError, Patience, Started};
use proxmox_types::params::{NewContainer, RestoreParams, SnapshotParams};
use proxmox_types::{BackupVolume, NodeName, StorageId};

/// Where to provision, and from what.
struct Provisioning {
    client: Client,
    node: NodeName,
    archive: BackupVolume,
    storage: StorageId,
}

impl Provisioning {
    /// As the arguments say: a configuration, a backup and a storage for the container, or nothing at all.
    fn read(arguments: &[String]) -> Result<Self, Box<dyn Error>> {
        match arguments {
            [] => Ok(Self {
                client: Sim::new().client(),
                node: "pve1".parse()?,
                archive: "local:backup/vzdump-lxc-210-2026_11_24-05_46_14.tar.zst".parse()?,
                storage: "local-btrfs".parse()?,
            }),
            [path, archive, storage] => {
                let config = Config::load(Path::new(path), &Environment::of_process())?;
                let client = wiring::connect(&config)?.client;
                Ok(Self { client, node: config.node, archive: archive.parse()?, storage: storage.parse()? })
            }
            _ => Err("usage: provision [CONFIG BACKUP STORAGE]".into()),
        }
    }

    async fn provision(&self) -> Result<(), Box<dyn Error>> {
        let node = self.client.node(&self.node);
        let restore = |vmid| {
            let storage = Some(self.storage.clone());
            let pool = "felhom".parse().ok();
            let new = NewContainer { storage, pool, ..NewContainer::from(vmid) };
            node.restore(&RestoreParams::new(new, self.archive.clone()))
        };
        let (vmid, started) = self.client.cluster().with_next_id(restore).await?;
        println!("restoring container {vmid}");
        self.follow(started?).await?;
        let ct = node.lxc(vmid);
        let lived = async {
            println!("starting it");
            self.follow(ct.start().settle().await?).await?;
            println!("taking a snapshot");
            let name = "provisioned".parse()?;
            let described = SnapshotParams { description: Some("as it was provisioned".into()) };
            self.follow(ct.snapshot(&name).create().with(described).settle().await?).await?;
            Ok::<(), Box<dyn Error>>(())
        };
        let lived = lived.await;
        println!("taking it away again");
        if ct.status().await?.is_running() {
            ct.stop().run().await?;
        }
        ct.destroy().run().await?;
        println!("container {vmid} is gone");
        lived
    }

    /// Waits for a task and prints its log while it grows.
    async fn follow(&self, started: Started) -> Result<(), ApiError> {
        let Some(upid) = started.upid() else { return Ok(()) };
        let mut print = |line: &str| println!("  {line}");
        let ended = self.client.task(upid).wait_with_log(Patience::default(), &mut print).await?;
        println!("  done after {:.1} s, {} warnings", ended.waited.as_secs_f64(), ended.warnings);
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let order = Provisioning::read(&arguments)?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(order.provision())
}

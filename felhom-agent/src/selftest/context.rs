//! What the checks share: the configuration, the connection, and answers that several of them look at.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use proxmox_api::{Client, Error};
use proxmox_types::{NodeEntry, Resource, Rows, StorageStatus, Version};
use tokio::sync::OnceCell;

use crate::config::{Config, ConfigError};
use crate::connection::Connection;
use crate::report::exit::Exit;
use crate::report::finding::Finding;
use crate::tls::TlsError;

/// What the checks share.
#[derive(Debug)]
pub struct Context {
    /// The configuration, or why there is none.
    pub config: Result<Config, ConfigError>,
    /// The connection, or why there is none.
    pub connection: Option<Result<Connection, TlsError>>,
    probe: OnceCell<Probe>,
    nodes: OnceCell<Result<Rows<NodeEntry>, Arc<Error>>>,
    storages: OnceCell<Result<Rows<StorageStatus>, Arc<Error>>>,
    guests: OnceCell<Result<Rows<Resource>, Arc<Error>>>,
}

/// The first request and what came of it.
#[derive(Debug)]
pub struct Probe {
    /// The answer.
    pub answer: Result<Version, Error>,
    /// How long it took.
    pub took: Duration,
    /// The server's clock less ours in seconds, halfway through the request; nothing without an answer.
    pub skew: Option<i64>,
}

impl Context {
    /// A context with nothing asked yet.
    pub fn new(
        config: Result<Config, ConfigError>,
        connection: Option<Result<Connection, TlsError>>,
    ) -> Self {
        Self {
            config,
            connection,
            probe: OnceCell::new(),
            nodes: OnceCell::new(),
            storages: OnceCell::new(),
            guests: OnceCell::new(),
        }
    }

    /// A context whose connection is made as the configuration says, if there is one.
    pub fn new_wired(
        config: Result<Config, ConfigError>,
        connect: impl FnOnce(&Config) -> Result<Connection, TlsError>,
    ) -> Self {
        let connection = config.as_ref().ok().map(connect);
        Self::new(config, connection)
    }

    /// The version of PVE, if it was asked for and answered.
    pub fn pve_version(&self) -> Option<&str> {
        self.probe.get()?.answer.as_ref().ok().map(|version| version.version.as_str())
    }

    /// The configuration and the client, for checks that need both.
    pub fn parts(&self) -> Option<(&Config, &Connection)> {
        let connection = self.connection.as_ref()?.as_ref().ok()?;
        Some((self.config.as_ref().ok()?, connection))
    }

    /// The same for a check, which is skipped without them.
    pub fn connected(&self) -> Result<(&Config, &Connection), Box<Finding>> {
        // Nothing was checked, whatever the run was asked to leave out.
        self.parts().ok_or_else(|| Box::new(Finding::skip("there is no configuration").ending(Exit::Config)))
    }

    /// The first request: the version, which costs nothing and proves the way there and the token.
    pub async fn probe(&self, connection: &Connection) -> &Probe {
        self.probe.get_or_init(|| probe(&connection.client)).await
    }

    /// The nodes of the cluster.
    pub async fn nodes(&self, connection: &Connection) -> Result<&Rows<NodeEntry>, Arc<Error>> {
        let ask = || async { connection.client.nodes().await.map_err(Arc::new) };
        self.nodes.get_or_init(ask).await.as_ref().map_err(Arc::clone)
    }

    /// The storages of the node.
    pub async fn storages(
        &self,
        config: &Config,
        connection: &Connection,
    ) -> Result<&Rows<StorageStatus>, Arc<Error>> {
        let ask = || async {
            let node = connection.client.node(&config.node);
            node.storages().await.map_err(Arc::new)
        };
        self.storages.get_or_init(ask).await.as_ref().map_err(Arc::clone)
    }

    /// The guests of the cluster.
    pub async fn guests(&self, connection: &Connection) -> Result<&Rows<Resource>, Arc<Error>> {
        let filter =
            proxmox_types::params::ResourceFilter { class: Some(proxmox_types::params::ResourceClass::Vm) };
        let ask = || async { connection.client.cluster().resources().with(filter).await.map_err(Arc::new) };
        self.guests.get_or_init(ask).await.as_ref().map_err(Arc::clone)
    }
}

async fn probe(client: &Client) -> Probe {
    let start = Instant::now();
    let answer = client.version().await;
    let took = start.elapsed();
    let halfway = SystemTime::now() - took / 2;
    let ours = halfway
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()
        .and_then(|time| i64::try_from(time.as_secs()).ok());
    let theirs = client.server_time().and_then(|time| i64::try_from(time).ok());
    let skew = ours.zip(theirs).map(|(ours, theirs)| theirs - ours);
    Probe { answer, took, skew }
}

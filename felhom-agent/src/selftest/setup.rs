//! What checks receive: the configuration, the connection, and answers that several of them look at.

use std::time::{Instant, SystemTime};

use proxmox_api::{Client, Error, Stage, TransportError};
use proxmox_types::params::{ResourceClass, ResourceFilter};
use proxmox_types::{NodeEntry, Resource, Rows, StorageStatus, Version};
use tokio::sync::OnceCell;

use crate::config::Config;
use crate::diagnosis::call_failed;
use crate::report::finding::{Finding, Found};
use crate::tls::SeenCertificate;
use crate::wiring::{Connection, WireFacts};

/// What a self-test begins with.
#[derive(Debug)]
pub struct Setup {
    /// The configuration, or why there is none.
    pub config: Found<Config>,
    /// The connection, or why there is none.
    pub connection: Option<Found<Connection>>,
    answers: Answers,
}

/// Answers that several checks look at, each asked for once.
#[derive(Debug, Default)]
struct Answers {
    probe: OnceCell<Probe>,
    nodes: OnceCell<Found<Rows<NodeEntry>>>,
    storages: OnceCell<Found<Rows<StorageStatus>>>,
    guests: OnceCell<Found<Rows<Resource>>>,
}

/// The first request and what came of it.
#[derive(Debug)]
pub struct Probe {
    /// The answer.
    pub answer: Result<Version, Error>,
    /// The server's clock less ours in seconds, halfway through the request; nothing without an answer.
    pub skew: Option<i64>,
}

/// What a check needs that asks the server.
#[derive(Clone, Copy, Debug)]
pub struct Ready<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The client.
    pub client: &'a Client,
    /// The connection of the client.
    pub connection: &'a Connection,
    answers: &'a Answers,
}

/// The first answer, and the way that it took.
#[derive(Debug)]
pub struct FirstAnswer<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// What was seen on the wire.
    pub wire: &'a WireFacts,
    /// The request and its answer.
    pub probe: &'a Probe,
    /// Where the way ended, and why, if the request was never sent.
    pub failure: Option<(Stage, &'a str)>,
    /// The certificate that the server presented.
    pub seen: Option<SeenCertificate>,
}

impl Setup {
    /// With a connection as the configuration says, if there is one. Nothing is asked yet.
    pub fn new(config: Found<Config>, connect: impl FnOnce(&Config) -> Found<Connection>) -> Self {
        let connection = config.as_ref().ok().map(connect);
        Self { config, connection, answers: Answers::default() }
    }

    /// The configuration and the connection, if there are both.
    pub fn ready(&self) -> Option<Ready<'_>> {
        let connection = self.connection.as_ref()?.as_ref().ok()?;
        let config = self.config.as_ref().ok()?;
        Some(Ready { config, client: &connection.client, connection, answers: &self.answers })
    }

    /// The version of PVE, if it was asked for and answered.
    pub fn pve_version(&self) -> Option<&str> {
        self.answers.probe.get()?.answer.as_ref().ok().map(|version| version.version.as_str())
    }
}

impl<'a> Ready<'a> {
    /// The first request: the version, which costs nothing and proves the way there and the token. Nothing without a
    /// wire.
    pub async fn first_answer(self) -> Option<FirstAnswer<'a>> {
        let wire = self.connection.wire.as_ref()?;
        let probe = self.answers.probe.get_or_init(|| probe(self.client)).await;
        let failure = match &probe.answer {
            Err(Error::Transport { source: TransportError::NotSent { stage, reason }, .. }) => {
                Some((*stage, reason.as_str()))
            }
            _ => None,
        };
        Some(FirstAnswer { config: self.config, wire, probe, failure, seen: wire.verifier.seen() })
    }

    /// The nodes of the cluster.
    pub async fn nodes(self) -> Found<&'a Rows<NodeEntry>> {
        let ask = || async { self.client.nodes().await.map_err(|error| self.failed(&error)) };
        self.answers.nodes.get_or_init(ask).await.as_ref().map_err(Clone::clone)
    }

    /// The storages of the node.
    pub async fn storages(self) -> Found<&'a Rows<StorageStatus>> {
        let ask = || async {
            let node = self.client.node(&self.config.node);
            node.storages().await.map_err(|error| self.failed(&error))
        };
        self.answers.storages.get_or_init(ask).await.as_ref().map_err(Clone::clone)
    }

    /// The guests of the cluster.
    pub async fn guests(self) -> Found<&'a Rows<Resource>> {
        let ask = || async {
            let filter = ResourceFilter { class: Some(ResourceClass::Vm) };
            self.client.cluster().resources().with(filter).await.map_err(|error| self.failed(&error))
        };
        self.answers.guests.get_or_init(ask).await.as_ref().map_err(Clone::clone)
    }

    /// What is to be said of a call that failed.
    pub fn failed(self, error: &Error) -> Box<Finding> {
        Box::new(call_failed(self.config, error))
    }
}

async fn probe(client: &Client) -> Probe {
    let start = Instant::now();
    let answer = client.version().await;
    let halfway = SystemTime::now() - start.elapsed() / 2;
    let ours = halfway
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()
        .and_then(|time| i64::try_from(time.as_secs()).ok());
    let theirs = client.server_time().and_then(|time| i64::try_from(time).ok());
    let skew = ours.zip(theirs).map(|(ours, theirs)| theirs - ours);
    Probe { answer, skew }
}

//! The ways to make one typed GET that are measured side by side.

#[cfg(feature = "peers")]
mod peers;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use felhom_agent::config::{Config, Environment};
use felhom_agent::wiring::{self, Connection};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper::header::{AUTHORIZATION, HOST, HeaderValue, USER_AGENT};
use proxmox_types::Upid;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use crate::Res;
use crate::server::Server;
use hyper_util::rt::TokioIo;

/// Connections at the same time: as many as pveproxy has workers.
const LANES: usize = 3;

/// What a stack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub(crate) enum Kind {
    /// hyper, rustls and serde, and nothing else: what the parts cost
    Raw,
    /// The client as the agent builds it
    Ours,
    /// hyper-util's pooling client
    #[cfg(feature = "peers")]
    Pool,
    /// reqwest
    #[cfg(feature = "peers")]
    Reqwest,
}

impl Kind {
    /// Raw, ours, and then the others.
    #[cfg(feature = "peers")]
    pub(crate) const ALL: &[Self] = &[Self::Raw, Self::Ours, Self::Pool, Self::Reqwest];
    #[cfg(not(feature = "peers"))]
    pub(crate) const ALL: &[Self] = &[Self::Raw, Self::Ours];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Ours => "ours",
            #[cfg(feature = "peers")]
            Self::Pool => "hyper-util pool",
            #[cfg(feature = "peers")]
            Self::Reqwest => "reqwest",
        }
    }
}

/// Where the server is, and what is asked of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BenchSite {
    pub(crate) port: u16,
    pub(crate) token: String,
    pub(crate) authority: std::path::PathBuf,
    pub(crate) configuration: std::path::PathBuf,
    /// A task, whose status is what is read.
    pub(crate) upid: String,
}

impl BenchSite {
    /// The place of this server, with a task that has ended.
    pub(crate) fn of(server: &mut Server) -> Res<Self> {
        let upid = server.start_tasks(1, 0)?.pop().ok_or("no task")?;
        let authority = server.folder().join("ca.pem");
        Ok(Self {
            port: server.port,
            token: server.token.clone(),
            authority,
            configuration: server.configuration(),
            upid,
        })
    }

    fn target(&self) -> String {
        format!("/api2/json/nodes/pve1/tasks/{}/status", proxmox_api::encode(&self.upid))
    }

    fn authorization(&self) -> Res<HeaderValue> {
        Ok(HeaderValue::try_from(format!("PVEAPIToken={}", self.token))?)
    }

    /// Checks the certificate against the CA, as every stack does. pveproxy never resumes.
    fn tls(&self) -> Res<ClientConfig> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.authority)?)?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(config)
    }

    /// The agent's connection, as the binary builds it.
    pub(crate) fn connect(&self) -> Res<Connection> {
        Ok(wiring::connect(&Config::load(&self.configuration, &Environment::default())?)?)
    }
}

/// A stack that is ready to send.
pub(crate) enum Stack {
    Raw(Raw),
    Ours(Box<Connection>, Upid),
    #[cfg(feature = "peers")]
    Pool(peers::HyperPool),
    #[cfg(feature = "peers")]
    Reqwest(peers::Reqwest),
}

impl Stack {
    pub(crate) async fn open(kind: Kind, place: &BenchSite) -> Res<Self> {
        Ok(match kind {
            Kind::Raw => Self::Raw(Raw::open(place).await?),
            Kind::Ours => Self::Ours(Box::new(place.connect()?), place.upid.parse()?),
            #[cfg(feature = "peers")]
            Kind::Pool => Self::Pool(peers::HyperPool::open(place)?),
            #[cfg(feature = "peers")]
            Kind::Reqwest => Self::Reqwest(peers::Reqwest::open(place)?),
        })
    }

    /// One typed GET, whose answer is looked at.
    async fn get(&self) -> Res<()> {
        let pid = match self {
            Self::Ours(connection, upid) => {
                connection.client.task(upid).status().await?.pid.unwrap_or_default()
            }
            Self::Raw(raw) => pid(&raw.get().await?)?,
            #[cfg(feature = "peers")]
            Self::Pool(pool) => pid(&pool.get().await?)?,
            #[cfg(feature = "peers")]
            Self::Reqwest(reqwest) => pid(&reqwest.get().await?)?,
        };
        if pid < 2000 { Err("another task".into()) } else { Ok(()) }
    }
}

/// Makes `count` GETs by so many tasks at once; gives the microseconds that each took.
pub(crate) async fn run(stack: &Arc<Stack>, count: usize, tasks: usize) -> Res<Vec<f64>> {
    let next = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..tasks)
        .map(|_| {
            let (stack, next) = (stack.clone(), next.clone());
            tokio::spawn(async move {
                let mut took = Vec::with_capacity(count);
                while next.fetch_add(1, Relaxed) < count {
                    let start = Instant::now();
                    stack.get().await?;
                    took.push(crate::measure::microseconds(start.elapsed()));
                }
                Res::Ok(took)
            })
        })
        .collect();
    let mut took = Vec::new();
    for worker in workers {
        took.extend(worker.await??);
    }
    Ok(took)
}

/// A typed answer as anybody writes it down who knows nothing of PVE's odd values.
#[derive(Deserialize)]
pub(crate) struct Envelope<T> {
    pub(crate) data: T,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "what is not read is decoded all the same")]
struct TaskRow {
    upid: String,
    status: String,
    exitstatus: Option<String>,
    pid: u32,
    pstart: u64,
    starttime: u64,
    node: String,
    #[serde(rename = "type")]
    kind: String,
    id: String,
    user: String,
    tokenid: Option<String>,
}

/// A backup in a list of content.
#[derive(Deserialize)]
#[expect(dead_code, reason = "what is not read is decoded all the same")]
pub(crate) struct Backup {
    volid: String,
    content: String,
    format: String,
    size: u64,
    ctime: u64,
    vmid: Option<u32>,
    subtype: Option<String>,
    notes: Option<String>,
    protected: Option<u8>,
}

fn pid(body: &[u8]) -> Res<u32> {
    Ok(serde_json::from_slice::<Envelope<TaskRow>>(body)?.data.pid)
}

/// hyper over rustls: one connection per lane, which requests take in turn.
pub(crate) struct Raw {
    lanes: Vec<Mutex<SendRequest<Empty<Bytes>>>>,
    next: AtomicUsize,
    host: HeaderValue,
    authorization: HeaderValue,
    target: String,
}

impl Raw {
    pub(crate) async fn open(place: &BenchSite) -> Res<Self> {
        let tls = Arc::new(place.tls()?);
        let mut lanes = Vec::new();
        for _ in 0..LANES {
            lanes.push(Mutex::new(lane(place.port, tls.clone()).await?));
        }
        let host = HeaderValue::try_from(format!("127.0.0.1:{}", place.port))?;
        let (target, authorization) = (place.target(), place.authorization()?);
        Ok(Self { lanes, next: AtomicUsize::new(0), host, authorization, target })
    }

    async fn get(&self) -> Res<Bytes> {
        self.get_target(&self.target).await
    }

    pub(crate) async fn get_target(&self, target: &str) -> Res<Bytes> {
        let request = hyper::Request::builder()
            .uri(target)
            .header(HOST, self.host.clone())
            .header(AUTHORIZATION, self.authorization.clone())
            .header(USER_AGENT, HeaderValue::from_static("bench/0"))
            .body(Empty::new())?;
        let mut lane = self.lanes[self.next.fetch_add(1, Relaxed) % LANES].lock().await;
        lane.ready().await?;
        let response = lane.send_request(request).await?;
        if response.status() != 200 {
            return Err(response.status().to_string().into());
        }
        Ok(response.into_body().collect().await?.to_bytes())
    }
}

async fn lane(port: u16, tls: Arc<ClientConfig>) -> Res<SendRequest<Empty<Bytes>>> {
    let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
    tcp.set_nodelay(true)?;
    let stream =
        tokio_rustls::TlsConnector::from(tls).connect(ServerName::try_from("127.0.0.1")?, tcp).await?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

//! Opens a connection: name, TCP, TLS, each with its own kind of failure and all of them bounded.
//!
//! This is the one file of the agent that may open a socket.
#![expect(clippy::disallowed_types, reason = "the transport is the one place that opens a socket")]

use std::error::Error;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::Uri;
use hyper::client::conn::http1::Builder;
use hyper_rustls::{FixedServerNameResolver, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use proxmox_api::{Stage, TransportError};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, InvalidMessage};
use tokio::time::timeout;
use tower_service::Service;

use super::lane::Lane;
use super::record::{ConnectFacts, Record};
use crate::config::Config;
use crate::report::chain;
use crate::report::finding::Found;
use crate::tls::unusable;

/// How long TCP may take per address, and TCP and TLS together.
const TCP: Duration = Duration::from_secs(3);
const OPEN: Duration = Duration::from_secs(5);

/// Bounds of what a server may send before the body.
const MOST_HEADER_BYTES: usize = 64 << 10;
const MOST_HEADERS: usize = 100;

/// Opens connections to one server.
pub(super) struct Connector {
    uri: Uri,
    server_name: Option<ServerName<'static>>,
    tls: ClientConfig,
    record: Arc<Record>,
}

type TcpStream = <HttpConnector as Service<Uri>>::Response;
type Stream = MaybeHttpsStream<TcpStream>;
type ConnectFailure = Box<dyn Error + Send + Sync>;

impl Connector {
    pub(super) fn new(config: &Config, tls: ClientConfig, record: Arc<Record>) -> Found<Self> {
        let url = &config.url;
        let uri = url.to_string().parse().map_err(|error| unusable(config, &format!("{url}: {error}")))?;
        let server_name = config.tls.server_name.clone().map(ServerName::try_from).transpose();
        let server_name =
            server_name.map_err(|error| unusable(config, &format!("`tls.server_name`: {error}")))?;
        Ok(Self { uri, server_name, tls, record })
    }

    /// Opens a connection. Not a byte of a request leaves before the server has proved who it is.
    pub(super) async fn connect(&self, deadline: Instant) -> Result<Lane, Unopened> {
        let attempt = Arc::new(ConnectAttempt::new(&self.uri));
        let limit = deadline.saturating_duration_since(Instant::now()).min(OPEN);
        self.record.count(|counters| counters.connections += 1);
        let opened = match timeout(limit, self.open(&attempt)).await {
            Ok(opened) => opened.map_err(|failure| self.failed(&attempt, failure.as_ref())),
            Err(_) => Err(Unopened::Lasting(attempt.late())),
        };
        self.record.keep_connect(attempt.facts(opened.as_ref().ok()));
        let stream = opened?;
        self.record.count(|counters| counters.handshakes += 1);
        let mut builder = Builder::new();
        builder.max_buf_size(MOST_HEADER_BYTES).max_header_size(MOST_HEADER_BYTES).max_headers(MOST_HEADERS);
        let unready = |error: hyper::Error| {
            Unopened::Broken(TransportError::NotSent { stage: Stage::Tls, reason: chain(&error) })
        };
        let (sender, connection) = builder.handshake(stream).await.map_err(unready)?;
        let task = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::trace!(error = %chain(&error), "connection ended");
            }
        });
        Ok(Lane::new(sender, task.abort_handle()))
    }

    fn failed(&self, attempt: &ConnectAttempt, failure: &(dyn Error + 'static)) -> Unopened {
        let tls = |reason| Unopened::Lasting(TransportError::NotSent { stage: Stage::Tls, reason });
        match find_tls(failure) {
            Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
                tls("the port answers, but not with TLS".into())
            }
            Some(error @ rustls::Error::InvalidCertificate(_)) => {
                tls(self.record.verifier.complaint().unwrap_or_else(|| error.to_string()))
            }
            Some(error) => tls(error.to_string()),
            None if attempt.connected.get().is_some() => {
                Unopened::Broken(TransportError::NotSent { stage: Stage::Tls, reason: chain(failure) })
            }
            None => {
                let reason = format!("{}: {}", attempt.peer, chain(failure));
                if failure.to_string().starts_with("dns error") {
                    return Unopened::Lasting(TransportError::NotSent { stage: Stage::Resolve, reason });
                }
                Unopened::Broken(TransportError::NotSent { stage: Stage::Connect, reason })
            }
        }
    }

    async fn open(&self, attempt: &Arc<ConnectAttempt>) -> Result<Stream, ConnectFailure> {
        let builder = HttpsConnectorBuilder::new().with_tls_config(self.tls.clone()).https_only();
        let tcp = Tcp::new(attempt.clone());
        let mut https = match &self.server_name {
            Some(name) => {
                let named = FixedServerNameResolver::new(name.clone());
                builder.with_server_name_resolver(named).enable_http1().wrap_connector(tcp)
            }
            None => builder.enable_http1().wrap_connector(tcp),
        };
        https.call(self.uri.clone()).await
    }
}

/// Why there is no connection.
pub(super) enum Unopened {
    /// It was refused or broke off, as when pveproxy restarts: the next one may come about.
    Broken(TransportError),
    /// Something that the next one would meet as well, or time is up.
    Lasting(TransportError),
}

impl Unopened {
    pub(super) fn into_error(self) -> TransportError {
        let (Self::Broken(error) | Self::Lasting(error)) = self;
        error
    }
}

/// How far one connection came.
struct ConnectAttempt {
    peer: String,
    start: Instant,
    connected: OnceLock<(SocketAddr, Duration)>,
}

impl ConnectAttempt {
    fn new(uri: &Uri) -> Self {
        let peer = uri.authority().map(ToString::to_string).unwrap_or_default();
        Self { peer, start: Instant::now(), connected: OnceLock::new() }
    }

    fn facts(&self, stream: Option<&Stream>) -> ConnectFacts {
        let connected = self.connected.get();
        let tls_version = stream.and_then(|stream| match stream {
            MaybeHttpsStream::Https(tls) => tls.inner().get_ref().1.protocol_version(),
            MaybeHttpsStream::Http(_) => None,
        });
        ConnectFacts {
            address: connected.map(|(address, _)| *address),
            connect_time: connected.map_or_else(|| self.start.elapsed(), |(_, time)| *time),
            tls_version,
        }
    }

    fn late(&self) -> TransportError {
        let (stage, reason) = match self.connected.get() {
            Some((address, _)) => (
                Stage::Tls,
                format!("{address} accepted the connection, but did not finish the TLS handshake in time"),
            ),
            None => (Stage::Connect, format!("{}: nobody answered in time", self.peer)),
        };
        TransportError::NotSent { stage, reason }
    }
}

/// The TLS error inside an error, which hides in the `get_ref` of an I/O error.
fn find_tls<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    let inside = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    let inside = inside.map(|inner| {
        let inner: &'e (dyn Error + 'static) = inner;
        inner
    });
    error
        .downcast_ref::<rustls::Error>()
        .or_else(|| inside.and_then(find_tls))
        .or_else(|| error.source().and_then(find_tls))
}

/// A TCP connector that remembers when it had connected.
#[derive(Clone)]
struct Tcp {
    inner: HttpConnector,
    attempt: Arc<ConnectAttempt>,
}

impl Tcp {
    fn new(attempt: Arc<ConnectAttempt>) -> Self {
        let mut inner = HttpConnector::new();
        inner.enforce_http(false);
        inner.set_nodelay(true);
        inner.set_connect_timeout(Some(TCP));
        Self { inner, attempt }
    }
}

impl Service<Uri> for Tcp {
    type Response = TcpStream;
    type Error = ConnectFailure;
    type Future = Pin<Box<dyn Future<Output = Result<TcpStream, ConnectFailure>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ConnectFailure>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.inner.call(uri);
        let attempt = self.attempt.clone();
        Box::pin(async move {
            let stream = connecting.await?;
            let address = stream.inner().peer_addr()?;
            attempt.connected.get_or_init(|| (address, attempt.start.elapsed()));
            Ok(stream)
        })
    }
}

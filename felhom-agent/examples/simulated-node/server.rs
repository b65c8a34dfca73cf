//! HTTP/1.1 over TLS with pveproxy's manners.
//!
//! A connection ends after 5 idle seconds, after 100 requests, after every status of 400 and more, and after every
//! answer of pvedaemon, which carries two `Connection` headers. A 401 takes 3 s. Bodies on GET and DELETE, chunks and
//! bodies of more than 512 KiB are 501. Source: pve-http-server `PVE/APIServer/AnyEvent.pm`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::ext::ReasonPhrase;
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, DATE, HeaderValue, SERVER, TRANSFER_ENCODING};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use proxmox_api::sim::{HttpAnswer, Sim};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::certificate::Identity;

/// After how long an idle connection is closed.
const IDLE: Duration = Duration::from_secs(5);

/// Requests per connection.
const MOST_REQUESTS: u64 = 100;

/// Bytes of a request body.
const MOST_BYTES: usize = 512 << 10;

/// How long PVE takes to refuse a token.
const REFUSAL: Duration = Duration::from_secs(3);

/// The served node.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) sim: Sim,
    pub(crate) counters: Arc<ServerCounters>,
    /// How late the answers of an operation are.
    pub(crate) delays: Arc<Mutex<BTreeMap<String, Duration>>>,
    /// Operations whose next answer is lost.
    pub(crate) losses: Arc<Mutex<BTreeSet<String>>>,
    /// What an operation says that no PVE does, and where in its answers.
    pub(crate) odds: Arc<Mutex<BTreeMap<String, (String, Value)>>>,
    acceptor: TlsAcceptor,
}

/// What was seen on the wire.
#[derive(Default)]
pub(crate) struct ServerCounters {
    pub(crate) connections: AtomicU64,
    pub(crate) handshakes: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) refused: AtomicU64,
}

/// An answer that never leaves: the connection ends instead.
#[derive(Debug)]
struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer is lost")
    }
}

impl std::error::Error for Lost {}

impl Served {
    pub(crate) fn new(sim: Sim, identity: &Identity) -> Result<Self, rustls::Error> {
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![identity.certificate()], identity.key())?;
        Ok(Self {
            sim,
            counters: Arc::default(),
            delays: Arc::default(),
            losses: Arc::default(),
            odds: Arc::default(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }

    /// Serves until the listener fails.
    pub(crate) async fn serve(&self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            // As pveproxy does. Where that fails, answers come later.
            let _set = stream.set_nodelay(true);
            let node = self.clone();
            tokio::spawn(async move { node.connection(stream).await });
        }
    }

    async fn connection(self, stream: TcpStream) {
        self.counters.connections.fetch_add(1, Ordering::Relaxed);
        let Ok(Ok(stream)) = tokio::time::timeout(IDLE, self.acceptor.accept(stream)).await else { return };
        self.counters.handshakes.fetch_add(1, Ordering::Relaxed);
        let served = AtomicU64::new(0);
        let service = service_fn(|request| self.respond(request, served.fetch_add(1, Ordering::Relaxed) + 1));
        let mut builder = Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(IDLE).half_close(false).auto_date_header(false);
        // A client that goes away is no error of the node. TLS is left without a farewell, as pveproxy leaves it.
        let _ended = builder.serve_connection(TokioIo::new(stream), service).without_shutdown().await;
    }

    async fn respond(&self, request: Request<Incoming>, number: u64) -> Result<Response<Full<Bytes>>, Lost> {
        self.counters.requests.fetch_add(1, Ordering::Relaxed);
        let answer = match self.answer(request).await {
            Ok((_, operation)) if self.loses(operation) => return Err(Lost),
            Ok((answer, _)) => answer,
            Err(text) => {
                HttpAnswer { status: 501, reason: text.into(), body: text.into(), is_proxied: false }
            }
        };
        if answer.status == 401 {
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(REFUSAL).await;
        }
        Ok(self.response(answer, number))
    }

    /// What the node answers, or why pveproxy does not ask it.
    async fn answer(&self, request: Request<Incoming>) -> Result<(HttpAnswer, &'static str), &'static str> {
        let (parts, body) = request.into_parts();
        if parts.headers.contains_key(TRANSFER_ENCODING) {
            return Err("chunked transfer encoding not supported");
        }
        if matches!(parts.method, Method::GET | Method::DELETE) && body.size_hint().lower() > 0 {
            return Err("Unexpected content for method");
        }
        let Ok(body) = Limited::new(body, MOST_BYTES).collect().await else {
            return Err("for data too large");
        };
        let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        let header = parts.headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
        let principal = self.sim.authenticate(header);
        let mut answer =
            self.sim.serve(parts.method.as_str(), &parts.uri.to_string(), &body, principal.as_ref());
        let operation = self.sim.world().received.last().map_or("", |received| received.operation);
        self.distort(&mut answer, operation);
        tokio::time::sleep(self.delay(operation)).await;
        Ok((answer, operation))
    }

    /// Puts the odd value into an answer. A pointer that ends in `/-` adds a row.
    fn distort(&self, answer: &mut HttpAnswer, operation: &str) {
        let odds = self.odds.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((pointer, odd)) = odds.get(operation) else { return };
        let Ok(mut body) = serde_json::from_str::<Value>(&answer.body) else { return };
        let (place, key) = pointer.rsplit_once('/').unwrap_or_default();
        match body.pointer_mut(place) {
            Some(Value::Array(rows)) if key == "-" => rows.push(odd.clone()),
            Some(Value::Object(fields)) => drop(fields.insert(key.into(), odd.clone())),
            _ => return,
        }
        answer.body = body.to_string();
    }

    fn delay(&self, operation: &str) -> Duration {
        let delays = self.delays.lock().unwrap_or_else(PoisonError::into_inner);
        delays.get(operation).copied().unwrap_or_default()
    }

    fn loses(&self, operation: &str) -> bool {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner).remove(operation)
    }

    fn response(&self, answer: HttpAnswer, number: u64) -> Response<Full<Bytes>> {
        let closes = answer.status >= 400 || number >= MOST_REQUESTS;
        let mut response = Response::new(Full::new(Bytes::from(answer.body)));
        *response.status_mut() = answer.status.try_into().unwrap_or_default();
        if let Ok(reason) = ReasonPhrase::try_from(answer.reason.into_bytes()) {
            response.extensions_mut().insert(reason);
        }
        let headers = response.headers_mut();
        headers.insert(SERVER, HeaderValue::from_static("pve-api-daemon/3.0"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
        let connection = if closes || answer.is_proxied { "close" } else { "Keep-Alive" };
        headers.append(CONNECTION, HeaderValue::from_static(connection));
        if answer.is_proxied && !closes {
            headers.append(CONNECTION, HeaderValue::from_static("Keep-Alive"));
        }
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(self.sim.world().time());
        if let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(time)) {
            headers.insert(DATE, date);
        }
        response
    }
}

//! faultd: a server on loopback that plays a script per connection, bad bytes included, and keeps what it saw.
//!
//! It is written apart from the client, over rustls alone, so that both cannot share a mistake about HTTP.
#![expect(clippy::disallowed_types, reason = "a server for tests listens on loopback")]

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{HandshakeKind, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::sync::watch::Sender;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::certificate::{Identity, NODE};

/// How long a test waits for the server to have seen something.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the server does next on a connection. After the last step it goes away without a farewell: TCP ends, but TLS
/// does not say so, which is pveproxy's manner too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Reads one request.
    Read,
    /// Reads the beginning of a request.
    Peek,
    /// Writes.
    Write(Vec<u8>),
    /// Reads a request and writes this, so many times.
    Serve(Vec<u8>, usize),
    /// Writes one byte at a time, with a pause after each.
    Drip(Vec<u8>, Duration),
    /// Does nothing for so long.
    Pause(Duration),
    /// Writes the same bytes over and over, so many times at most.
    Flood(Vec<u8>, usize),
    /// Waits until the test opens the gate.
    Gate,
    /// Reads until the client has gone.
    Drain,
    /// Ends TLS and TCP in good order.
    Close,
    /// Goes away at once, with a TCP reset.
    Reset,
}

/// The ways in which a server goes away: TCP ends without a word in TLS, both end in good order, or with a reset.
pub(crate) fn ends() -> [Vec<Step>; 3] {
    [vec![], vec![Step::Close], vec![Step::Reset]]
}

/// What one connection shows of itself, and does.
#[derive(Clone, Debug)]
pub(crate) struct Play {
    pub(crate) face: Face,
    pub(crate) script: Vec<Step>,
}

/// What was seen on one connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Seen {
    /// Which handshake the client finished; none if it did not.
    pub(crate) handshake: Option<HandshakeKind>,
    /// Every byte that the client sent, in plain text.
    pub(crate) received: Vec<u8>,
    /// How many whole requests that was.
    pub(crate) requests: usize,
    /// Bytes that were written.
    pub(crate) sent: usize,
    /// Whether the script has ended, or the client has gone.
    pub(crate) is_over: bool,
}

/// The server. It ends when this is dropped.
pub(crate) struct Faultd {
    address: SocketAddr,
    seen: Sender<Vec<Seen>>,
    gate: Arc<Semaphore>,
    task: JoinHandle<()>,
}

impl Faultd {
    /// Plays the first play on the first connection and so on, and the last one on every further connection.
    pub(crate) async fn start(plays: Vec<Play>) -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), plays).await
    }

    /// The same at another address of loopback.
    pub(crate) async fn start_at(address: IpAddr, plays: Vec<Play>) -> Self {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, gate) = (Sender::default(), Arc::new(Semaphore::new(0)));
        let task = tokio::spawn(serve(listener, plays, seen.clone(), gate.clone()));
        Self { address, seen, gate, task }
    }

    /// The node, with these scripts.
    pub(crate) async fn node(scripts: Vec<Vec<Step>>) -> Self {
        let play = |script| Play { face: Face::node(), script };
        Self::start(scripts.into_iter().map(play).collect()).await
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was seen so far, a connection each.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }

    /// Requests on each connection so far.
    pub(crate) fn requests(&self) -> Vec<usize> {
        self.seen.borrow().iter().map(|seen| seen.requests).collect()
    }

    /// Waits until the server has seen what is wanted.
    pub(crate) async fn until(&self, wanted: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        let mut receiver = self.seen.subscribe();
        let seen = tokio::time::timeout(PATIENCE, receiver.wait_for(|seen| wanted(seen))).await;
        seen.unwrap_or_else(|_| panic!("the server saw only {:?}", self.seen())).unwrap().clone()
    }

    /// Waits until so many connections are over.
    pub(crate) async fn until_over(&self, count: usize) -> Vec<Seen> {
        self.until(|seen| seen.iter().filter(|seen| seen.is_over).count() >= count).await
    }

    /// Lets so many gates be passed.
    pub(crate) fn open(&self, gates: usize) {
        self.gate.add_permits(gates);
    }
}

impl Drop for Faultd {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, plays: Vec<Play>, seen: Sender<Vec<Seen>>, gate: Arc<Semaphore>) {
    // Dropping the set ends what is left of it.
    let mut connections = JoinSet::new();
    for index in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        let play = plays.get(index).or_else(|| plays.last()).unwrap().clone();
        seen.send_modify(|seen| seen.push(Seen::default()));
        let notes = Notes { index, seen: seen.clone() };
        connections.spawn(connection(stream, play, notes, gate.clone()));
    }
}

async fn connection(stream: TcpStream, play: Play, notes: Notes, gate: Arc<Semaphore>) {
    stream.set_nodelay(true).unwrap();
    if play.script.contains(&Step::Reset) {
        stream.set_zero_linger().unwrap();
    }
    if let Some((stream, handshake)) = play.face.accept(stream).await {
        notes.note(|seen| seen.handshake = handshake);
        let mut player = Player { stream, unread: Vec::new(), notes: notes.clone(), gate };
        for step in &play.script {
            // A client that goes away is what many a test is about, and its end is noted either way.
            if player.step(step).await.is_err() {
                break;
            }
        }
    }
    notes.note(|seen| seen.is_over = true);
}

/// Where a connection writes down what it sees.
#[derive(Clone)]
struct Notes {
    index: usize,
    seen: Sender<Vec<Seen>>,
}

impl Notes {
    fn note(&self, write: impl FnOnce(&mut Seen)) {
        self.seen.send_modify(|seen| write(&mut seen[self.index]));
    }
}

/// Both versions.
pub(crate) const VERSIONS: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

/// A byte stream.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What a server shows of itself.
#[derive(Clone, Debug)]
pub(crate) enum Face {
    /// No TLS.
    Plain,
    /// TLS.
    Tls(Arc<ServerConfig>),
}

impl Face {
    /// The node itself.
    pub(crate) fn node() -> Self {
        Self::of(&NODE)
    }

    /// A certificate with its key.
    pub(crate) fn of(identity: &Identity) -> Self {
        Self::tls(&[identity], identity.key(), VERSIONS, "")
    }

    /// Certificates, with a key that need not be that of the first, in these versions of TLS. One that speaks a
    /// protocol over TLS speaks no other.
    pub(crate) fn tls(
        chain: &[&Identity],
        key: PrivateKeyDer<'static>,
        versions: &[&'static SupportedProtocolVersion],
        protocol: &str,
    ) -> Self {
        let chain = chain.iter().map(|identity| identity.certificate()).collect();
        let provider = Arc::new(default_provider());
        let key = provider.key_provider.load_private_key(key).unwrap();
        // A resolver does not look whether the key is the certificate's own.
        let resolver = SingleCertAndKey::from(CertifiedKey::new(chain, key));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = protocol.split_whitespace().map(|word| word.as_bytes().to_vec()).collect();
        Self::Tls(Arc::new(config))
    }

    /// The stream in plain text, and how TLS was agreed on; nothing if the client did not finish the handshake.
    async fn accept(&self, stream: TcpStream) -> Option<(Box<dyn Stream>, Option<HandshakeKind>)> {
        match self {
            Self::Plain => Some((Box::new(stream), None)),
            Self::Tls(config) => {
                let stream = TlsAcceptor::from(config.clone()).accept(stream).await.ok()?;
                let handshake = stream.get_ref().1.handshake_kind();
                Some((Box::new(stream), handshake))
            }
        }
    }
}

/// One connection in plain text.
struct Player {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
    notes: Notes,
    gate: Arc<Semaphore>,
}

impl Player {
    /// Plays one step. An error is that the client has gone.
    async fn step(&mut self, step: &Step) -> io::Result<()> {
        match step {
            Step::Read => self.read_request().await?,
            Step::Peek => self.read_more().await?,
            Step::Write(bytes) => self.write(bytes).await?,
            Step::Serve(answer, times) => {
                for _ in 0..*times {
                    self.read_request().await?;
                    self.write(answer).await?;
                }
            }
            Step::Drip(bytes, pause) => {
                for byte in bytes.chunks(1) {
                    self.write(byte).await?;
                    tokio::time::sleep(*pause).await;
                }
            }
            Step::Pause(pause) => tokio::time::sleep(*pause).await,
            Step::Flood(bytes, times) => {
                for _ in 0..*times {
                    self.write(bytes).await?;
                }
            }
            Step::Gate => self.gate.acquire().await.unwrap().forget(),
            Step::Drain => while self.read_more().await.is_ok() {},
            Step::Close => self.stream.shutdown().await?,
            Step::Reset => {}
        }
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        self.notes.note(|seen| seen.sent += bytes.len());
        Ok(())
    }

    async fn read_more(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        let read = self.stream.read(&mut buffer).await?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.unread.extend_from_slice(&buffer[..read]);
        self.notes.note(|seen| seen.received.extend_from_slice(&buffer[..read]));
        Ok(())
    }

    /// Reads a head, and as much of a body as it announces.
    async fn read_request(&mut self) -> io::Result<()> {
        let length = loop {
            match request_length(&self.unread) {
                Some(length) if self.unread.len() >= length => break length,
                _ => self.read_more().await?,
            }
        };
        self.unread.drain(..length);
        self.notes.note(|seen| seen.requests += 1);
        Ok(())
    }
}

/// Length of the request that the bytes begin with; nothing if its head is not complete.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let announced = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    Some(head + announced.map_or(0, |length| length.trim().parse::<usize>().unwrap()))
}

//! One connection: what the server shows of itself, which is no TLS at all or TLS with some certificate and some key, and what it plays.
#![expect(clippy::disallowed_types, reason = "a server for tests listens on loopback")]

use std::io::{self, ErrorKind};
use std::sync::Arc;

use rcgen::KeyPair;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{HandshakeKind, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::{Notes, Step};
use crate::certificate::{Identity, NODE, private};

/// Both versions.
const VERSIONS: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

/// A byte stream.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

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
        Self::tls(vec![identity.certificate()], identity.key(), VERSIONS, &[])
    }

    /// The same in one version of TLS only.
    pub(crate) fn in_version(identity: &Identity, version: &'static SupportedProtocolVersion) -> Self {
        Self::tls(vec![identity.certificate()], identity.key(), &[version], &[])
    }

    /// A certificate with a key that is not its own, in one version of TLS.
    pub(crate) fn copied(
        identity: &Identity,
        key: &KeyPair,
        version: &'static SupportedProtocolVersion,
    ) -> Self {
        Self::tls(vec![identity.certificate()], private(key), &[version], &[])
    }

    /// A certificate with its key, and another certificate behind it.
    pub(crate) fn with_intermediate(identity: &Identity, behind: &Identity) -> Self {
        Self::tls(vec![identity.certificate(), behind.certificate()], identity.key(), VERSIONS, &[])
    }

    /// The node, which speaks only this protocol over TLS.
    pub(crate) fn speaking(protocol: &str) -> Self {
        Self::tls(vec![NODE.certificate()], NODE.key(), VERSIONS, &[protocol])
    }

    fn tls(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        versions: &[&'static SupportedProtocolVersion],
        protocols: &[&str],
    ) -> Self {
        let provider = Arc::new(default_provider());
        let key = provider.key_provider.load_private_key(key).unwrap();
        // A resolver does not look whether the key is the certificate's own.
        let resolver = SingleCertAndKey::from(CertifiedKey::new(chain, key));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Self::Tls(Arc::new(config))
    }

    /// The stream in plain text, and how TLS was agreed on; nothing if the client did not finish the handshake.
    pub(super) async fn accept(&self, stream: TcpStream) -> Option<(Box<dyn Stream>, Option<HandshakeKind>)> {
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
pub(super) struct Player {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
    notes: Notes,
    gate: Arc<Semaphore>,
}

impl Player {
    pub(super) fn new(stream: Box<dyn Stream>, notes: Notes, gate: Arc<Semaphore>) -> Self {
        Self { stream, unread: Vec::new(), notes, gate }
    }

    /// Plays to the end. An error is that the client has gone.
    pub(super) async fn play(&mut self, script: &[Step]) -> io::Result<()> {
        for step in script {
            self.step(step).await?;
        }
        Ok(())
    }

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
                for byte in bytes {
                    self.write(&[*byte]).await?;
                    tokio::time::sleep(*pause).await;
                }
            }
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
        loop {
            if let Some(length) = request_length(&self.unread)
                && self.unread.len() >= length
            {
                self.unread.drain(..length);
                self.notes.note(|seen| seen.requests += 1);
                return Ok(());
            }
            self.read_more().await?;
        }
    }
}

/// Length of the request that the bytes begin with; nothing if its head is not complete.
fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let announced = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    Some(head + announced.map_or(0, |length| length.trim().parse::<usize>().unwrap()))
}

//! What a server shows of itself before the first request: no TLS at all, or TLS with some certificate and some key.
#![expect(clippy::disallowed_types, reason = "a server for tests listens on loopback")]

use std::sync::Arc;

use rcgen::KeyPair;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{HandshakeKind, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

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

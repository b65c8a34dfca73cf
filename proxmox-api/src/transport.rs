//! The seam to HTTP: what a transport is given, and what it gives back.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::time::Duration;

use proxmox_types::clean;
use snafu::Snafu;

use crate::Request;
use crate::error::text::LONGEST_TEXT;

/// A boxed future, as the seams return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends requests to one PVE API server and keeps the time.
///
/// The credentials live in the transport, so a [`Request`] can always be logged, and implementors cut them out of what a
/// server echoes. They must not repeat what may have been sent: only the caller knows whether that is safe. They must not
/// follow redirects, and they must end within [`Request::time_limit`], before which a request may wait for its turn within
/// a limit that is the transport's own. Dropping a future gives up on the answer, not on what the server does with the request.
#[cfg_attr(test, mockall::automock)]
pub trait HttpTransport: Send + Sync {
    /// Sends one request and returns the answer, whatever its status is.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>>;

    /// Lets time pass. Waiting is injected so that tests need no clock.
    fn pause(&self, duration: Duration) -> BoxFuture<'_, ()>;

    /// A monotonic clock with an arbitrary origin, for deadlines and elapsed time.
    fn now(&self) -> Duration;
}

/// The answer of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status; PVE also uses 595 to 599.
    pub status: u16,
    /// Reason phrase, in which PVE puts the first line of an error. A 401 and a 595 have nothing else.
    pub reason: String,
    /// The server's clock in seconds since 1970, from the `Date` header.
    pub date: Option<u64>,
    /// The body, complete.
    pub body: Body,
}

/// Body of an answer. A type of its own, so that a streamed body can be added without a new seam.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Body(Vec<u8>);

impl Body {
    /// The bytes of the body.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// Why there is no answer. The difference decides whether a repeat is safe.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
#[non_exhaustive]
pub enum TransportError {
    /// No byte of the request left: the server cannot have acted on it, so a repeat is safe.
    #[snafu(display("{stage}: {reason}"))]
    NotSent {
        /// How far it came.
        stage: Stage,
        /// What went wrong, for people.
        reason: String,
    },
    /// The request may have left: the server may have acted on it.
    #[snafu(display("no complete answer: {reason}"))]
    Unknown {
        /// What went wrong, for people.
        reason: String,
    },
}

impl TransportError {
    /// The same with a reason that may be shown: certificates have names in them that somebody chose.
    pub(crate) fn cleaned(mut self) -> Self {
        let (Self::NotSent { reason, .. } | Self::Unknown { reason }) = &mut self;
        *reason = clean(reason, LONGEST_TEXT);
        self
    }

    /// Whether the server may have acted on the request.
    pub const fn may_have_happened(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }
}

/// The step before the request at which a transport gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Building the HTTP message.
    Build,
    /// Waiting for a connection that is free.
    Queue,
    /// Resolving the host name.
    Resolve,
    /// Connecting over TCP.
    Connect,
    /// The TLS handshake, the check of the certificate included.
    Tls,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Build => "request not built",
            Self::Queue => "no free connection",
            Self::Resolve => "host name not resolved",
            Self::Connect => "not connected",
            Self::Tls => "no TLS connection",
        })
    }
}

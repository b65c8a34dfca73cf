//! A lane: one HTTP/1.1 connection, and one request on it at a time.

use std::time::{Duration, Instant};

use hyper::client::conn::http1::SendRequest;
use proxmox_api::{Stage, TransportError};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::message::{Answer, Content, Message, read};
use crate::report::chain;

/// How long a connection is kept without a request; pveproxy closes it after 5 s.
const KEPT: Duration = Duration::from_secs(2);

/// How long a connection may take to be ready for the next request once its answer is complete. It takes longer only if
/// the server answered without reading the whole request.
const SETTLING: Duration = Duration::from_millis(100);

/// One connection. Dropping it closes it.
pub(super) struct Lane {
    sender: SendRequest<Content>,
    task: AbortHandle,
    idle_since: Instant,
}

/// Why a lane gave no answer.
pub(super) enum Failure {
    /// No byte of the message was written, so it may go out elsewhere.
    Unwritten(Box<Message>),
    /// The connection ended, or time did, and nobody knows what the server did.
    Unknown(String),
}

impl Failure {
    pub(super) fn into_error(self) -> TransportError {
        match self {
            Self::Unwritten(_) => TransportError::NotSent {
                stage: Stage::Connect,
                reason: "the connection closed before the request was written".into(),
            },
            Self::Unknown(reason) => TransportError::Unknown { reason },
        }
    }
}

impl Lane {
    pub(super) fn new(sender: SendRequest<Content>, task: AbortHandle) -> Self {
        Self { sender, task, idle_since: Instant::now() }
    }

    /// Whether it can be expected to take another request.
    pub(super) fn is_fresh(&self) -> bool {
        self.idle_since.elapsed() < KEPT && self.sender.is_ready()
    }

    /// Sends a message and reads the whole answer.
    pub(super) async fn send(&mut self, message: Message, deadline: Instant) -> Result<Answer, Failure> {
        let exchange = async {
            let sent = self.sender.try_send_request(message).await;
            match sent {
                Ok(response) => read(response).await.map_err(Failure::Unknown),
                Err(mut error) => Err(match error.take_message() {
                    Some(message) => Failure::Unwritten(Box::new(message)),
                    None => Failure::Unknown(chain(&error.into_error())),
                }),
            }
        };
        match timeout(deadline.saturating_duration_since(Instant::now()), exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(Failure::Unknown("nothing more came in time".into())),
        }
    }

    /// Waits a moment until the connection can take another request; false if it cannot, or closes instead.
    pub(super) async fn settle(&mut self) -> bool {
        let is_ready = matches!(timeout(SETTLING, self.sender.ready()).await, Ok(Ok(())));
        self.idle_since = Instant::now();
        is_ready
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.task.abort();
    }
}

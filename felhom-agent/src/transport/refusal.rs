//! After the first 401 nothing is sent any more: PVE takes 3 s for every refusal, and the next one would be no other.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use proxmox_api::{BoxFuture, HttpTransport, Request, Response, TransportError};
use tokio::sync::Semaphore;

use super::LANES;

/// A transport that keeps the first 401 and gives it to every later request.
pub(crate) struct Refusal {
    transport: Arc<dyn HttpTransport>,
    /// What would wait inside the transport waits here, where it can still be held back.
    permits: Semaphore,
    kept: OnceLock<Response>,
}

impl Refusal {
    /// Guards a transport.
    pub(crate) fn new(transport: Arc<dyn HttpTransport>) -> Self {
        Self { transport, permits: Semaphore::new(LANES), kept: OnceLock::new() }
    }
}

impl HttpTransport for Refusal {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            // The semaphore is never closed.
            let _permit = self.permits.acquire().await;
            if let Some(refusal) = self.kept.get() {
                return Ok(refusal.clone());
            }
            let response = self.transport.send(request).await?;
            if response.status == 401 {
                return Ok(self.kept.get_or_init(|| response).clone());
            }
            Ok(response)
        })
    }

    fn pause(&self, duration: Duration) -> BoxFuture<'_, ()> {
        self.transport.pause(duration)
    }

    fn now(&self) -> Duration {
        self.transport.now()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Refuses the second request and whatever comes after it.
    #[derive(Default)]
    struct Server(AtomicU32);

    impl HttpTransport for Server {
        fn send(&self, _: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            let (status, reason) = if number == 0 { (200, "OK") } else { (401, "Authentication failed!") };
            let body = String::from(r#"{"data":{"version":"9.2.11","release":"9.2","repoid":"d87b2dd5"}}"#);
            let response = Response { status, reason: reason.into(), date: None, body: body.into() };
            Box::pin(async { Ok(response) })
        }

        fn pause(&self, _: Duration) -> BoxFuture<'_, ()> {
            Box::pin(async {})
        }

        fn now(&self) -> Duration {
            Duration::ZERO
        }
    }

    #[tokio::test]
    async fn a_refused_token_is_sent_once() {
        let server = Arc::new(Server::default());
        let transport = Arc::new(Refusal::new(server.clone()));
        let client = proxmox_api::Client::new(transport, "felhom@pve!agent".parse().unwrap());
        client.version().await.unwrap();
        for _ in 0..3 {
            let error = client.version().await.unwrap_err();
            assert_eq!(
                error.to_string(),
                "GET /version: the server refused the token: Authentication failed!"
            );
        }
        assert_eq!(server.0.load(Ordering::Relaxed), 2);
    }
}

//! A transport that gives recorded answers, whatever is asked.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use proxmox_api::{BoxFuture, Client, HttpTransport, Observer, Request, Response, TransportError};

/// Gives the answers in turn; time stands still.
pub(crate) struct Canned(Mutex<VecDeque<Response>>);

impl HttpTransport for Canned {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let next = self.0.lock().unwrap().pop_front();
        let none = TransportError::Unknown { reason: "no answer was recorded".into() };
        Box::pin(std::future::ready(next.ok_or(none)))
    }

    fn pause(&self, _: Duration) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

/// A client that gets these answers.
pub(crate) fn client(answers: impl IntoIterator<Item = Response>) -> Client {
    let transport = Canned(Mutex::new(answers.into_iter().collect()));
    Client::new(Arc::new(transport), "felhom@pve!agent".parse().unwrap())
}

/// A client that gets one answer and tells the observer what it made of it.
pub(crate) fn observed(answer: Response, observer: Arc<dyn Observer>) -> Client {
    let transport = Canned(Mutex::new([answer].into()));
    Client::observed(Arc::new(transport), "felhom@pve!agent".parse().unwrap(), observer)
}

/// Runs a future that never has to wait.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a canned answer is never waited for"),
    }
}

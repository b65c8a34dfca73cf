//! Runs a future whose waiting takes no time.

use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The value of a future over the simulated node, where time is virtual.
pub(crate) fn now<F: IntoFuture>(future: F) -> F::Output {
    match pin!(future.into_future()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("virtual time never makes anybody wait"),
    }
}

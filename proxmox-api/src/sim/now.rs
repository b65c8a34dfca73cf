//! Runs a future over the simulated node, where waiting takes no time.

use core::future::IntoFuture;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

/// The value of a future that waits for nothing but the simulated node: for tests and examples without a runtime.
pub fn now<F: IntoFuture>(future: F) -> F::Output {
    let mut future = pin!(future.into_future());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

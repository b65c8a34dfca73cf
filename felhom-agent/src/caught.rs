//! Panics that must not end the process, because there is something to be undone or to be told.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// What a future returns, or nothing if it panics. What it was working on may be half done then.
pub(crate) async fn caught<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(polled) => polled.map(Some),
        Err(_payload) => Poll::Ready(None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_nothing_and_everything_else_is_passed_on() {
        assert_eq!(caught(async { 7 }).await, Some(7));
        let later = async {
            tokio::task::yield_now().await;
            panic!("a bug");
        };
        assert_eq!(caught::<()>(later).await, None);
    }
}

//! Panics: what is said of them, and those that must not end the process because there is something to be undone.

use std::future::poll_fn;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Tells of every panic where it happened and nothing else, because its payload may hold anything, the token too.
pub fn hide_payloads() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        // Nothing better can be done if stderr is gone.
        let _written = writeln!(std::io::stderr(), "felhom-agent: internal error at {place}");
    }));
}

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

//! What the process has once: its panics, its signals, its log.

pub mod interrupt;

use std::future::poll_fn;
use std::io::{self, IsTerminal, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use proxmox_types::redact;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

use crate::config::{LogFormat, LogLevel};

/// Tells of every panic where it happened and nothing else, because its payload may hold anything, the token too.
pub fn hide_payloads() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        // Nothing better can be done if stderr is gone.
        let _written = writeln!(io::stderr(), "felhom-agent: internal error at {place}");
    }));
}

/// What a future returns, or nothing if it panics. What it was working on may be half done then.
pub(crate) async fn catch_panic<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(polled) => polled.map(Some),
        Err(_payload) => Poll::Ready(None),
    })
    .await
}

/// The crates whose words are logged. Others could log what they were given, and that may be the token.
const OURS: [&str; 3] = ["felhom_agent", "proxmox_api", "proxmox_privileged"];

/// The standard error, without any token in it. Every line comes in one piece.
struct Redacted;

impl Write for Redacted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(redact(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Starts logging. A second call changes nothing.
pub fn start_logging(level: LogLevel, format: LogFormat, has_color: bool) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let targets = OURS.map(|target| (target, level)).into_iter().collect::<Targets>();
    let registry = tracing_subscriber::registry().with(targets);
    let layer = fmt::layer().with_writer(|| Redacted).with_target(true);
    // Whoever started logging before has decided how it is done.
    let _already_started = match format {
        LogFormat::Text => registry.with(layer.with_ansi(has_color && io::stderr().is_terminal())).try_init(),
        LogFormat::Json => registry.with(layer.json().with_ansi(false)).try_init(),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_nothing_and_everything_else_is_passed_on() {
        assert_eq!(catch_panic(async { 7 }).await, Some(7));
        let later = async {
            tokio::task::yield_now().await;
            panic!("a bug");
        };
        assert_eq!(catch_panic::<()>(later).await, None);
    }
}

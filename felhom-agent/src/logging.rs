//! Structured logging to stderr, as text or JSON.

use std::io::{self, IsTerminal, Write};

use proxmox_types::redact;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

use crate::config::{LogFormat, LogLevel};

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
pub fn start(level: LogLevel, format: LogFormat, has_color: bool) {
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

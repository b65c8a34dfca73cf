//! SIGINT, SIGTERM and SIGHUP, as something that can be waited for and asked about.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::report::exit::Exit;

/// The signals that are heard, and how a run ends because of them. SIGHUP comes when the terminal goes away.
const SIGNALS: [(SignalKind, Exit); 3] = [
    (SignalKind::interrupt(), Exit::Interrupted),
    (SignalKind::terminate(), Exit::Terminated),
    (SignalKind::hangup(), Exit::Terminated),
];

/// The signals that have arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    count: u32,
    /// How the run ends because of the first, and when that came.
    first: Option<(Exit, Instant)>,
}

/// Knows whether the run shall end. Clones know the same.
#[derive(Clone, Debug)]
pub struct Interrupt(watch::Receiver<Seen>);

/// Interrupts: what a signal does.
#[derive(Debug)]
pub struct Trigger(watch::Sender<Seen>);

impl Interrupt {
    /// Listens for the signals from now on, inside a runtime. Where that fails, they end the process at once.
    ///
    /// A signal that whoever started the process wanted to be ignored, as nohup does, stays ignored.
    pub fn listen() -> Self {
        let (trigger, interrupt) = Self::new();
        let (trigger, ignored) = (Arc::new(trigger), ignored());
        for (kind, exit) in SIGNALS {
            let is_ignored = ignored >> (kind.as_raw_value() - 1) & 1 == 1;
            if let (false, Ok(mut arrivals)) = (is_ignored, signal(kind)) {
                let trigger = trigger.clone();
                tokio::spawn(async move {
                    while arrivals.recv().await.is_some() {
                        trigger.strike(exit);
                    }
                });
            }
        }
        interrupt
    }

    /// One that somebody else triggers.
    pub fn new() -> (Trigger, Self) {
        let (sender, receiver) = watch::channel(Seen::default());
        (Trigger(sender), Self(receiver))
    }

    /// How the run ends, if it was interrupted.
    pub fn exit(&self) -> Option<Exit> {
        self.0.borrow().first.map(|(exit, _)| exit)
    }

    /// Waits for the first signal, the second, ... and says how the run ends. Without anybody to trigger it, for ever.
    pub async fn nth(&mut self, nth: u32) -> Exit {
        self.wait(nth).await.0
    }

    /// Waits for the second signal, or until that much time has passed since the first.
    pub async fn spent(&mut self, lenience: Duration) -> Exit {
        let (exit, at) = self.wait(1).await;
        tokio::select! {
            _ = self.wait(2) => exit,
            () = sleep_until(at + lenience) => exit,
        }
    }

    async fn wait(&mut self, nth: u32) -> (Exit, Instant) {
        let first = match self.0.wait_for(|seen| seen.count >= nth).await {
            Ok(seen) => seen.first,
            Err(_) => None,
        };
        match first {
            Some(first) => first,
            None => std::future::pending().await,
        }
    }
}

impl Trigger {
    /// Interrupts once more.
    pub fn strike(&self, exit: Exit) {
        self.0.send_modify(|seen| {
            seen.count += 1;
            seen.first.get_or_insert_with(|| (exit, Instant::now()));
        });
    }
}

/// The signals that are ignored, a bit each, from the lowest.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

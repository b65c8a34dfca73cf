//! SIGINT, SIGTERM and SIGHUP, as something that can be waited for and asked about.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::exit::Exit;

/// The signals that have arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    count: u32,
    /// How the run ends because of the first.
    exit: Option<Exit>,
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
    /// SIGHUP, which comes when the terminal goes away, counts as SIGTERM.
    pub fn listen() -> Self {
        let (trigger, interrupt) = Self::new();
        let signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        if let [Ok(mut int), Ok(mut term), Ok(mut hangup)] = signals {
            tokio::spawn(async move {
                loop {
                    tokio::select! {
                        _ = int.recv() => trigger.strike(Exit::Interrupted),
                        _ = term.recv() => trigger.strike(Exit::Terminated),
                        _ = hangup.recv() => trigger.strike(Exit::Terminated),
                    }
                }
            });
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
        self.0.borrow().exit
    }

    /// Waits for the first signal, the second, ... and says how the run ends. Without anybody to trigger it, for ever.
    pub async fn nth(&mut self, nth: u32) -> Exit {
        let exit = match self.0.wait_for(|seen| seen.count >= nth).await {
            Ok(seen) => seen.exit,
            Err(_) => None,
        };
        match exit {
            Some(exit) => exit,
            None => std::future::pending().await,
        }
    }
}

impl Trigger {
    /// Interrupts once more.
    pub fn strike(&self, exit: Exit) {
        self.0.send_modify(|seen| {
            seen.count += 1;
            seen.exit.get_or_insert(exit);
        });
    }
}

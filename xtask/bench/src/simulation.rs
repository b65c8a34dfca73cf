//! Waiting in simulated time: no second passes, and every run is the same.

use std::time::Duration;

use proxmox_api::Patience;
use proxmox_types::Upid;
use tokio::time::Instant;

use crate::Res;
use crate::canned::Simulated;

/// Seconds that a request takes.
pub(crate) const ROUND_TRIP: f64 = 0.010;

/// How long anybody waits at most.
const PATIENCE: Duration = Duration::from_hours(3);

/// What waiting took.
#[derive(Debug, Default)]
pub(crate) struct Waited {
    /// Seconds after the end of its task, for every wait.
    pub(crate) late: Vec<f64>,
    pub(crate) requests: u64,
    /// Answers that closed their connection, so that the next request needs a handshake.
    pub(crate) closes: u64,
}

/// So many waits at once, each for a task of its own that lasts so many seconds.
pub(crate) fn wait(count: usize, seconds: f64) -> Res<Waited> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(async {
        let node = Simulated::new();
        let client = node.client()?;
        // The client knows the server's clock from the call that started a task.
        client.version().await?;
        node.seen();
        let (start, lasts) = (Instant::now(), Duration::from_secs_f64(seconds));
        let mut waits = Vec::new();
        for _ in 0..count {
            let (client, upid) = (client.clone(), node.start_task(lasts).parse::<Upid>()?);
            waits.push(tokio::spawn(async move {
                client.task(&upid).wait(Patience::new(PATIENCE)).await?;
                Res::Ok(start.elapsed().as_secs_f64() - seconds)
            }));
        }
        let mut waited = Waited::default();
        for wait in waits {
            waited.late.push(wait.await??);
        }
        (waited.requests, waited.closes) = node.seen();
        Ok(waited)
    })
}

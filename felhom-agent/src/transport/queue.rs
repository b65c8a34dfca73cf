//! Who sends next: a request that changes something goes before one that reads, and otherwise the first comes first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot::{self, Receiver, Sender};
use tokio::time::timeout;

/// A fixed number of places, and those who wait for one.
pub(super) struct Queue {
    line: Mutex<WaitingLine>,
}

/// Those who wait, in the order in which they came. Whoever gave up is passed over.
struct WaitingLine {
    free: usize,
    changes: VecDeque<Sender<LaneTurn>>,
    reads: VecDeque<Sender<LaneTurn>>,
}

/// A place. Dropping it hands it to the next in line, also if it was handed to somebody who has just given up.
pub(super) struct LaneTurn(Arc<Queue>);

impl Queue {
    /// A queue for so many places.
    pub(super) fn new(places: usize) -> Arc<Self> {
        let line = WaitingLine { free: places, changes: VecDeque::new(), reads: VecDeque::new() };
        Arc::new(Self { line: Mutex::new(line) })
    }

    /// Waits for a place for so long; nothing if none became free.
    pub(super) async fn place(self: &Arc<Self>, is_read: bool, limit: Duration) -> Option<LaneTurn> {
        match self.enter(is_read) {
            Ok(place) => Some(place),
            Err(turn) => timeout(limit, turn).await.ok()?.ok(),
        }
    }

    /// A free place, or the turn that will come.
    fn enter(self: &Arc<Self>, is_read: bool) -> Result<LaneTurn, Receiver<LaneTurn>> {
        let mut line = self.lock();
        if let Some(left) = line.free.checked_sub(1) {
            line.free = left;
            return Ok(LaneTurn(self.clone()));
        }
        let waiting = if is_read { &mut line.reads } else { &mut line.changes };
        // All have the same patience, so those who gave up stand in front.
        while waiting.front().is_some_and(Sender::is_closed) {
            waiting.pop_front();
        }
        let (sender, turn) = oneshot::channel();
        waiting.push_back(sender);
        Err(turn)
    }

    fn lock(&self) -> MutexGuard<'_, WaitingLine> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WaitingLine {
    /// The next who still waits. If there is nobody, the place is free.
    fn next(&mut self) -> Option<Sender<LaneTurn>> {
        while let Some(next) = self.changes.pop_front().or_else(|| self.reads.pop_front()) {
            if !next.is_closed() {
                return Some(next);
            }
        }
        self.free += 1;
        None
    }
}

impl Drop for LaneTurn {
    fn drop(&mut self) {
        let next = self.0.lock().next();
        if let Some(next) = next {
            // Whoever gave up in the meantime drops the place, which hands it on.
            drop(next.send(Self(self.0.clone())));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;
    use tokio::time::{Instant, sleep};

    use super::*;

    const SERVICE: Duration = Duration::from_secs(2);
    const LIMIT: Duration = Duration::from_mins(1);

    /// Whether each of 200 callers reads, and after how many seconds it had its place; nothing if it gave up.
    async fn crowd(queue: &Arc<Queue>) -> Vec<(bool, Option<u64>)> {
        let mut callers = JoinSet::new();
        let start = Instant::now();
        for number in 0..200 {
            let (queue, is_read) = (queue.clone(), number % 5 != 0);
            callers.spawn(async move {
                let place = queue.place(is_read, LIMIT).await;
                let waited = start.elapsed();
                assert!(waited <= LIMIT);
                sleep(if place.is_some() { SERVICE } else { Duration::ZERO }).await;
                (number, is_read, place.map(|_| waited.as_secs()))
            });
        }
        let mut ended = callers.join_all().await;
        ended.sort_unstable();
        ended.into_iter().map(|(_, is_read, waited)| (is_read, waited)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn changes_wait_for_those_before_them_and_reads_for_all_changes_and_nobody_beyond_the_limit() {
        let waited = crowd(&Queue::new(3)).await;
        let of = |wanted: bool| {
            waited.iter().filter(move |(is_read, _)| *is_read == wanted).map(|(_, waited)| *waited)
        };
        // The first three take the places: a change and two reads. The other 39 changes follow in threes.
        let changes: Vec<_> = of(false).collect();
        let rounds = std::iter::once(0).chain((3..42).map(|number| number / 3 * 2));
        assert_eq!(changes, rounds.map(Some).collect::<Vec<_>>());
        // From second 28 on the reads do, until the limit.
        let reads: Vec<_> = of(true).collect();
        let served: Vec<_> = reads.iter().flatten().copied().collect();
        let rounds = [0, 0].into_iter().chain((0..51).map(|number| 28 + number / 3 * 2));
        assert!(served.is_sorted() && served.len() >= 48, "{served:?}");
        assert_eq!(served, rounds.take(served.len()).collect::<Vec<_>>());
        assert_eq!(reads[served.len()..], vec![None; 160 - served.len()]);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_at_any_point_keeps_no_place_from_the_next() {
        let queue = Queue::new(1);
        for is_handed_the_place in [false, true] {
            let held = queue.place(true, LIMIT).await.unwrap();
            let mut first = Box::pin(queue.place(false, LIMIT));
            let mut second = Box::pin(queue.place(true, LIMIT));
            for waiting in [&mut first, &mut second] {
                assert!(timeout(Duration::ZERO, waiting).await.is_err());
            }
            let (before, after) = if is_handed_the_place { (None, Some(first)) } else { (Some(first), None) };
            drop(before);
            drop(held);
            drop(after);
            assert!(second.await.is_some(), "{is_handed_the_place}");
        }
        assert_eq!(queue.lock().free, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_gave_up_leave_the_line() {
        let queue = Queue::new(1);
        let held = queue.place(true, LIMIT).await.unwrap();
        for _ in 0..100 {
            assert!(queue.place(true, Duration::from_millis(1)).await.is_none());
        }
        assert_eq!(queue.lock().reads.len(), 1);
        drop(held);
        assert!(queue.place(true, Duration::ZERO).await.is_some());
    }
}

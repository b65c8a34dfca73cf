//! Many waits on one node: what they cost, how late they are, and that none depends on another.

use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use proxmox_api::scope::task;
use proxmox_api::sim::{Effect, HttpAnswer, Injection, Sim};
use proxmox_api::{
    BoxFuture, Client, Ended, Error, HttpTransport, Patience, Request, Response, TransportError,
};
use proxmox_types::Upid;

use crate::waiting::{MINUTE, snapshot};

/// How long the server takes for an answer.
pub(crate) const SERVICE: Duration = Duration::from_millis(10);

/// The simulated node, whose clock stands still until nobody can go on.
#[derive(Clone)]
pub(crate) struct Clocked {
    sim: Sim,
    now: Arc<Mutex<Duration>>,
    alarms: Arc<Mutex<BTreeMap<Duration, Vec<Waker>>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Clocked {
    pub(crate) fn new(sim: &Sim) -> Self {
        let now = sim.world().now;
        Self { sim: sim.clone(), now: Arc::new(Mutex::new(now)), alarms: Arc::default() }
    }

    pub(crate) fn client(&self, token: &Client) -> Client {
        Client::new(Arc::new(self.clone()), token.token().clone())
    }

    async fn until(&self, time: Duration) {
        core::future::poll_fn(|context| {
            if *lock(&self.now) >= time {
                return Poll::Ready(());
            }
            lock(&self.alarms).entry(time).or_default().push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Runs the futures side by side until all have ended or the time is over.
    pub(crate) fn run<T>(
        &self,
        futures: &mut [Option<BoxFuture<'_, T>>],
        until: Duration,
    ) -> Vec<(usize, T, Duration)> {
        let mut ended = Vec::new();
        loop {
            let woken = Arc::new(Woken::default());
            let waker = Waker::from(woken.clone());
            for (index, slot) in futures.iter_mut().enumerate() {
                let polled =
                    slot.as_mut().map(|future| future.as_mut().poll(&mut Context::from_waker(&waker)));
                if let Some(Poll::Ready(value)) = polled {
                    ended.push((index, value, *lock(&self.now)));
                    *slot = None;
                }
            }
            if woken.is_set() {
                continue;
            }
            let Some((time, _)) = lock(&self.alarms).pop_first() else { return ended };
            if time > until {
                return ended;
            }
            *lock(&self.now) = time;
            let passed = time.saturating_sub(self.sim.world().now);
            self.sim.advance(passed);
        }
    }
}

/// Whether somebody can go on.
#[derive(Default)]
struct Woken(core::sync::atomic::AtomicBool);

impl Woken {
    fn is_set(&self) -> bool {
        self.0.load(core::sync::atomic::Ordering::Relaxed)
    }
}

impl std::task::Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, core::sync::atomic::Ordering::Relaxed);
    }
}

impl HttpTransport for Clocked {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            self.until(self.now() + SERVICE).await;
            let answer = self.sim.send(request).await;
            // The node lets a round trip pass by itself.
            let now = self.sim.world().now.max(self.now());
            self.until(now).await;
            answer
        })
    }

    fn pause(&self, duration: Duration) -> BoxFuture<'_, ()> {
        let time = self.now() + duration;
        Box::pin(self.until(time))
    }

    fn now(&self) -> Duration {
        *lock(&self.now)
    }
}

/// A node on which so many tasks run, each for a minute, and a client of it.
fn busy(count: u32) -> (Sim, Clocked, Client, Vec<Upid>) {
    let sim = Sim::new();
    let direct = sim.client();
    let upids = (0..count).map(|index| {
        let number = 10_000 + index;
        let mut world = sim.world();
        let container = world.containers.get(&300).unwrap().clone();
        world.containers.insert(number, container);
        drop(world);
        snapshot(&sim, &direct, number, MINUTE)
    });
    let upids = upids.collect();
    let clocked = Clocked::new(&sim);
    let client = clocked.client(&direct);
    sim.world().received.clear();
    (sim, clocked, client, upids)
}

pub(crate) type Waits<'a> = Vec<Option<BoxFuture<'a, Result<Ended, Error>>>>;

pub(crate) fn waits<'a>(client: &'a Client, upids: &'a [Upid]) -> Waits<'a> {
    let wait = |upid: &Upid| -> BoxFuture<'a, _> { Box::pin(client.wait(upid.clone(), Patience::default())) };
    upids.iter().map(|upid| Some(wait(upid))).collect()
}

#[test]
fn a_thousand_waits_cost_what_ten_cost() {
    for (count, most) in [(1, 70), (10, 80), (100, 100), (1000, 150)] {
        let (sim, clocked, client, upids) = busy(count);
        // All of the tasks have begun by now, so the last of them ends a minute from now.
        let end = clocked.now() + MINUTE;
        let ended = clocked.run(&mut waits(&client, &upids), clocked.now() + MINUTE * 3);
        let last = ended.iter().filter(|(_, ended, _)| ended.is_ok()).map(|(_, _, at)| *at).max().unwrap();
        assert_eq!(ended.len(), upids.len());
        let requests = sim.world().received.len();
        assert!(requests <= most, "{count} waits: {requests} requests");
        assert!(sim.count(&task::STATUS) <= if count == 1 { 70 } else { 1 });
        let late = last.saturating_sub(end);
        assert!(late <= Duration::from_millis(1200), "{count} waits: {late:?} late");
    }
}

#[test]
fn waits_that_are_dropped_change_nothing_for_the_rest() {
    // Dropped while they ask, while they wait for whoever asks, and between.
    for millis in [0, 5, 15, 400, 1003, 20_004] {
        let (sim, clocked, client, upids) = busy(100);
        let mut waits = waits(&client, &upids);
        let until = clocked.now() + Duration::from_millis(millis);
        let none = clocked.run(&mut waits, until);
        assert!(none.is_empty());
        waits.iter_mut().step_by(2).for_each(|wait| *wait = None);
        let ended = clocked.run(&mut waits, clocked.now() + MINUTE * 3);
        assert!(ended.iter().all(|(index, ended, _)| index % 2 == 1 && ended.is_ok()));
        assert_eq!(ended.len(), 50, "dropped after {millis} ms");
        assert!(sim.world().received.len() <= 100);
    }
}

#[test]
fn a_wait_that_nobody_goes_on_with_holds_up_no_other() {
    let (_, clocked, client, upids) = busy(10);
    let (stalled, others) = upids.split_first().unwrap();
    let mut asks = waits(&client, std::slice::from_ref(stalled));
    let mut waits = waits(&client, others);
    // It joins, a second one asks for the list, and neither is polled again.
    let start = clocked.now();
    clocked.run(&mut waits, start);
    assert_eq!(clocked.run(&mut asks, start).len(), 0);
    let (first, rest) = waits.split_first_mut().unwrap();
    let ended = clocked.run(rest, clocked.now() + MINUTE * 3);
    assert_eq!(ended.iter().filter(|(_, ended, _)| ended.is_ok()).count(), rest.len());
    assert!(first.is_some() && asks.iter().all(Option::is_some));
}

#[test]
fn what_the_list_does_not_settle_is_asked_for_alone() {
    let (sim, clocked, client, upids) = busy(6);
    sim.world().kill_task(upids[0].as_ref());
    sim.world().forget_task(upids[1].as_ref());
    let other = snapshot(&sim, &sim.as_token("root@pam!full".parse().unwrap()).client(), 300, MINUTE);
    let upids = [upids, vec![other]].concat();
    let ended = clocked.run(&mut waits(&client, &upids), clocked.now() + MINUTE * 3);
    let ended: BTreeMap<_, _> = ended.into_iter().map(|(index, ended, _)| (index, ended)).collect();
    assert!(matches!(ended[&0], Err(Error::TaskUnknown { .. })), "{:?}", ended[&0]);
    assert!(matches!(ended[&1], Err(Error::TaskUnknown { .. })), "{:?}", ended[&1]);
    assert!((2..7).all(|index| ended[&index].is_ok()));
    assert!(sim.count(&task::STATUS) < 40, "{}", sim.count(&task::STATUS));
}

#[test]
fn a_task_that_stands_in_the_list_twice_has_ended() {
    let (sim, clocked, client, upids) = busy(3);
    let row = |upid: &Upid, end: &str| {
        format!(
            r#"{{"upid":"{upid}","node":"pve1","id":"1","type":"vzsnapshot","user":"felhom@pve","starttime":{}{end}}}"#,
            upid.started()
        )
    };
    let ended = r#","endtime":1795499990,"status":"OK""#;
    for (first, second) in [(ended, ""), ("", ended)] {
        let rows: Vec<_> = upids.iter().flat_map(|upid| [row(upid, first), row(upid, second)]).collect();
        let body = format!(r#"{{"data":[{}],"total":6}}"#, rows.join(","));
        let answer = HttpAnswer { body, ..HttpAnswer::bare(200, "OK") };
        sim.inject(Injection { endpoint: &task::LIST, effect: Effect::Instead(answer), times: 1 });
        let until = clocked.now() + MINUTE / 2;
        let ended = clocked.run(&mut waits(&client, &upids), until);
        // The first one asks for its own, as long as it is alone.
        let ended: Vec<_> =
            ended.iter().filter(|(_, ended, _)| ended.is_ok()).map(|(index, ..)| *index).collect();
        assert_eq!(ended, [1, 2]);
    }
}

#[test]
fn a_list_that_is_not_answered_is_survived_as_a_status_is() {
    for (effect, times, ends_well) in [
        (Effect::Instead(HttpAnswer::bare(500, "got timeout")), 20, true),
        (Effect::LostAnswer, 5, true),
        // The list is refused for ever: each asks for its own.
        (Effect::Instead(HttpAnswer::bare(403, "Permission check failed")), usize::MAX, true),
        (Effect::Instead(HttpAnswer::bare(500, "got timeout")), usize::MAX, true),
    ] {
        let (sim, clocked, client, upids) = busy(5);
        sim.inject(Injection { endpoint: &task::LIST, effect: effect.clone(), times });
        let ended = clocked.run(&mut waits(&client, &upids), clocked.now() + MINUTE * 5);
        assert_eq!(ended.iter().all(|(_, ended, _)| ended.is_ok()), ends_well, "{effect:?}: {ended:?}");
        assert_eq!(ended.len(), 5, "{effect:?}");
    }
    // Nothing is answered any more: nobody waits for ever.
    let (sim, clocked, client, upids) = busy(5);
    for endpoint in [&task::LIST, &task::STATUS] {
        sim.inject(Injection { endpoint, effect: Effect::Refused, times: usize::MAX });
    }
    let ended = clocked.run(&mut waits(&client, &upids), clocked.now() + MINUTE * 5);
    assert!(ended.iter().all(|(_, ended, _)| matches!(ended, Err(Error::TaskUnwatched { .. }))), "{ended:?}");
    assert_eq!(ended.len(), 5);
}

//! The way from the agent to the simulated node, in virtual time: where faults are chosen and agents are killed.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use felhom_agent::process::interrupt::Trigger;
use felhom_agent::report::exit::Exit;
use proxmox_api::sim::{Effect, HttpAnswer, Script, Sim, World};
use proxmox_api::{BoxFuture, HttpTransport, Request, Response, TransportError};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::history::{FaultPlace, Strike, What};
use crate::node;

/// Longer than any step may take.
const FOR_EVER: Duration = Duration::from_hours(2);

/// One request on its way.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// Its number at the node.
    pub(crate) number: usize,
    pub(crate) line: String,
    pub(crate) is_change: bool,
    /// Whether it left at all.
    pub(crate) has_left: bool,
}

impl Sent {
    pub(crate) fn is_put(&self) -> bool {
        self.line.starts_with("PUT ")
    }
}

/// What the wire knows.
#[derive(Debug, Default)]
pub(crate) struct WireState {
    faults: Vec<Strike>,
    step: usize,
    requests: usize,
    changes: usize,
    proxy_back: Duration,
    daemon_back: Duration,
    is_killed: bool,
    /// Whether a fault struck in this step, or lasts from an earlier one.
    pub(crate) is_disturbed: bool,
    pub(crate) trigger: Option<Trigger>,
    pub(crate) sent: Vec<Sent>,
    /// What happened, in words, if anybody wants to read it.
    pub(crate) told: Option<Vec<String>>,
}

/// The wire. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub(crate) sim: Sim,
    state: Arc<Mutex<WireState>>,
    start: Instant,
}

impl Wire {
    /// A wire to the node. It must be made inside a runtime.
    pub(crate) fn new(sim: Sim, faults: Vec<Strike>, is_told: bool) -> Self {
        let state = WireState { faults, told: is_told.then(Vec::new), ..WireState::default() };
        let state = Arc::new(Mutex::new(state));
        let script = state.clone();
        sim.world().script = Some(Script::new(move |world, request| lock(&script).decide(world, request)));
        Self { sim, state, start: Instant::now() }
    }

    /// What it knows.
    pub(crate) fn state(&self) -> MutexGuard<'_, WireState> {
        lock(&self.state)
    }

    /// A step begins.
    pub(crate) fn begin(&self, step: usize, name: &str) {
        let mut state = self.state();
        (state.step, state.requests, state.changes, state.is_killed) = (step, 0, 0, false);
        state.tell(|| format!("-- {name}"));
    }

    /// From here on nothing goes wrong any more.
    pub(crate) fn heal(&self) {
        let mut state = self.state();
        state.faults.clear();
        (state.proxy_back, state.daemon_back) = (Duration::ZERO, Duration::ZERO);
        self.sim.world().acl = Sim::new().world().acl.clone();
    }

    /// What a future returns, or nothing if the agent is killed meanwhile, or waits for ever.
    pub(crate) async fn unless_killed<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        timeout(FOR_EVER, self.until_killed(future)).await.ok().flatten()
    }

    async fn until_killed<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if self.state().is_killed => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }

    /// Lets the node live until now.
    pub(crate) fn catch_up(&self) {
        let behind = self.start.elapsed().saturating_sub(self.sim.now());
        self.sim.advance(behind);
    }

    async fn exchange(&self, request: Request) -> Result<Response, TransportError> {
        if self.state().kills(What::KilledBefore, &request) {
            return pending().await;
        }
        self.catch_up();
        let number = self.sim.world().sent;
        let answer = self.sim.send(request.clone()).await;
        let is_dead = self.state().note(number, &request, &answer, self.sim.now());
        if is_dead {
            return pending().await;
        }
        sleep_until(self.start + self.sim.now()).await;
        answer
    }
}

impl HttpTransport for Wire {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.exchange(request))
    }

    fn pause(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(sleep(duration))
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

fn lock(state: &Mutex<WireState>) -> MutexGuard<'_, WireState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl WireState {
    fn tell(&mut self, text: impl FnOnce() -> String) {
        if let Some(told) = &mut self.told {
            told.push(text());
        }
    }

    /// What strikes the request that comes next.
    fn struck(&self, request: &Request) -> impl Iterator<Item = What> + '_ {
        let (step, requests, changes) = (self.step, self.requests, self.changes);
        let is_change = !request.method.is_read();
        self.faults.iter().filter(move |fault| fault.step == step).filter_map(move |fault| {
            let (first, at) = match fault.place {
                FaultPlace::Request(first) => (first, requests),
                FaultPlace::Change(first) if is_change => (first, changes),
                FaultPlace::Change(_) => return None,
            };
            (first..first.saturating_add(fault.times)).contains(&at).then_some(fault.what)
        })
    }

    /// Whether the agent is killed at this request.
    fn kills(&mut self, how: What, request: &Request) -> bool {
        let is_killed = self.struck(request).any(|what| what == how);
        if is_killed {
            self.is_killed = true;
            self.tell(|| format!("   {how:?}  {request}"));
        }
        is_killed
    }

    /// Notes a request and its answer; whether the agent dies over it.
    fn note(
        &mut self,
        number: usize,
        request: &Request,
        answer: &Result<Response, TransportError>,
        now: Duration,
    ) -> bool {
        let (line, is_change) = (request.to_string(), !request.method.is_read());
        let has_left = !matches!(answer, Err(TransportError::NotSent { .. }));
        let struck: Vec<What> = self.struck(request).collect();
        self.tell(|| format!("{:9.3}  {line}  {struck:?}  -> {}", now.as_secs_f64(), in_words(answer)));
        self.sent.push(Sent { number, line, is_change, has_left });
        let is_dead = self.kills(What::KilledAfter, request);
        self.requests += 1;
        self.changes += usize::from(is_change);
        is_dead
    }

    /// The fault that strikes a request, once it has reached the seam of the node.
    fn decide(&mut self, world: &mut World, request: &Request) -> Option<Effect> {
        let struck: Vec<What> = self.struck(request).collect();
        self.is_disturbed |= !struck.is_empty();
        let effects: Vec<Effect> = struck.into_iter().filter_map(|what| self.strike(what, world)).collect();
        if world.now < self.proxy_back {
            return Some(Effect::Refused);
        }
        world.is_daemon_down = world.now < self.daemon_back;
        effects.into_iter().next()
    }

    fn strike(&mut self, what: What, world: &mut World) -> Option<Effect> {
        let seconds = Duration::from_secs;
        match what {
            What::Refused => return Some(Effect::Refused),
            What::LostRequest => return Some(Effect::LostRequest),
            What::LostAnswer => return Some(Effect::LostAnswer),
            What::Late(late) => return Some(Effect::Late(seconds(late))),
            What::Acted(status, text) => return Some(Effect::Answered(failure(status, text))),
            What::Idle(status, text) => return Some(Effect::Instead(failure(status, text))),
            What::Body(body) => return Some(Effect::Body(body)),
            What::Cut => return Some(Effect::Cut),
            What::Slow(late) => return Some(Effect::Slow(seconds(late))),
            What::ProxyAway(long) => self.proxy_back = world.now + seconds(long),
            What::DaemonAway(long) => self.daemon_back = world.now + seconds(long),
            What::Clock(ahead) => world.epoch = world.epoch.saturating_add_signed(ahead),
            What::Revoked => world.acl.revoke("/pool/felhom", "FelhomAgent"),
            What::Signal => self.trigger.iter().for_each(|trigger| trigger.strike(Exit::Terminated)),
            What::TaskKilled => node::kill_tasks(world),
            What::TaskForgotten => node::forget_tasks(world),
            What::OtherSnapshot => node::other_snapshot(world),
            What::OtherBackup => node::other_backup(world),
            What::KilledBefore | What::KilledAfter => {}
        }
        None
    }
}

/// An answer of an error, as pvedaemon forms it; pveproxy's own have no body.
fn failure(status: u16, text: &str) -> HttpAnswer {
    let body = format!("{{\"data\":null,\"message\":{:?}}}", format!("{text}\n"));
    let body = if status == 500 { body } else { String::new() };
    HttpAnswer { body, ..HttpAnswer::bare(status, text) }
}

fn in_words(answer: &Result<Response, TransportError>) -> String {
    match answer {
        Err(error) => error.to_string(),
        Ok(response) => {
            let body = String::from_utf8_lossy(response.body.as_bytes());
            let body: String = body.chars().take(160).flat_map(char::escape_debug).collect();
            format!("{} {}", response.status, body.replace("\\\"", "\""))
        }
    }
}

//! Plays a history: the agent's own code against the simulated node, in virtual time.

use std::cell::Cell;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use felhom_agent::config::Config;
use felhom_agent::exercise::cleanup::{CleanupReport, tidy};
use felhom_agent::exercise::journal::{Journal, peek};
use felhom_agent::exercise::site::Site;
use felhom_agent::exercise::{Exercised, run};
use felhom_agent::process::interrupt::Interrupt;
use felhom_agent::report::progress::Progress;
use proxmox_api::sim::{Container, World};
use proxmox_api::{Client, Ended, Error, Patience};
use proxmox_types::Vmid;
use std::collections::BTreeMap;
use tokio::time::Instant;

use crate::call::{self, Outcome};
use crate::history::{Detail, GUEST, History, ProgramStep};
use crate::node;
use crate::wire::{Sent, Wire};

/// How long a task is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// How soon another process of the agent begins: within two seconds its calls cannot be told from those of the last.
const PAUSE: Duration = Duration::from_secs(3);

/// What became of a call, and of the task that it started.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) outcome: Outcome,
    pub(crate) waited: Option<Result<Ended, Error>>,
    /// Whether what it sets is in effect, whoever set it.
    pub(crate) is_in_effect: bool,
}

/// How a step ended.
#[derive(Debug)]
pub(crate) enum Ending {
    Killed,
    Exercised(Exercised),
    Cleaned(CleanupReport),
    Called(Box<Called>),
}

/// A step that has ended.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) step: ProgramStep,
    pub(crate) end: Ending,
    /// The numbers of its requests at the node.
    pub(crate) numbers: Range<usize>,
    pub(crate) took: Duration,
    pub(crate) is_disturbed: bool,
    /// Every task of the node at its end.
    pub(crate) exits: BTreeMap<String, Option<String>>,
    /// Snapshots of the container of the exercise at its end.
    pub(crate) snapshots: Vec<String>,
}

/// What is left of a history.
#[derive(Debug)]
pub(crate) struct Tale {
    pub(crate) before: BTreeMap<u32, Container>,
    pub(crate) steps: Vec<Played>,
    /// The containers and the journal after everything under way has ended, and before the last cleanup.
    pub(crate) between: BTreeMap<u32, Container>,
    pub(crate) journal: Option<Journal>,
    /// The cleanup of a healthy node at the end.
    pub(crate) last: Played,
    pub(crate) after: BTreeMap<u32, Container>,
    pub(crate) sent: Vec<Sent>,
    pub(crate) wire: Wire,
    pub(crate) told: Vec<String>,
}

thread_local! {
    /// When the history began that this thread plays.
    static START: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// The agent's clock, which goes as the virtual time does.
fn clock() -> SystemTime {
    let passed = START.get().map_or(Duration::ZERO, |start| start.elapsed());
    UNIX_EPOCH + Duration::from_hours(498_750) + passed
}

/// Plays a history with a configuration whose state folder is free for it.
pub(crate) fn play(history: &History, config: &Config, is_told: bool) -> std::io::Result<Tale> {
    std::fs::create_dir_all(&config.state_dir)?;
    node::lay_journal(&history.world, &config.state_dir)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    Ok(runtime.block_on(async {
        START.set(Some(Instant::now()));
        PlayStage::new(history, config, is_told).play(history).await
    }))
}

/// Where a history is played.
struct PlayStage<'a> {
    config: &'a Config,
    wire: Wire,
    /// The client that calls of the library share until its process is killed.
    client: Client,
}

impl<'a> PlayStage<'a> {
    fn new(history: &History, config: &'a Config, is_told: bool) -> Self {
        let wire = Wire::new(node::node(&history.world), history.faults.clone(), is_told);
        let client = client(&wire, config);
        Self { config, wire, client }
    }

    async fn play(mut self, history: &History) -> Tale {
        self.restart().await;
        let before = self.world(|world| world.containers.clone());
        let mut steps = Vec::new();
        for (number, step) in history.program.iter().enumerate() {
            let played = self.step(number, *step).await;
            steps.push(played);
            tokio::time::sleep(PAUSE).await;
        }
        self.wire.heal();
        tokio::time::sleep(Duration::from_mins(5)).await;
        self.wire.catch_up();
        let between = self.world(|world| world.containers.clone());
        let journal = peek(self.config).ok().flatten();
        let last = self.step(steps.len(), ProgramStep::Cleanup).await;
        tokio::time::sleep(Duration::from_mins(5)).await;
        self.wire.catch_up();
        let after = self.world(|world| world.containers.clone());
        let (sent, told) = {
            let mut state = self.wire.state();
            (std::mem::take(&mut state.sent), state.told.take().unwrap_or_default())
        };
        Tale { before, steps, between, journal, last, after, sent, wire: self.wire, told }
    }

    fn world<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.wire.sim.world())
    }

    async fn step(&mut self, number: usize, step: ProgramStep) -> Played {
        self.wire.begin(number, &format!("{step:?}"));
        let (start, first) = (Instant::now(), self.world(|world| world.sent));
        let wire = self.wire.clone();
        let end = match step {
            ProgramStep::Exercise => {
                wire.unless_killed(Box::pin(self.exercise())).await.map(Ending::Exercised)
            }
            ProgramStep::Cleanup => wire.unless_killed(self.clean()).await.map(Ending::Cleaned),
            ProgramStep::Call(act, vmid) => {
                wire.unless_killed(self.call(act, vmid)).await.map(|called| Ending::Called(Box::new(called)))
            }
        };
        let end = end.unwrap_or(Ending::Killed);
        if matches!(end, Ending::Killed) {
            self.restart().await;
        }
        self.wire.catch_up();
        let is_disturbed = self.wire.state().is_disturbed;
        let guest = |world: &World| world.containers.get(&GUEST).map(|guest| guest.snapshots.clone());
        Played {
            step,
            end,
            numbers: first..self.world(|world| world.sent),
            took: start.elapsed(),
            is_disturbed,
            exits: self.world(|world| {
                world.tasks().map(|(upid, exit)| (upid.into(), exit.map(Into::into))).collect()
            }),
            snapshots: self.world(guest).unwrap_or_default().into_keys().collect(),
        }
    }

    /// Another process begins, which knows the server's clock before it changes anything.
    async fn restart(&mut self) {
        self.wire.begin(usize::MAX, "a process begins");
        self.client = client(&self.wire, self.config);
        let _version = self.client.version().await;
    }

    fn site<'s>(&self, client: &'s Client) -> Site<'s>
    where
        'a: 's,
    {
        let (trigger, interrupt) = Interrupt::new();
        self.wire.state().trigger = Some(trigger);
        Site {
            config: self.config,
            client,
            task_timeout: PATIENCE,
            clock,
            progress: Progress::default(),
            interrupt,
            tasks: Vec::new(),
        }
    }

    async fn exercise(&self) -> Exercised {
        let client = client(&self.wire, self.config);
        run(self.site(&client), Vmid::try_from(GUEST).ok()).await
    }

    async fn clean(&self) -> CleanupReport {
        let client = client(&self.wire, self.config);
        tidy(&mut self.site(&client)).await
    }

    async fn call(&self, act: &str, vmid: u32) -> Called {
        let outcome = call::settle(act, &self.client, vmid).await;
        self.wire.catch_up();
        let is_in_effect = self.world(|world| call::is_in_effect(act, world, vmid));
        let waited = match &outcome {
            Ok(started) => Some(self.client.wait(started.clone(), Patience::new(PATIENCE)).await),
            Err(_) => None,
        };
        Called { outcome, waited, is_in_effect }
    }
}

/// A process of the agent.
fn client(wire: &Wire, config: &Config) -> Client {
    Client::new(Arc::new(wire.clone()), config.token.id().clone())
}

/// A configuration in a folder of its own.
pub(crate) fn configured(folder: &Path) -> Result<Config, Box<dyn std::error::Error + Send + Sync>> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = folder.join("config.json");
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    let text = serde_json::json!({
        "url": "https://127.0.0.1:8006", "node": "pve1", "pool": "felhom", "storages": ["local", "local-btrfs"],
        "token": "felhom@pve!agent=0c7f2a4e-9b1d-4e6a-8f35-2d6b7c9e1a40", "tls": { "insecure": true },
        "state_dir": folder.join("state"), "selftest": { "vmid": GUEST },
    });
    std::io::Write::write_all(&mut file, text.to_string().as_bytes())?;
    Ok(Config::load(&path, &felhom_agent::config::Environment::default())?)
}

/// Whether a world has a detail.
pub(crate) fn has(history: &History, is_it: impl Fn(&Detail) -> bool) -> bool {
    history.world.iter().any(is_it)
}

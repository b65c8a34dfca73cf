//! Undoing what exercises did not get to: what a journal tells of, and what is found at the containers besides.

use std::time::Duration;

use proxmox_api::{Cause, Error, Started};
use proxmox_types::Vmid;
use proxmox_types::params::{ResourceClass, ResourceFilter, SetConfigParams};
use tokio::time::Instant;

use super::journal::{self, Journal, StateDir, is_taken, peek};
use super::leftover::{AtContainer, Leftover, cleanup_line, search};
use super::site::Site;
use super::state::{GuestState, Remains, Todo, look};
use crate::diagnosis::guests::{no_such_node, none_shown, unlock};
use crate::report::exit::Exit;
use crate::report::finding::{Finding, Found};

/// How long the server may be away before the look at what is left is given up.
const OUTAGE: Duration = Duration::from_secs(30);

/// How long is waited before looking again.
const PAUSE: Duration = Duration::from_millis(500);

/// What a cleanup found and did.
#[derive(Debug, Default)]
pub struct CleanupReport {
    /// What was done, or would be, in words.
    pub done: Vec<String>,
    /// Snapshots that look like those of exercises, and that no exercise took.
    pub alike: Vec<String>,
    /// Snapshots that were looked for, and are not there.
    pub gone: Vec<String>,
    /// What could not be removed.
    pub leftovers: Vec<Leftover>,
    /// The first thing that went wrong: the others mostly follow from it.
    pub problem: Option<Finding>,
    exit: Option<Exit>,
}

impl CleanupReport {
    /// One of a cleanup that did not begin.
    pub fn failed(problem: Finding) -> Self {
        let mut report = Self::default();
        report.fail(problem);
        report
    }

    /// Keeps the first problem. How the run ends, all of them say.
    fn fail(&mut self, problem: Finding) {
        let exit = problem.exit.unwrap_or(Exit::Fail);
        self.problem.get_or_insert(problem);
        self.exit = Some(Exit::of(self.exit.into_iter().chain([exit])));
    }

    /// Keeps that something cannot be told.
    fn doubt(&mut self, warnings: Vec<Finding>) {
        for warning in warnings {
            self.fail(warning.ending(Exit::Unchecked));
        }
    }

    /// Tells each snapshot once that is not ours.
    fn keep(&mut self, vmid: Vmid, alike: impl IntoIterator<Item = impl std::fmt::Display>) {
        for name in alike {
            let what = format!("{name} of container {vmid}");
            if !self.alike.contains(&what) {
                self.alike.push(what);
            }
        }
    }

    /// Keeps what was seen where something may have been left.
    fn see(&mut self, remains: &Remains, state: &GuestState) {
        self.gone.extend(state.is_empty().then(|| remains.gone()).flatten());
        self.keep(remains.vmid, &state.alike);
        self.leftovers.extend(state.left.clone());
    }

    /// How the run ends.
    pub fn exit(&self) -> Exit {
        let left = (!self.leftovers.is_empty()).then_some(Exit::Leftover);
        Exit::of(self.exit.into_iter().chain(left))
    }

    /// Whether there was nothing to say.
    pub fn is_empty(&self) -> bool {
        let lists = [&self.done, &self.alike, &self.gone];
        lists.iter().all(|list| list.is_empty()) && self.leftovers.is_empty() && self.exit.is_none()
    }
}

/// Takes the state folder, and undoes what its journal tells of and what is found besides.
pub async fn tidy(site: &mut Site<'_>) -> CleanupReport {
    let (state, journal) = match StateDir::take(site.config).and_then(|state| Ok((state.read()?, state))) {
        Ok((journal, state)) => (state, journal),
        Err(finding) => return CleanupReport::failed(*finding),
    };
    let mut report = CleanupReport::default();
    for remains in remains(site, journal, &mut report).await {
        let mut interrupt = site.interrupt.clone();
        undo_unless(site, &remains, interrupt.nth(1), &mut report).await;
    }
    report.exit = report.exit.or_else(|| site.interrupt.exit());
    // The journal stays as long as it may be needed.
    if report.leftovers.is_empty()
        && report.exit.is_none()
        && let Err(finding) = state.clear()
    {
        report.fail(*finding);
    }
    report
}

/// Says what would be done.
pub async fn preview(site: &Site<'_>) -> CleanupReport {
    let journal = match peek(site.config) {
        Ok(_) if is_taken(site.config) => return CleanupReport::failed(journal::busy()),
        Ok(journal) => journal,
        Err(finding) => return CleanupReport::failed(*finding),
    };
    let mut report = CleanupReport::default();
    for remains in remains(site, journal, &mut report).await {
        let vmid = remains.vmid;
        match unless_interrupted(site, &mut report, look(site, &remains)).await {
            None => break,
            Some(Err(error)) => report.fail(*site.failed(&error)),
            Some(Ok(state)) => {
                report.see(&remains, &state);
                report.done.extend(state.running.iter().map(|upid| format!("wait for task {upid}")));
                report.done.extend(state.todos.iter().map(|todo| todo.describe(vmid)));
                let lock = state.lock.filter(|_| !state.todos.is_empty());
                report.leftovers.extend(lock.map(|lock| {
                    let what = format!("lock {lock} of container {vmid}, which only root takes away");
                    Leftover::new(what, unlock(vmid, &lock))
                }));
            }
        }
    }
    report
}

/// What something returns, unless a signal comes first, which is then how the run ends.
async fn unless_interrupted<T>(
    site: &Site<'_>,
    report: &mut CleanupReport,
    something: impl Future<Output = T>,
) -> Option<T> {
    let mut interrupt = site.interrupt.clone();
    tokio::select! {
        biased;
        exit = interrupt.nth(1) => {
            report.fail(Finding::skip("interrupted; what was not looked at may be left").ending(exit));
            None
        }
        value = something => Some(value),
    }
}

/// What is to be undone: as the journal says, and what else is found at the containers. Failing to look for more is no
/// reason to leave what the journal tells of.
async fn remains(site: &Site<'_>, journal: Option<Journal>, report: &mut CleanupReport) -> Vec<Remains> {
    if let Some(journal) = journal.as_ref().filter(|journal| journal.node != site.config.node) {
        elsewhere(site, journal, report);
        return Vec::new();
    }
    let of_journal = |journal: Journal| Remains::of_journal(&journal, (site.clock)());
    let mut all: Vec<Remains> = journal.map(of_journal).into_iter().collect();
    match unless_interrupted(site, report, found(site)).await {
        Some(Ok((containers, hidden))) => {
            report.doubt(hidden);
            for found in containers {
                report.doubt(found.doubts());
                report.keep(found.vmid, &found.alike);
                all.extend(Remains::of_container(&found, &all));
            }
        }
        Some(Err(finding)) => report.fail(*finding),
        None => {}
    }
    all
}

/// The journal is about a container of another node, which this configuration does not lead to.
fn elsewhere(site: &Site<'_>, journal: &Journal, report: &mut CleanupReport) {
    let (there, node) = (&journal.node, &site.config.node);
    let text = format!("the journal is about node {there}, and the configuration about node {node}");
    let command = format!("FELHOM_AGENT_NODE={there} {}", cleanup_line(site.config));
    let what =
        format!("snapshot {} of container {} on node {there}, perhaps", journal.snapname, journal.vmid);
    report.leftovers.push(Leftover::new(what, &command));
    report.fail(Finding::fail(text, command).ending(Exit::Leftover));
}

/// What is found at the containers of the node, and what is said of those that could not be read; an error if none can
/// be seen.
async fn found(site: &Site<'_>) -> Found<(Vec<AtContainer>, Vec<Finding>)> {
    let (client, config) = (site.client, site.config);
    let failed = |error: Error| site.failed(&error);
    let nodes = client.nodes().unless_unread(|row| row.may_have("node", config.node.as_str()));
    let nodes = nodes.await.map_err(failed)?;
    if !nodes.iter().any(|node| node.node == config.node) {
        return Err(no_such_node(config, &nodes).into());
    }
    let filter = ResourceFilter { class: Some(ResourceClass::Vm) };
    let guests = client.cluster().resources().with(filter).await.map_err(failed)?;
    if !guests.iter().any(|guest| guest.is_container_of(&config.node))
        && let Some(finding) = none_shown(config, client).await.map_err(failed)?
    {
        return Err(finding.into());
    }
    search(client, &config.node, &guests).await.map_err(failed)
}

/// Undoes what is left, until that happens. What was not come to then is suspected.
pub(super) async fn undo_unless(
    site: &mut Site<'_>,
    remains: &Remains,
    until: impl Future<Output = Exit>,
    report: &mut CleanupReport,
) {
    let is_cut_short = tokio::select! {
        biased;
        _ = until => true,
        () = undo(site, remains, report) => false,
    };
    if is_cut_short {
        report.leftovers.extend(remains.suspected());
    }
}

async fn undo(site: &mut Site<'_>, remains: &Remains, report: &mut CleanupReport) {
    let state = match settle(site, remains).await {
        Ok(state) => state,
        Err(error) => {
            let hidden = error.denied().map(|_| vec![remains.hidden(site.config)]);
            report.leftovers.extend(hidden.unwrap_or_else(|| remains.suspected()));
            return report.fail(*site.failed(&error));
        }
    };
    report.see(remains, &state);
    for todo in &state.todos {
        match execute(site, remains.vmid, todo).await {
            Err(error) if !is_gone(site, remains, todo).await => {
                report.leftovers.push(todo.leftover(remains.vmid, state.lock.as_ref()));
                report.fail(*site.failed(&error));
            }
            _ => report.done.push(todo.describe(remains.vmid)),
        }
    }
}

/// Waits until no task works on the container any more, and says what is to be done then.
async fn settle(site: &mut Site<'_>, remains: &Remains) -> Result<GuestState, Error> {
    let start = Instant::now();
    loop {
        let state = look_patiently(site, remains).await?;
        if state.running.is_empty() {
            if !state.is_empty() || start.elapsed() >= remains.shows_within {
                return Ok(state);
            }
            tokio::time::sleep(PAUSE).await;
        }
        for upid in &state.running {
            match site.follow(upid).await {
                // However it ended, what it left is looked at again.
                Ok(_) | Err(Error::TaskFailed { .. } | Error::TaskUnknown { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Looks, and looks again while the server is away.
async fn look_patiently(site: &Site<'_>, remains: &Remains) -> Result<GuestState, Error> {
    let start = Instant::now();
    loop {
        match look(site, remains).await {
            Err(error) if is_away(&error) && start.elapsed() < OUTAGE => tokio::time::sleep(PAUSE).await,
            looked => return looked,
        }
    }
}

/// Whether the server is away, as when pveproxy or the node restarts.
fn is_away(error: &Error) -> bool {
    matches!(error, Error::Transport { .. }) || matches!(error.cause(), Some(Cause::Gateway { .. }))
}

/// Whether there is nothing to be done any more although doing it failed.
async fn is_gone(site: &Site<'_>, remains: &Remains, todo: &Todo) -> bool {
    let is_it = |other: &Todo| std::mem::discriminant(other) == std::mem::discriminant(todo);
    let state = look_patiently(site, remains).await;
    state
        .is_ok_and(|state| state.running.is_empty() && state.left.is_none() && !state.todos.iter().any(is_it))
}

async fn execute(site: &mut Site<'_>, vmid: Vmid, todo: &Todo) -> Result<(), Error> {
    let started = match todo {
        Todo::Unmark(rest, digest) => {
            let mut params = SetConfigParams { digest: digest.clone(), ..SetConfigParams::default() };
            if rest.0.is_empty() {
                params.delete = ["tags".to_string()].into_iter().collect();
            } else {
                params.options.common.tags = Some(rest.clone());
            }
            site.lxc(vmid).set_config(&params).settle().await?
        }
        Todo::Delete(name, _) => site.lxc(vmid).snapshot(name).delete().settle().await?,
    };
    match started {
        Started::Task(upid) => site.follow(&upid).await.map(|_| ()),
        Started::Done | Started::Nothing => Ok(()),
    }
}

//! The command `cleanup`: finishes what an exercise of the self-test has left.

use std::time::{Duration, SystemTime};

use clap::Args;
use proxmox_api::Error;
use proxmox_types::params::{ResourceClass, ResourceFilter};
use serde_json::json;

use super::output::{Common, Printed, duration, print_problem};
use super::session;
use crate::config::{Config, Environment};
use crate::diagnosis::call_failed;
use crate::diagnosis::configuration::{config_failed, tls_failed};
use crate::diagnosis::guests::unlock;
use crate::diagnosis::guests::{may_be_here, untold};
use crate::diagnosis::guests::{no_such_node, none_shown};
use crate::exercise::cleanup::undo_unless;
use crate::exercise::journal::{Journal, JournalError, StateDir, is_taken, peek};
use crate::exercise::leftover::{AtContainer, Leftover, cleanup_line, search};
use crate::exercise::progress::Progress;
use crate::exercise::site::Site;
use crate::exercise::state::{Remains, look};
use crate::process::interrupt::Interrupt;
use crate::report::exit::Exit;
use crate::report::finding::{Finding, Remedy};
use crate::wiring;

/// Options of the command.
#[derive(Clone, Debug, Args)]
pub(super) struct CleanupArguments {
    /// Says what would be done, and does nothing
    #[arg(long)]
    dry_run: bool,
    /// Time for each task
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration)]
    task_timeout: Duration,
}

/// What was found and done.
#[derive(Debug, Default)]
pub struct Report {
    is_dry: bool,
    /// What was done, in words.
    pub done: Vec<String>,
    alike: Vec<String>,
    gone: Vec<String>,
    /// What could not be removed.
    pub leftovers: Vec<Leftover>,
    /// The first thing that went wrong.
    pub problem: Option<Finding>,
    exit: Option<Exit>,
}

pub(super) fn run(common: &Common, arguments: &CleanupArguments, environment: &Environment) -> Exit {
    let need = |common: &Common, environment: &Environment| Ok(session::attempt(common, environment));
    session::run(common, environment, need, async |session| {
        let mut report = Report { is_dry: arguments.dry_run, ..Report::default() };
        match &session.config {
            Ok(config) => clean(session.progress, arguments, config, &mut report).await,
            Err(error) => report.fail(config_failed(error), Exit::Config),
        }
        report.problem.iter().for_each(print_problem);
        Ok(report.printed())
    })
}

async fn clean(progress: Progress, arguments: &CleanupArguments, config: &Config, report: &mut Report) {
    let connection = match wiring::connect(config) {
        Ok(connection) => connection,
        Err(error) => return report.fail(tls_failed(config, &error), Exit::Config),
    };
    let mut site = Site {
        config,
        client: &connection.client,
        task_timeout: arguments.task_timeout,
        clock: SystemTime::now,
        progress,
        interrupt: Interrupt::listen(),
        tasks: Vec::new(),
    };
    if arguments.dry_run {
        match peek(&config.state_dir) {
            Ok(_) if is_taken(&config.state_dir) => report.fail_on_journal(config, &JournalError::Busy),
            Ok(journal) => tell(&site, journal, report).await,
            Err(error) => report.fail_on_journal(config, &error),
        }
        return;
    }
    tidy(&mut site, report).await;
}

/// Takes the state folder, and undoes what its journal tells of and what is found besides.
pub async fn tidy(site: &mut Site<'_>, report: &mut Report) {
    let config = site.config;
    match StateDir::take(&config.state_dir).and_then(|state| state.read().map(|journal| (state, journal))) {
        Ok((state, journal)) => finish(site, &state, journal, report).await,
        Err(error) => report.fail_on_journal(config, &error),
    }
}

/// Says what would be done.
async fn tell(site: &Site<'_>, journal: Option<Journal>, report: &mut Report) {
    for remains in remains(site, journal, report).await {
        let vmid = remains.vmid;
        match unless_interrupted(site, report, look(site, &remains)).await {
            None => return,
            Some(Ok(state)) => {
                report.gone.extend(state.is_empty().then(|| remains.gone()).flatten());
                report.done.extend(state.todos.iter().map(|todo| todo.describe(vmid)));
                report.keep(state.alike.iter().map(|name| format!("{name} of container {vmid}")));
                report.leftovers.extend(state.left);
                report.leftovers.extend(state.lock.filter(|_| !state.todos.is_empty()).map(|lock| {
                    Leftover {
                        what: format!("lock {lock} of container {vmid}, which only root takes away"),
                        command: unlock(vmid, &lock),
                    }
                }));
            }
            Some(Err(error)) => report.fail_on_call(site.config, &error),
        }
    }
}

async fn finish(site: &mut Site<'_>, state: &StateDir, journal: Option<Journal>, report: &mut Report) {
    for remains in remains(site, journal, report).await {
        let mut interrupt = site.interrupt.clone();
        // The journal stays, and the next cleanup goes on.
        let undone = undo_unless(site, &remains, interrupt.nth(1)).await;
        report.gone.extend(undone.is_empty().then(|| remains.gone()).flatten());
        report.done.extend(undone.done);
        report.keep(undone.alike);
        report.leftovers.extend(undone.leftovers);
        undone.error.iter().for_each(|error| report.fail_on_call(site.config, error));
    }
    report.exit = report.exit.or_else(|| site.interrupt.exit());
    // The journal stays as long as it may be needed.
    if report.leftovers.is_empty()
        && report.exit.is_none()
        && let Err(error) = state.clear()
    {
        report.fail_on_journal(site.config, &error);
    }
}

/// What something returns, unless a signal comes first, which is then how the run ends.
async fn unless_interrupted<T>(
    site: &Site<'_>,
    report: &mut Report,
    something: impl Future<Output = T>,
) -> Option<T> {
    let mut interrupt = site.interrupt.clone();
    tokio::select! {
        biased;
        exit = interrupt.nth(1) => {
            report.fail(Finding::skip("interrupted; what was not looked at may be left"), exit);
            None
        }
        value = something => Some(value),
    }
}

/// What is to be undone: as the journal says, and what else is found at the containers. Failing to look for more is no
/// reason to leave what the journal tells of.
async fn remains(site: &Site<'_>, journal: Option<Journal>, report: &mut Report) -> Vec<Remains> {
    let node = &site.config.node;
    if let Some(journal) = journal.as_ref().filter(|journal| journal.node != *node) {
        report.leave_to(journal, site.config);
        return Vec::new();
    }
    let of_journal = |journal: Journal| Remains::of_journal(&journal, (site.clock)());
    let mut all: Vec<Remains> = journal.map(of_journal).into_iter().collect();
    match unless_interrupted(site, report, found(site)).await {
        Some(Ok((containers, hidden))) => {
            for finding in hidden {
                report.fail(finding, Exit::Unchecked);
            }
            for found in containers {
                for finding in hidden_at(&found) {
                    report.fail(finding, Exit::Unchecked);
                }
                report.keep(found.alike.iter().map(|name| format!("{name} of container {}", found.vmid)));
                all.extend(Remains::of_container(&found, &all));
            }
        }
        Some(Err(finding)) => report.fail(*finding, Exit::Fail),
        None => {}
    }
    all
}

fn hidden_at(found: &AtContainer) -> Vec<Finding> {
    let vmid = found.vmid;
    untold(&found.hidden, &format!("it cannot be told whether an exercise left it at container {vmid}"))
}

/// What is found at the containers of the node, and what is said of those that could not be read; an error if none can
/// be seen.
async fn found(site: &Site<'_>) -> Result<(Vec<AtContainer>, Vec<Finding>), Box<Finding>> {
    let (client, config) = (site.client, site.config);
    let failed = |error: Error| call_failed(config, &error);
    let nodes = client.nodes().unless_unread(|row| row.may_have("node", config.node.as_str()));
    let nodes = nodes.await.map_err(failed)?;
    if !nodes.iter().any(|node| node.node == config.node) {
        return Err(Box::new(no_such_node(config, &nodes)));
    }
    let filter = ResourceFilter { class: Some(ResourceClass::Vm) };
    let guests = client.cluster().resources().with(filter).await.map_err(failed)?;
    if !guests.iter().any(|guest| guest.is_container_of(&config.node))
        && let Some(finding) = none_shown(config, client).await.map_err(failed)?
    {
        return Err(Box::new(finding));
    }
    let hidden = may_be_here(guests.unread(), &config.node);
    let hidden = untold(&hidden, "it cannot be told whether an exercise left something there");
    Ok((search(client, &config.node, &guests).await.map_err(failed)?, hidden))
}

impl Report {
    /// Only the first problem is told: the others mostly follow from it. How the run ends, all of them say.
    fn fail(&mut self, problem: Finding, exit: Exit) {
        let exit = problem.exit.unwrap_or(exit);
        self.problem.get_or_insert(problem);
        self.exit = Some(Exit::of(self.exit.into_iter().chain([exit])));
    }

    /// Tells each snapshot once that is not ours.
    fn keep(&mut self, alike: impl IntoIterator<Item = String>) {
        for what in alike {
            if !self.alike.contains(&what) {
                self.alike.push(what);
            }
        }
    }

    fn fail_on_journal(&mut self, config: &Config, error: &JournalError) {
        let exit = match error {
            JournalError::Busy => Exit::Busy,
            JournalError::Unreadable { .. } => Exit::Unchecked,
            _ => Exit::Fail,
        };
        self.fail(Finding::fail(error.to_string(), error.repair(config)), exit);
    }

    /// The journal is about a container of another node, which this configuration does not lead to.
    fn leave_to(&mut self, journal: &Journal, config: &Config) {
        let (there, node) = (&journal.node, &config.node);
        let text = format!("the journal is about node {there}, and the configuration about node {node}");
        let command = format!("FELHOM_AGENT_NODE={there} {}", cleanup_line(config));
        self.fail(Finding::fail(text, Remedy::fix(command.clone())), Exit::Leftover);
        self.leftovers.push(Leftover {
            what: format!(
                "snapshot {} of container {} on node {there}, perhaps",
                journal.snapname, journal.vmid
            ),
            command,
        });
    }

    fn fail_on_call(&mut self, config: &Config, error: &Error) {
        self.fail(call_failed(config, error), Exit::Fail);
    }

    /// How the run ends.
    pub fn exit(&self) -> Exit {
        let left = (!self.leftovers.is_empty()).then_some(Exit::Leftover);
        Exit::of(self.exit.into_iter().chain(left))
    }

    fn printed(&self) -> Printed {
        let document = json!({
            "schema": "felhom.cleanup/1", "dry_run": self.is_dry, "done": self.done,
            "alike": self.alike, "gone": self.gone, "leftovers": self.leftovers,
            "problem": self.problem.as_ref().map(|problem| &problem.summary),
            "fix": self.problem.as_ref().map_or(&[][..], |problem| &problem.fix),
            "look": self.problem.as_ref().map_or(&[][..], |problem| &problem.look),
            "exit": self.exit().code(),
        });
        Printed::new(self.text(), &document, self.exit())
    }

    fn text(&self) -> String {
        let verb = if self.is_dry { "would" } else { "done" };
        let done = self.done.iter().map(|done| format!("{verb}  {done}\n"));
        let left = self.leftovers.iter().map(|left| format!("LEFT  {}  ->  {}\n", left.what, left.command));
        let alike = self.alike.iter().map(|what| format!("kept  snapshot {what}: no exercise took it\n"));
        let gone = self.gone.iter().map(|what| format!("gone  {what}: it is not there\n"));
        let mut text: String = done.chain(left).chain(alike).chain(gone).collect();
        if text.is_empty() && self.exit.is_none() {
            text = "nothing is left of any exercise\n".into();
        }
        text
    }
}

//! The command `cleanup`: finishes what an exercise of the self-test has left.

use std::time::Duration;

use clap::Args;
use proxmox_api::Error;
use proxmox_types::NodeName;
use proxmox_types::params::{ResourceClass, ResourceFilter};
use serde_json::json;

use super::session::Session;
use super::{Common, Output, print, print_error};
use crate::chain::chain;
use crate::config::{Config, Environment};
use crate::exercise::cleanup::{Trace, look, undo_unless};
use crate::exercise::journal::{Entry, JournalError, StateDir, peek};
use crate::exercise::leftover::{Leftover, search};
use crate::exercise::progress::Progress;
use crate::exercise::site::Site;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::wiring;

/// The signal that ends the cleanup: the journal stays, and the next one goes on.
const GIVES_UP: u32 = 1;

/// Options of the command.
#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    /// Says what would be done, and does nothing
    #[arg(long)]
    dry_run: bool,
    /// Time for each task
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = super::duration)]
    task_timeout: Duration,
}

/// What was found and done.
#[derive(Debug, Default)]
struct Report {
    is_dry: bool,
    done: Vec<String>,
    alike: Vec<String>,
    leftovers: Vec<Leftover>,
    problem: Option<String>,
    exit: Option<Exit>,
}

pub(super) fn run(common: &Common, arguments: &Arguments, environment: &Environment) -> Exit {
    let session = match Session::start(common, environment) {
        Ok(session) => session,
        Err(exit) => return exit,
    };
    let mut report = Report { is_dry: arguments.dry_run, ..Report::default() };
    match &session.config {
        Ok(config) => {
            session.runtime.block_on(clean(session.progress, arguments, config, &mut report));
        }
        Err(error) => report.fail(error.to_string(), Exit::Config),
    }
    session.runtime.shutdown_background();
    let printed = report.show(common.output);
    Exit::of([report.exit(), printed])
}

async fn clean(progress: Progress, arguments: &Arguments, config: &Config, report: &mut Report) {
    let connection = match wiring::connect(config) {
        Ok(connection) => connection,
        Err(error) => return report.fail(error.to_string(), Exit::Config),
    };
    let mut site = Site {
        config,
        client: &connection.client,
        task_timeout: arguments.task_timeout,
        progress,
        interrupt: Interrupt::listen(),
        stops_tasks: false,
        tasks: Vec::new(),
    };
    if arguments.dry_run {
        match peek(&config.state_dir) {
            Ok(entry) => tell(&site, entry, report).await,
            Err(error) => report.fail_on_journal(&error),
        }
        return;
    }
    match StateDir::take(&config.state_dir).and_then(|state| state.read().map(|entry| (state, entry))) {
        Ok((state, entry)) => finish(&mut site, &state, entry, report).await,
        Err(error) => report.fail_on_journal(&error),
    }
}

/// Says what would be done.
async fn tell(site: &Site<'_>, entry: Option<Entry>, report: &mut Report) {
    for trace in traces(site, entry, report).await {
        match look(site, &trace).await {
            Ok(todos) => report.done.extend(todos.iter().map(|todo| todo.describe(trace.vmid))),
            Err(error) => report.fail_on_call(&error),
        }
    }
}

async fn finish(site: &mut Site<'_>, state: &StateDir, entry: Option<Entry>, report: &mut Report) {
    for trace in traces(site, entry, report).await {
        let undone = undo_unless(site, &trace, GIVES_UP).await;
        report.done.extend(undone.done);
        report.leftovers.extend(undone.leftovers);
        undone.error.iter().for_each(|error| report.fail_on_call(error));
    }
    report.exit = report.exit.or_else(|| site.interrupt.exit());
    // The journal stays as long as it may be needed.
    if report.leftovers.is_empty()
        && report.exit.is_none()
        && let Err(error) = state.clear()
    {
        report.fail_on_journal(&error);
    }
}

/// What is to be undone: as the journal says, and what else is found at the containers. Failing to look for more is no
/// reason to leave what the journal tells of.
async fn traces(site: &Site<'_>, entry: Option<Entry>, report: &mut Report) -> Vec<Trace> {
    let node = &site.config.node;
    if let Some(entry) = entry.as_ref().filter(|entry| entry.node != *node) {
        report.leave_to(entry, node);
        return Vec::new();
    }
    // The journal of a killed run names a task as soon as it is known.
    let of_journal = |entry: Entry| Trace::of_journal(&entry, entry.upid.is_none());
    let mut traces: Vec<Trace> = entry.map(of_journal).into_iter().collect();
    let filter = ResourceFilter { class: Some(ResourceClass::Vm) };
    let found = match site.client.cluster().resources(&filter).await {
        Ok(guests) => search(site.client, node, &guests).await,
        Err(error) => Err(error),
    };
    match found {
        Ok(containers) => {
            for found in containers {
                report
                    .alike
                    .extend(found.alike.iter().map(|name| format!("{name} of container {}", found.vmid)));
                traces.extend(Trace::of_container(&found, &traces));
            }
        }
        Err(error) => report.fail_on_call(&error),
    }
    traces
}

impl Report {
    fn fail(&mut self, problem: String, exit: Exit) {
        self.problem.get_or_insert(problem);
        self.exit.get_or_insert(exit);
    }

    fn fail_on_journal(&mut self, error: &JournalError) {
        let exit = match error {
            JournalError::Busy => Exit::Busy,
            JournalError::Unreadable { .. } => Exit::Unchecked,
            _ => Exit::Fail,
        };
        self.fail(format!("{error}\n  fix  {}", error.repair()), exit);
    }

    /// The journal is about a container of another node, which this configuration does not lead to.
    fn leave_to(&mut self, entry: &Entry, node: &NodeName) {
        let there = &entry.node;
        self.fail(
            format!("the journal is about node {there}, and the configuration about node {node}"),
            Exit::Leftover,
        );
        self.leftovers.push(Leftover {
            what: format!("snapshot {} of container {} on node {there}, perhaps", entry.snapname, entry.vmid),
            command: format!("FELHOM_AGENT_NODE={there} felhom-agent cleanup"),
        });
    }

    fn fail_on_call(&mut self, error: &Error) {
        let is_unchecked = error.is_unauthorized() || matches!(error, Error::Transport { .. });
        self.fail(chain(error), if is_unchecked { Exit::Unchecked } else { Exit::Fail });
    }

    fn exit(&self) -> Exit {
        let left = (!self.leftovers.is_empty()).then_some(Exit::Leftover);
        Exit::of(self.exit.into_iter().chain(left))
    }

    fn show(&self, output: Output) -> Exit {
        if let Some(problem) = &self.problem {
            print_error(&format!("felhom-agent: {problem}"));
        }
        print(&match output {
            Output::Text => self.text(),
            Output::Json => {
                let document = json!({
                    "schema": "felhom.cleanup/1", "dry_run": self.is_dry, "done": self.done,
                    "alike": self.alike, "leftovers": self.leftovers, "problem": self.problem, "exit": self.exit().code(),
                });
                format!("{document:#}\n")
            }
        })
    }

    fn text(&self) -> String {
        let verb = if self.is_dry { "would" } else { "done" };
        let done = self.done.iter().map(|done| format!("{verb}  {done}\n"));
        let left = self.leftovers.iter().map(|left| format!("LEFT  {}  ->  {}\n", left.what, left.command));
        let alike = self.alike.iter().map(|what| format!("kept  snapshot {what}: no exercise took it\n"));
        let mut text: String = done.chain(left).chain(alike).collect();
        if text.is_empty() && self.exit.is_none() {
            text = "nothing is left of any exercise\n".into();
        }
        text
    }
}

//! The command `cleanup`: finishes what an exercise of the self-test has left.

use std::time::Duration;

use clap::Args;
use proxmox_api::Error;
use proxmox_types::params::{ResourceClass, ResourceFilter};
use proxmox_types::{SnapshotEntry, Tags, Vmid};
use serde_json::json;

use super::session::Session;
use super::{Common, Output, print, print_error};
use crate::config::{Config, Environment};
use crate::exercise::Leftover;
use crate::exercise::cleanup::{look, orphan, undo};
use crate::exercise::journal::{Entry, JournalError, StateDir, peek};
use crate::exercise::names::{MARKER, PREFIX, TAG};
use crate::exercise::progress::Progress;
use crate::exercise::site::Site;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::wiring;

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
        Ok(config) => session.runtime.block_on(clean(common, arguments, config, &mut report)),
        Err(error) => report.fail(error.to_string(), Exit::Config),
    }
    session.runtime.shutdown_background();
    report.show(common.output);
    report.exit()
}

async fn clean(common: &Common, arguments: &Arguments, config: &Config, report: &mut Report) {
    let connection = match wiring::connect(config) {
        Ok(connection) => connection,
        Err(error) => return report.fail(error.to_string(), Exit::Config),
    };
    let mut site = Site {
        client: &connection.client,
        node: &config.node,
        task_timeout: arguments.task_timeout,
        progress: Progress::of_stderr(common.quiet),
        interrupt: Interrupt::listen(),
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
    let entries = match entries(site, entry).await {
        Ok(entries) => entries,
        Err(error) => return report.fail_on_call(&error),
    };
    for entry in entries {
        match look(site, &entry).await {
            Ok(todos) => report.done.extend(todos.iter().map(|todo| todo.describe(&entry))),
            Err(error) => report.fail_on_call(&error),
        }
    }
}

async fn finish(site: &mut Site<'_>, state: &StateDir, entry: Option<Entry>, report: &mut Report) {
    let entries = match entries(site, entry).await {
        Ok(entries) => entries,
        Err(error) => return report.fail_on_call(&error),
    };
    for entry in entries {
        let undone = undo(site, &entry).await;
        report.done.extend(undone.done);
        report.leftovers.extend(undone.leftovers);
        undone.error.iter().for_each(|error| report.fail_on_call(error));
    }
    report.exit = report.exit.or_else(|| site.interrupt.exit());
    if report.leftovers.is_empty()
        && let Err(error) = state.clear()
    {
        report.fail_on_journal(&error);
    }
}

/// What is to be undone: as the journal says, and what else is at the containers that are tagged for exercises.
async fn entries(site: &Site<'_>, entry: Option<Entry>) -> Result<Vec<Entry>, Error> {
    let mut entries: Vec<Entry> = entry.into_iter().collect();
    let filter = ResourceFilter { class: Some(ResourceClass::Vm) };
    for guest in site.client.cluster().resources(&filter).await? {
        let tags = guest.tags;
        let is_here = guest.node.as_ref() == Some(site.node) && tags.contains(TAG);
        if let Some(vmid) = guest.vmid.filter(|_| is_here) {
            let more = orphans(site, vmid, &tags).await?;
            let is_new = |orphan: &Entry| entries.iter().all(|known| known.snapname != orphan.snapname);
            let more: Vec<Entry> = more.into_iter().filter(is_new).collect();
            entries.extend(more);
        }
    }
    Ok(entries)
}

/// Snapshots of exercises at a container, and the marker alone if there is one without a snapshot.
async fn orphans(site: &Site<'_>, vmid: Vmid, tags: &Tags) -> Result<Vec<Entry>, Error> {
    let snapshots = site.lxc(vmid).snapshots().await?;
    let ours = snapshots.iter().filter(|entry| entry.name.starts_with(PREFIX));
    let mut names: Vec<_> = ours.filter_map(SnapshotEntry::snapshot).collect();
    if names.is_empty() && tags.contains(MARKER) {
        names.extend(format!("{PREFIX}none").parse());
    }
    Ok(names.into_iter().map(|name| orphan(site, vmid, name, tags)).collect())
}

impl Report {
    fn fail(&mut self, problem: String, exit: Exit) {
        self.problem.get_or_insert(problem);
        self.exit.get_or_insert(exit);
    }

    fn fail_on_journal(&mut self, error: &JournalError) {
        let exit = if matches!(error, JournalError::Busy) { Exit::Busy } else { Exit::Fail };
        self.fail(error.to_string(), exit);
    }

    fn fail_on_call(&mut self, error: &Error) {
        let is_unchecked = error.is_unauthorized() || matches!(error, Error::Transport { .. });
        self.fail(
            snafu::Report::from_error(error).to_string().trim_end().into(),
            if is_unchecked { Exit::Unchecked } else { Exit::Fail },
        );
    }

    fn exit(&self) -> Exit {
        let left = (!self.leftovers.is_empty()).then_some(Exit::Leftover);
        Exit::of(self.exit.into_iter().chain(left))
    }

    fn show(&self, output: Output) {
        if let Some(problem) = &self.problem {
            print_error(&format!("felhom-agent: {problem}"));
        }
        print(&match output {
            Output::Text => self.text(),
            Output::Json => {
                let document = json!({
                    "schema": "felhom.cleanup/1", "dry_run": self.is_dry, "done": self.done,
                    "leftovers": self.leftovers, "problem": self.problem, "exit": self.exit().code(),
                });
                format!("{document:#}\n")
            }
        });
    }

    fn text(&self) -> String {
        let verb = if self.is_dry { "would" } else { "done" };
        let done = self.done.iter().map(|done| format!("{verb}  {done}\n"));
        let left = self.leftovers.iter().map(|left| format!("LEFT  {}  ->  {}\n", left.what, left.command));
        let mut text: String = done.chain(left).collect();
        if text.is_empty() && self.exit.is_none() {
            text = "nothing is left of any exercise\n".into();
        }
        text
    }
}

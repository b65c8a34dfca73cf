//! The command `cleanup`: finishes what an exercise of the self-test has left.

use std::time::{Duration, SystemTime};

use clap::Args;
use serde_json::json;

use super::output::{Common, Printed, duration, print_problem};
use super::session;
use crate::config::{Config, Environment};
use crate::exercise::cleanup::{CleanupReport, preview, tidy};
use crate::exercise::site::Site;
use crate::process::interrupt::Interrupt;
use crate::report::exit::Exit;
use crate::report::progress::Progress;
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

pub(super) fn run(common: &Common, arguments: &CleanupArguments, environment: &Environment) -> Exit {
    let need = |common: &Common, environment: &Environment| Ok(session::attempt(common, environment));
    session::run(common, environment, need, async |session| {
        let report = match &session.config {
            Ok(config) => clean(session.progress, arguments, config).await,
            Err(finding) => CleanupReport::failed((**finding).clone()),
        };
        report.problem.iter().for_each(print_problem);
        Ok(printed(&report, arguments.dry_run))
    })
}

async fn clean(progress: Progress, arguments: &CleanupArguments, config: &Config) -> CleanupReport {
    let connection = match wiring::connect(config) {
        Ok(connection) => connection,
        Err(finding) => return CleanupReport::failed(*finding),
    };
    let mut site = Site {
        config,
        client: &connection.client,
        task_timeout: arguments.task_timeout,
        clock: SystemTime::now,
        progress: progress.clone(),
        interrupt: Interrupt::listen(),
        tasks: Vec::new(),
    };
    let report = async { if arguments.dry_run { preview(&site).await } else { tidy(&mut site).await } };
    progress.wait("cleanup", report).await
}

fn printed(report: &CleanupReport, is_dry: bool) -> Printed {
    let problem = report.problem.as_ref();
    let document = json!({
        "schema": "felhom.cleanup/1", "dry_run": is_dry, "done": report.done, "alike": report.alike,
        "gone": report.gone, "leftovers": report.leftovers,
        "problem": problem.map(|problem| &problem.summary),
        "fix": problem.map_or(&[][..], |problem| &problem.fix),
        "look": problem.map_or(&[][..], |problem| &problem.look),
        "exit": report.exit().code(),
    });
    Printed::new(text(report, is_dry), &document, report.exit())
}

fn text(report: &CleanupReport, is_dry: bool) -> String {
    if report.is_empty() {
        return "nothing is left of any exercise\n".into();
    }
    let verb = if is_dry { "would" } else { "done" };
    let done = report.done.iter().map(|done| format!("{verb}  {done}\n"));
    let left = report.leftovers.iter().map(|left| format!("LEFT  {}  ->  {}\n", left.what, left.command));
    let alike = report.alike.iter().map(|what| format!("kept  snapshot {what}: no exercise took it\n"));
    let gone = report.gone.iter().map(|what| format!("gone  {what}: it is not there\n"));
    done.chain(left).chain(alike).chain(gone).collect()
}

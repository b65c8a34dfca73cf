//! The command `selftest`.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::Args;

use proxmox_types::Vmid;

use super::session::Session;
use super::{Common, Output, print, print_error, usage};
use crate::config::Environment;
use crate::exercise::progress::Progress;
use crate::exercise::site::Site;
use crate::exercise::{self, Exercised};
use crate::process::interrupt::Interrupt;
use crate::report::exit::Exit;
use crate::report::finding::{Claim, Group, Status};
use crate::selftest::checks::READ_ONLY;
use crate::selftest::engine::{self, Run};
use crate::selftest::report::{Moment, Style};
use crate::selftest::{Context, Report, Selection};
use crate::wiring;

/// Options of the self-test.
#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    /// Takes a snapshot of a container that is tagged `felhom-selftest`, rolls back and deletes it
    #[arg(long, conflicts_with_all = ["only", "skip"])]
    task: bool,
    /// The container for `--task` [default: `selftest.vmid` of the configuration]
    #[arg(long, value_name = "VMID", requires = "task")]
    vmid: Option<Vmid>,
    /// Time for each task of `--task`
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = super::duration, requires = "task")]
    task_timeout: Duration,
    /// Only these checks, and what they need: `tls`, `perm.need`
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    only: Vec<String>,
    /// Not these checks
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    skip: Vec<String>,
    /// Prints what there is to check, and checks nothing
    #[arg(long)]
    list_checks: bool,
    /// Ends with 3 if there are warnings
    #[arg(long)]
    strict: bool,
    /// Time for everything that only reads: `10s`, `2m`
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = super::duration)]
    timeout: Duration,
}

/// What must be well before the exercise begins.
const BEFORE_TASKS: [&str; 5] = ["config", "net", "tls", "auth", "node.exists"];

impl Arguments {
    fn selection(&self) -> Selection {
        if self.task {
            return Selection { only: BEFORE_TASKS.map(Into::into).into(), skip: Vec::new() };
        }
        Selection { only: self.only.clone(), skip: self.skip.clone() }
    }
}

pub(super) fn run(common: &Common, arguments: &Arguments, environment: &Environment) -> Exit {
    let selection = arguments.selection();
    if let Some(claim) = claims()
        .find(|claim| arguments.only.iter().any(|id| id == claim.id) && claim.group == Group::Exercise)
    {
        return usage(&format!("{} belongs to the exercise; see --task", claim.id));
    }
    if let Some(unknown) = selection.unknown(READ_ONLY) {
        return usage(&format!("there is no check `{unknown}`; see felhom-agent selftest --list-checks"));
    }
    if selection.is_empty(READ_ONLY) {
        return usage("nothing is left to check: what --only names, --skip leaves out");
    }
    if arguments.list_checks {
        return print(&listed(common.output));
    }
    let session = match Session::start(common, environment) {
        Ok(session) => session,
        Err(exit) => return exit,
    };
    let context = Arc::new(Context::new_wired(session.config, wiring::connect));
    let started = Moment::now();
    let checked = session.runtime.block_on(check(&context, session.progress, arguments, &selection));
    session.runtime.shutdown_background();
    let path = session.path.display().to_string();
    let report = Report::new(&context, path, checked.0, checked.1, started, arguments.strict);
    let printed = print(&match common.output {
        Output::Text => report.text(Style { has_color: session.has_color, is_quiet: common.quiet }),
        Output::Json => report.json(),
    });
    for leftover in report.leftovers() {
        print_error(&format!("felhom-agent: left: {}; remove it with: {}", leftover.what, leftover.command));
    }
    Exit::of([report.exit(), printed])
}

async fn check(
    context: &Arc<Context>,
    progress: Progress,
    arguments: &Arguments,
    selection: &Selection,
) -> (Run, Option<Exercised>) {
    let interrupt = Interrupt::listen();
    let mut first = interrupt.clone();
    let stop = async move { first.nth(1).await };
    let run = engine::run(context.clone(), READ_ONLY, selection, arguments.timeout, stop).await;
    if !arguments.task {
        return (run, None);
    }
    let failed = run.outcomes.iter().find(|outcome| outcome.has(Status::Fail));
    let exercised = match (failed, run.cut_short, context.parts()) {
        (None, None, Some((config, connection))) => {
            let site = Site {
                config,
                client: &connection.client,
                task_timeout: arguments.task_timeout,
                clock: SystemTime::now,
                progress,
                interrupt,
                tasks: Vec::new(),
            };
            exercise::run(site, arguments.vmid).await
        }
        (Some(failed), ..) => Exercised::skipped(&format!("needs {}", failed.claim.id)),
        (_, Some(Exit::OutOfTime), _) => Exercised::skipped("the time was used up"),
        _ => Exercised::skipped("interrupted"),
    };
    (run, Some(exercised))
}

/// Everything that the two modes check.
fn claims() -> impl Iterator<Item = &'static Claim> {
    READ_ONLY.iter().map(|check| &check.claim).chain(exercise::claims::ALL)
}

fn listed(output: Output) -> String {
    match output {
        Output::Text => {
            let lines = claims().map(|claim| format!("{:16}  {}\n", claim.id, claim.proves));
            lines.collect::<Vec<_>>().concat()
        }
        Output::Json => {
            let checks = claims().map(|claim| {
                serde_json::json!({
                    "id": claim.id, "group": claim.group, "proves": claim.proves, "needs": claim.needs,
                })
            });
            crate::report::terminal::document(&serde_json::Value::from(checks.collect::<Vec<_>>()))
        }
    }
}

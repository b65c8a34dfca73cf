//! The command `selftest`.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use clap::Args;

use proxmox_types::Vmid;

use super::output::{Common, Output, Printed, duration, print, print_error, usage};
use super::session;
use crate::config::Environment;
use crate::exercise::site::Site;
use crate::exercise::{self, Exercised};
use crate::process::interrupt::Interrupt;
use crate::report::exit::Exit;
use crate::report::finding::{Checked, Claim, Finding};
use crate::report::progress::Progress;
use crate::selftest::checks::READ_ONLY;
use crate::selftest::engine;
use crate::selftest::report::Style;
use crate::selftest::{Check, Report, Selection, Setup};
use crate::wiring;

/// Options of the self-test.
#[derive(Clone, Debug, Args)]
pub(super) struct SelftestArguments {
    /// Takes a snapshot of a container that is tagged `felhom-selftest`, rolls back and deletes it
    #[arg(long, conflicts_with_all = ["only", "skip"])]
    task: bool,
    /// The container for `--task` [default: `selftest.vmid` of the configuration]
    #[arg(long, value_name = "VMID", requires = "task")]
    vmid: Option<Vmid>,
    /// Time for each task of `--task`
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration, requires = "task")]
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
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    timeout: Duration,
}

/// What must be well before the exercise begins.
const BEFORE_TASKS: [&str; 5] = ["config", "net", "tls", "auth", "node.exists"];

impl SelftestArguments {
    fn selection(&self) -> Selection {
        if self.task {
            return Selection { only: BEFORE_TASKS.map(Into::into).into(), skip: Vec::new() };
        }
        Selection { only: self.only.clone(), skip: self.skip.clone() }
    }
}

pub(super) fn run(common: &Common, arguments: &SelftestArguments, environment: &Environment) -> Exit {
    let selection = arguments.selection();
    if let Some(claim) =
        claims().find(|claim| arguments.only.iter().any(|id| id == claim.id) && claim.heading() == "EXERCISE")
    {
        return usage(&format!("{} belongs to the exercise; see --task", claim.id));
    }
    if let Some(unknown) = selection.unknown(&READ_ONLY) {
        return usage(&format!("there is no check `{unknown}`; see felhom-agent selftest --list-checks"));
    }
    if selection.is_empty(&READ_ONLY) {
        return usage("nothing is left to check: what --only names, --skip leaves out");
    }
    if arguments.list_checks {
        return print(&listed(common.output));
    }
    let need = |common: &Common, environment: &Environment| Ok(session::attempt(common, environment));
    session::run(common, environment, need, async |session| {
        let setup = Arc::new(Setup::new(session.config, wiring::connect));
        let (started, start) = (SystemTime::now(), Instant::now());
        let (checked, exercised) = check(&setup, session.progress, arguments, &selection).await;
        let (config_path, duration) = (session.path.display().to_string(), start.elapsed());
        let is_strict = arguments.strict;
        let report = Report { setup, config_path, started, duration, checked, exercised, is_strict };
        for leftover in report.leftovers() {
            let (what, command) = (&leftover.what, &leftover.command);
            print_error(&format!("felhom-agent: left: {what}; remove it with: {command}"));
        }
        let style = Style { has_color: session.has_color, is_quiet: common.quiet };
        Ok(Printed { text: report.text(style), json: report.json(), exit: report.exit() })
    })
}

async fn check(
    setup: &Arc<Setup>,
    progress: Progress,
    arguments: &SelftestArguments,
    selection: &Selection,
) -> (Vec<Checked>, Option<Exercised>) {
    let interrupt = Interrupt::listen();
    let mut first = interrupt.clone();
    let stop = async move { first.nth(1).await };
    let look = |check: &'static Check| check.run(setup.clone());
    let checked = engine::run(&READ_ONLY, selection, look, arguments.timeout, stop).await;
    if !arguments.task {
        return (checked, None);
    }
    let failed = checked.iter().find(|checked| checked.has_failed());
    let cut_short =
        checked.iter().flat_map(|checked| &checked.findings).find(|finding| finding.exit.is_some());
    let exercised = match (failed, cut_short, setup.ready()) {
        (None, None, Some(ready)) => {
            let site = Site {
                config: ready.config,
                client: ready.client,
                task_timeout: arguments.task_timeout,
                clock: SystemTime::now,
                progress,
                interrupt,
                tasks: Vec::new(),
            };
            exercise::run(site, arguments.vmid).await
        }
        (Some(failed), ..) => Exercised::skipped(&Finding::needs(failed.claim.id)),
        (_, Some(cut_short), _) => Exercised::skipped(&Finding::skip(cut_short.summary.as_str())),
        _ => Exercised::skipped(&Finding::skip("interrupted")),
    };
    (checked, Some(exercised))
}

/// Everything that the two modes check.
fn claims() -> impl Iterator<Item = &'static Claim> {
    READ_ONLY.iter().map(|check| &check.claim).chain(&exercise::CLAIMS)
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
                    "id": claim.id, "group": claim.heading().to_lowercase(), "proves": claim.proves, "needs": claim.needs,
                })
            });
            crate::report::terminal::document(&serde_json::Value::from(checks.collect::<Vec<_>>()))
        }
    }
}

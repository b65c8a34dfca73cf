//! The command `selftest`.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{Common, Output, print, print_error, usage};
use crate::config::{Config, Environment, LogFormat, LogLevel};
use crate::exit::Exit;
use crate::logging;
use crate::selftest::checks::READ_ONLY;
use crate::selftest::report::Style;
use crate::selftest::{Context, Report, Selection, engine};
use crate::wiring;

/// Options of the self-test.
#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
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
    /// Time for everything: `10s`, `2m`
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    timeout: Duration,
}

/// Reads `500ms`, `30s`, `2m` or a number of seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| "must be a time such as 500ms, 30s or 2m".to_string())?;
    let duration = match text.get(digits.len()..) {
        Some("ms") => Duration::from_millis(number),
        Some("" | "s") => Duration::from_secs(number),
        Some("m") => Duration::from_secs(number.saturating_mul(60)),
        _ => return Err("must end in ms, s or m".into()),
    };
    if duration.is_zero() { Err("must be more than nothing".into()) } else { Ok(duration) }
}

pub(super) fn run(common: &Common, arguments: &Arguments, environment: &Environment) -> Exit {
    let selection = Selection { only: arguments.only.clone(), skip: arguments.skip.clone() };
    if let Some(unknown) = selection.unknown(READ_ONLY) {
        return usage(&format!("there is no check `{unknown}`; see felhom-agent selftest --list-checks"));
    }
    if arguments.list_checks {
        print(&listed(common.output));
        return Exit::Ok;
    }
    let path = Config::path(common.config.clone(), environment);
    let config = Config::load(&path, environment);
    let has_color = common.color.is_on(&std::io::stdout(), environment);
    let (level, format) = match &config {
        Ok(config) => (config.log_level, config.log_format),
        Err(_) => (LogLevel::default(), LogFormat::default()),
    };
    logging::start(common.log_level(level), format, has_color);
    if config.as_ref().is_ok_and(|config| config.tls.is_insecure) {
        print_error("WARNING: tls.insecure is set: any server is accepted, and is sent the token");
    }
    let context = Arc::new(Context::new_wired(config, wiring::connect));
    let started = SystemTime::now();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            print_error(&format!("felhom-agent: cannot start: {error}"));
            return Exit::Internal;
        }
    };
    let checking = engine::run(context.clone(), READ_ONLY, &selection, arguments.timeout, interruption());
    let outcome = runtime.block_on(checking);
    runtime.shutdown_background();
    let report = Report::new(&context, path.display().to_string(), outcome, started, arguments.strict);
    print(&match common.output {
        Output::Text => report.text(Style { has_color, is_quiet: common.quiet }),
        Output::Json => report.json() + "\n",
    });
    report.exit()
}

/// Waits for SIGINT or SIGTERM.
async fn interruption() -> Exit {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => Exit::Interrupted,
        _ = terminate.recv() => Exit::Terminated,
    }
}

fn listed(output: Output) -> String {
    match output {
        Output::Text => {
            let lines: Vec<String> = READ_ONLY
                .iter()
                .map(|check| format!("{:16}  {}\n", check.claim.id, check.claim.proves))
                .collect();
            lines.concat()
        }
        Output::Json => {
            let checks = READ_ONLY.iter().map(|check| &check.claim).map(|claim| {
                serde_json::json!({
                    "id": claim.id, "group": claim.group, "proves": claim.proves, "needs": claim.needs,
                })
            });
            format!("{:#}\n", serde_json::Value::from(checks.collect::<Vec<_>>()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_or_are_seconds() {
        let read = ["500ms", "30s", "2m", "7", "0s", "1h", "x", "-1s", ""].map(|text| duration(text).ok());
        let millis = |millis| Some(Duration::from_millis(millis));
        assert_eq!(
            read,
            [millis(500), millis(30_000), millis(120_000), millis(7000), None, None, None, None, None]
        );
    }
}

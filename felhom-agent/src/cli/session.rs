//! What every command runs in: its configuration, the log, a runtime, its output and its exit code.

use std::path::PathBuf;
use std::sync::Arc;

use proxmox_privileged::Runner;
use tokio::runtime::Builder;

use super::output::{Common, Printed, print_error, print_stopped, stopped};
use crate::config::{Config, Environment, LogSettings, PrivilegedMode, Settings};
use crate::process;
use crate::report::exit::Exit;
use crate::report::finding::Found;
use crate::report::progress::Progress;
use crate::wiring;

/// What a command works with.
pub(super) struct Session<C> {
    /// The configuration file.
    pub(super) path: PathBuf,
    /// What the command needs of the configuration.
    pub(super) config: C,
    /// Whether stdout is coloured.
    pub(super) has_color: bool,
    /// How progress is shown on stderr.
    pub(super) progress: Progress,
    /// What runs commands of the host.
    pub(super) runner: Arc<dyn Runner>,
}

/// What a command needs of the configuration, and what the session itself needs; or why the command cannot run.
type Prepared<C> = Found<(C, Basics)>;

/// What the session itself needs of the configuration.
type Basics = (LogSettings, PrivilegedMode);

/// Runs a command from reading its configuration to the exit code.
pub(super) fn run<C>(
    common: &Common,
    environment: &Environment,
    need: impl FnOnce(&Common, &Environment) -> Prepared<C>,
    command: impl AsyncFnOnce(Session<C>) -> Found<Printed>,
) -> Exit {
    let done = start(common, environment, need).and_then(|session| {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| stopped(format!("cannot start: {error}"), Exit::Internal))?;
        let done = runtime.block_on(command(session));
        runtime.shutdown_background();
        done
    });
    match done {
        Ok(printed) => printed.print(common),
        Err(finding) => print_stopped(common, &finding),
    }
}

/// Reads the configuration and starts logging as it says.
fn start<C>(
    common: &Common,
    environment: &Environment,
    need: impl FnOnce(&Common, &Environment) -> Prepared<C>,
) -> Found<Session<C>> {
    let (config, (log, mode)) = need(common, environment)?;
    let has_color = common.color.is_on(&std::io::stdout(), environment);
    process::start_logging(common.log_level(log.level), log.format, has_color);
    Ok(Session {
        path: Config::path(common.config.clone(), environment),
        config,
        has_color,
        progress: Progress::of_stderr(common.quiet, common.verbose > 0, environment),
        runner: wiring::runner(mode),
    })
}

fn basics(settings: &Settings) -> Basics {
    (settings.log, settings.privileged.mode)
}

/// The whole configuration, or why there is none, for commands that report that themselves.
pub(super) fn attempt(common: &Common, environment: &Environment) -> (Found<Config>, Basics) {
    let path = Config::path(common.config.clone(), environment);
    let config = Config::load(&path, environment);
    let basics = config.as_ref().map_or_else(|_| Basics::default(), |config| basics(config));
    if config.as_ref().is_ok_and(|config| config.tls.is_insecure) {
        print_error("WARNING: tls.insecure is set: any server is accepted, and is sent the token");
    }
    (config, basics)
}

/// The whole configuration.
pub(super) fn whole(common: &Common, environment: &Environment) -> Prepared<Config> {
    let (config, basics) = attempt(common, environment);
    config.map(|config| (config, basics))
}

/// The part for commands that stay on this host.
pub(super) fn host(common: &Common, environment: &Environment) -> Prepared<Settings> {
    let settings = Settings::load(common.config.clone(), environment)?;
    let basics = basics(&settings);
    Ok((settings, basics))
}

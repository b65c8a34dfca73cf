//! What every command begins with: the configuration, logging, a runtime.

use std::path::PathBuf;
use std::sync::Arc;

use proxmox_privileged::Runner;
use tokio::runtime::{Builder, Runtime};

use super::problem::Problem;
use super::{Common, print_error};
use crate::config::{Config, ConfigError, Environment, LogFormat, LogLevel, Settings};
use crate::diagnosis::configuration::config_failed;
use crate::exercise::progress::Progress;
use crate::process;
use crate::report::exit::Exit;
use crate::wiring;

/// What every command begins with.
#[derive(Debug)]
pub(super) struct Session {
    /// The configuration file.
    pub(super) path: PathBuf,
    /// The configuration, or why there is none.
    pub(super) config: Result<Config, ConfigError>,
    /// Whether stdout is coloured.
    pub(super) has_color: bool,
    /// How progress is shown on stderr.
    pub(super) progress: Progress,
    /// Where the command runs.
    pub(super) runtime: Runtime,
}

impl Session {
    /// Reads the configuration and starts logging as it says.
    pub(super) fn start(common: &Common, environment: &Environment) -> Result<Self, Exit> {
        let path = Config::path(common.config.clone(), environment);
        let config = Config::load(&path, environment);
        let has_color = common.color.is_on(&std::io::stdout(), environment);
        let (level, format) = match &config {
            Ok(config) => (config.log.level, config.log.format),
            Err(_) => (LogLevel::default(), LogFormat::default()),
        };
        process::start_logging(common.log_level(level), format, has_color);
        if config.as_ref().is_ok_and(|config| config.tls.is_insecure) {
            print_error("WARNING: tls.insecure is set: any server is accepted, and is sent the token");
        }
        let progress = Progress::of_stderr(common.quiet, common.verbose > 0, environment);
        Ok(Self { path, config, has_color, progress, runtime: runtime()? })
    }
}

/// What a command begins with that stays on this host.
pub(super) struct HostSession {
    /// What it needs of the configuration.
    pub(super) config: Settings,
    /// What runs commands.
    pub(super) runner: Arc<dyn Runner>,
    /// Where the command runs.
    pub(super) runtime: Runtime,
}

impl HostSession {
    /// Reads what is needed of the configuration and starts logging as it says.
    pub(super) fn start(common: &Common, environment: &Environment) -> Result<Self, Exit> {
        let config = Settings::load(common.config.clone(), environment)
            .map_err(|error| Problem::of(config_failed(&error), Exit::Config).tell(common))?;
        let has_color = common.color.is_on(&std::io::stdout(), environment);
        process::start_logging(common.log_level(config.log.level), config.log.format, has_color);
        Ok(Self { runner: wiring::runner(config.privileged.mode), config, runtime: runtime()? })
    }
}

fn runtime() -> Result<Runtime, Exit> {
    Builder::new_current_thread().enable_all().build().map_err(|error| {
        print_error(&format!("felhom-agent: cannot start: {error}"));
        Exit::Internal
    })
}

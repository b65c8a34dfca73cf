//! What every command begins with: the configuration, logging, a runtime.

use std::path::PathBuf;

use tokio::runtime::{Builder, Runtime};

use super::{Common, print_error};
use crate::config::{Config, ConfigError, Environment, LogFormat, LogLevel};
use crate::exit::Exit;
use crate::logging;

/// What every command begins with.
#[derive(Debug)]
pub(super) struct Session {
    /// The configuration file.
    pub(super) path: PathBuf,
    /// The configuration, or why there is none.
    pub(super) config: Result<Config, ConfigError>,
    /// Whether stdout is coloured.
    pub(super) has_color: bool,
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
            Ok(config) => (config.log_level, config.log_format),
            Err(_) => (LogLevel::default(), LogFormat::default()),
        };
        logging::start(common.log_level(level), format, has_color);
        if config.as_ref().is_ok_and(|config| config.tls.is_insecure) {
            print_error("WARNING: tls.insecure is set: any server is accepted, and is sent the token");
        }
        match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => Ok(Self { path, config, has_color, runtime }),
            Err(error) => {
                print_error(&format!("felhom-agent: cannot start: {error}"));
                Err(Exit::Internal)
            }
        }
    }
}

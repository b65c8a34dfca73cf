//! The configuration: a JSON file, overridden by environment variables, checked once.

mod environment;
mod file;
mod settings;
mod strict;
mod token;
mod url;

use std::borrow::Cow;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use proxmox_types::{ApiToken, NodeName, redact, redact_strictly};

pub use crate::guard::{access_line, install_line};
pub use environment::Environment;
pub(crate) use file::{FileError, read_guarded};
pub use settings::{
    LogFormat, LogLevel, LogSettings, Privileged, PrivilegedMode, Selftest, Settings, TlsConfig, USB_ROOT,
    UsbDisk, table, usb_target,
};
pub(crate) use token::TOKEN_FILE;
pub use token::TokenSource;
pub use url::Url;

use crate::guard::{Guard, Last};
use crate::report::finding::Found;
use crate::report::shell::edit_line;
use file::{BoundedFile, invalid, read_bounded, unusable};

/// Where the configuration is unless something else is said.
pub const DEFAULT_PATH: &str = "/etc/felhom-agent/config.json";

/// Largest configuration file that is read, in bytes.
const MOST: u64 = 1 << 20;

/// The configuration of the agent: the settings, and what speaking to the server needs besides.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The file that it was read from.
    pub path: PathBuf,
    /// What the file and the environment say.
    pub settings: Settings,
    /// Where pveproxy listens.
    pub url: Url,
    /// The node that the agent looks after.
    pub node: NodeName,
    /// The API token.
    pub token: ApiToken,
    /// Where the token came from.
    pub token_source: TokenSource,
}

impl Deref for Config {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.settings
    }
}

impl Settings {
    /// Reads what commands need that stay on this host, and takes the defaults if the file that nobody named is not
    /// there.
    pub fn load(named: Option<PathBuf>, environment: &Environment) -> Found<Self> {
        let is_named = named.is_some() || environment.get(environment::CONFIG).is_some();
        let path = Config::path(named, environment);
        if !is_named && !path.exists() {
            return Ok(Self::default());
        }
        let read = ConfigFile::read(&path, environment)?;
        token::check_exposure(&path, &read.file, Guard::Steering)?;
        Ok(read.settings)
    }
}

impl Config {
    /// The file that is read: as said on the command line, in the environment, or the default.
    pub fn path(argument: Option<PathBuf>, environment: &Environment) -> PathBuf {
        let said = || environment.get(environment::CONFIG).map(PathBuf::from);
        argument.or_else(said).unwrap_or_else(|| DEFAULT_PATH.into())
    }

    /// Reads and checks the configuration.
    ///
    /// Fails on a file that is missing, too large or not a regular file, on unknown, duplicate and mistyped keys, in
    /// the file with line and column, on values that contradict each other, and on a token that others could read.
    pub fn load(path: &Path, environment: &Environment) -> Found<Self> {
        let ConfigFile { file, has_token, settings } = ConfigFile::read(path, environment)?;
        let (url, node) =
            check(&settings).map_err(|(key, problem)| invalid(path, key, &redact_strictly(&problem)))?;
        token::check_exposure(path, &file, if has_token { Guard::Token } else { Guard::Steering })?;
        let (token, token_source) = token::find(path, &settings, environment)?;
        Ok(Self { path: path.into(), settings, url, node, token, token_source })
    }
}

/// A file that holds what a configuration may hold.
struct ConfigFile {
    file: BoundedFile,
    /// Whether it holds the token itself.
    has_token: bool,
    /// What it says, with the environment over it.
    settings: Settings,
}

impl ConfigFile {
    fn read(path: &Path, environment: &Environment) -> Found<Self> {
        let unread = |error: FileError| {
            let fix = error.fix.unwrap_or_else(|| edit_line(path));
            unusable(format!("{}: {}", path.display(), error.problem), fix)
        };
        environment.check_config()?;
        let file = read_bounded(path, MOST, Last::File).map_err(unread)?;
        let (value, written) = strict::parse(path, file.text().map_err(unread)?)?;
        let settings = environment::merge(path, value, environment)?;
        Ok(Self { file, has_token: written.token.is_some(), settings })
    }
}

/// The server and the node, if no values contradict each other; else the key that is wrong, and why.
fn check(settings: &Settings) -> Result<(Url, NodeName), (&'static str, String)> {
    let url = Url::parse(&settings.url).map_err(|problem| ("url", problem))?;
    let no_node = || ("node", "not set, and the host's name is not one of a node".into());
    let node = settings.node.clone().or_else(host_name).ok_or_else(no_node)?;
    if let Some(problem) = tls_problem(&settings.tls) {
        return Err(("tls", problem.into()));
    }
    let paths = [
        ("tls.ca_file", settings.tls.ca_file.as_deref()),
        ("token_file", settings.token_file.as_deref()),
        ("state_dir", Some(settings.state_dir.as_path())),
    ];
    for (key, path) in paths {
        if let Some(problem) = path.and_then(path_problem) {
            return Err((key, problem.into()));
        }
    }
    if !settings.state_dir.is_absolute() {
        return Err(("state_dir", "must begin with `/`".into()));
    }
    Ok((url, node))
}

/// Why it cannot be the path of anything.
fn path_problem(path: &Path) -> Option<&'static str> {
    let text = path.to_string_lossy();
    let is_token = matches!(redact(&text), Cow::Owned(_)) || redact_strictly(&text) == "****";
    if text.is_empty() {
        return Some("is empty");
    }
    is_token.then_some("is a token, and must be a path; a token itself is set by `token`")
}

fn tls_problem(tls: &TlsConfig) -> Option<&'static str> {
    let is_checked = !tls.pins.is_empty() || !tls.spki_pins.is_empty() || tls.ca_file.is_some();
    match (tls.is_insecure, is_checked) {
        (true, true) => {
            Some("`insecure` accepts any server, so it cannot stand beside `pins`, `spki_pins` or `ca_file`")
        }
        (true, false) if tls.server_name.is_some() => {
            Some("`insecure` checks no name, so `server_name` has no meaning beside it")
        }
        (false, false) => {
            Some("set `pins` to the server's fingerprint or `ca_file` to its CA; there is no default")
        }
        _ => None,
    }
}

/// The short name of this host, which PVE uses as the node's name.
fn host_name() -> Option<NodeName> {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    name.split('.').next()?.parse().ok()
}

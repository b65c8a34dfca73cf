//! The configuration: a JSON file, overridden by environment variables, checked once.

mod environment;
mod file;
mod object;
mod raw;
mod strict;
mod token;
mod url;
pub mod usb;

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use proxmox_types::{
    ApiToken, Bridge, Fingerprint, NodeName, PoolId, StorageId, Vmid, VolumeId, redact, redact_strictly,
};
use snafu::{ResultExt, Snafu};

pub use crate::guard::{access_line, install_line};
pub use environment::Environment;
pub use file::{BoundedFile, FileError, read_bounded, read_guarded};
pub use raw::{LogFormat, LogLevel, PrivilegedMode};
pub use token::{TokenProblem, TokenSource};
pub use url::Url;

use crate::guard::{Guard, Last};
use raw::RawConfig;
use usb::UsbDisk;

/// Where the configuration is unless something else is said.
pub const DEFAULT_PATH: &str = "/etc/felhom-agent/config.json";

/// Largest configuration file that is read, in bytes.
const MOST: u64 = 1 << 20;

/// The configuration of the agent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The file that it was read from.
    pub path: PathBuf,
    /// Where pveproxy listens.
    pub url: Url,
    /// The node that the agent looks after.
    pub node: NodeName,
    /// The API token.
    pub token: ApiToken,
    /// Where the token came from.
    pub token_source: TokenSource,
    /// How the server's identity is checked.
    pub tls: TlsConfig,
    /// How root commands are run.
    pub privileged_mode: PrivilegedMode,
    /// The pool that the agent creates containers in.
    pub pool: Option<PoolId>,
    /// The storages that the agent may use.
    pub storages: Vec<StorageId>,
    /// The bridges that the agent may use.
    pub bridges: Vec<Bridge>,
    /// The backup that customers' containers are restored from.
    pub golden: Option<VolumeId>,
    /// The USB disks that should be mounted.
    pub usb: Vec<UsbDisk>,
    /// The container that the self-test's task mode may use.
    pub selftest_vmid: Option<Vmid>,
    /// Where the journal and the lock are.
    pub state_dir: PathBuf,
    /// The least level that is logged.
    pub log_level: LogLevel,
    /// How log lines are written.
    pub log_format: LogFormat,
}

/// What commands need that stay on this host: no server and no token.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct HostConfig {
    /// How root commands are run.
    pub privileged_mode: PrivilegedMode,
    /// The USB disks that should be mounted.
    pub usb: Vec<UsbDisk>,
    /// The least level that is logged.
    pub log_level: LogLevel,
    /// How log lines are written.
    pub log_format: LogFormat,
}

impl HostConfig {
    /// Reads what is needed of the configuration, and takes the defaults if the file that nobody named is not there.
    pub fn load(named: Option<PathBuf>, environment: &Environment) -> Result<Self, ConfigError> {
        let is_named = named.is_some() || environment.get(environment::CONFIG).is_some();
        let path = Config::path(named, environment);
        environment::check_config(environment)?;
        if !is_named && !path.exists() {
            return Ok(Self::default());
        }
        let file = read_bounded(&path, MOST, Last::File).context(UnreadableSnafu { path: &path })?;
        let text = file.text().context(UnreadableSnafu { path: &path })?;
        strict::parse(&path, text)?;
        token::check_exposure(&path, &file, Guard::Steering).context(TokenSnafu)?;
        let raw = environment::merge(&path, text, environment)?;
        Ok(Self {
            privileged_mode: raw.privileged.mode.unwrap_or_default(),
            usb: raw.usb,
            log_level: raw.log.level.unwrap_or_default(),
            log_format: raw.log.format.unwrap_or_default(),
        })
    }
}

/// How the server's identity is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsConfig {
    /// Accepted SHA-256 fingerprints of the certificate.
    pub pins: Vec<Fingerprint>,
    /// Accepted SHA-256 fingerprints of the public key.
    pub spki_pins: Vec<Fingerprint>,
    /// File with the CA.
    pub ca_file: Option<PathBuf>,
    /// Name to verify instead of the host.
    pub server_name: Option<String>,
    /// Whether anything is accepted.
    pub is_insecure: bool,
}

/// Why there is no configuration.
#[derive(Debug, Snafu)]
#[snafu(visibility(pub(crate)))]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[snafu(display("{}: {source}", path.display()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FileError,
    },
    /// The file is not what it must be.
    #[snafu(display("{}:{line}:{column}: {problem}", path.display()))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong, and what was probably meant.
        problem: String,
    },
    /// A variable of the environment is not what it must be.
    #[snafu(display("environment variable {variable}: {problem}"))]
    Variable {
        /// The variable.
        variable: String,
        /// What is wrong.
        problem: String,
    },
    /// A value is missing, or contradicts another.
    #[snafu(display("{}: `{key}`: {problem}", path.display()))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// There is no token that may be used.
    #[snafu(display("{source}"))]
    Token {
        /// Why.
        source: TokenProblem,
    },
}

impl ConfigError {
    /// Whether it is about the token, and the rest of the configuration is fine.
    pub const fn is_about_token(&self) -> bool {
        matches!(self, Self::Token { .. })
    }
}

impl Config {
    /// The file that is read: as said on the command line, in the environment, or the default.
    pub fn path(argument: Option<PathBuf>, environment: &Environment) -> PathBuf {
        let named =
            argument.map(OsString::from).or_else(|| environment.get(environment::CONFIG).map(OsString::from));
        named.map_or_else(|| PathBuf::from(DEFAULT_PATH), PathBuf::from)
    }

    /// Reads and checks the configuration.
    ///
    /// Fails on a file that is missing, too large or not a regular file, on unknown, duplicate and mistyped keys, in
    /// the file with line and column, on values that contradict each other, and on a token that others could read.
    pub fn load(path: &Path, environment: &Environment) -> Result<Self, ConfigError> {
        environment::check_config(environment)?;
        let file = read_bounded(path, MOST, Last::File).context(UnreadableSnafu { path })?;
        let text = file.text().context(UnreadableSnafu { path })?;
        let written = strict::parse(path, text)?;
        let raw = environment::merge(path, text, environment)?;
        let checked = Checked::new(path, raw)?;
        let found = token::find(path, &file, &written, &checked.raw, environment).context(TokenSnafu)?;
        Ok(checked.with_token(path, found))
    }
}

/// Values that were checked, before there is a token.
struct Checked {
    raw: RawConfig,
    url: Url,
    node: NodeName,
    tls: TlsConfig,
}

impl Checked {
    fn new(path: &Path, raw: RawConfig) -> Result<Self, ConfigError> {
        let invalid =
            |key, problem: String| InvalidSnafu { path, key, problem: redact_strictly(&problem) }.build();
        let url = Url::parse(raw.url.as_deref().unwrap_or("https://127.0.0.1:8006"))
            .map_err(|problem| invalid("url", problem))?;
        let node = match raw.node.clone() {
            Some(node) => node,
            None => host_name()
                .ok_or_else(|| invalid("node", "not set, and the host's name is not one of a node".into()))?,
        };
        let tls = tls(&raw).map_err(|problem| invalid("tls", problem))?;
        let paths = [
            ("tls.ca_file", &raw.tls.ca_file),
            ("token_file", &raw.token_file),
            ("state_dir", &raw.state_dir),
        ];
        for (key, named) in paths {
            if let Some(problem) = named.as_deref().and_then(path_problem) {
                return Err(invalid(key, problem.into()));
            }
        }
        if raw.state_dir.as_ref().is_some_and(|folder| !folder.is_absolute()) {
            return Err(invalid("state_dir", "must begin with `/`".into()));
        }
        Ok(Self { raw, url, node, tls })
    }

    fn with_token(self, path: &Path, (token, token_source): (ApiToken, TokenSource)) -> Config {
        let raw = self.raw;
        Config {
            path: path.into(),
            url: self.url,
            node: self.node,
            token,
            token_source,
            tls: self.tls,
            privileged_mode: raw.privileged.mode.unwrap_or_default(),
            pool: raw.pool,
            storages: raw.storages,
            bridges: raw.bridges,
            golden: raw.golden,
            usb: raw.usb,
            selftest_vmid: raw.selftest.vmid,
            state_dir: raw.state_dir.unwrap_or_else(|| "/var/lib/felhom-agent".into()),
            log_level: raw.log.level.unwrap_or_default(),
            log_format: raw.log.format.unwrap_or_default(),
        }
    }
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

fn tls(raw: &RawConfig) -> Result<TlsConfig, String> {
    let tls = TlsConfig {
        pins: raw.tls.pins.clone(),
        spki_pins: raw.tls.spki_pins.clone(),
        ca_file: raw.tls.ca_file.clone(),
        server_name: raw.tls.server_name.clone(),
        is_insecure: raw.tls.insecure.unwrap_or(false),
    };
    let is_checked = !tls.pins.is_empty() || !tls.spki_pins.is_empty() || tls.ca_file.is_some();
    match (tls.is_insecure, is_checked) {
        (true, true) => {
            Err("`insecure` accepts any server, so it cannot stand beside `pins`, `spki_pins` or `ca_file`"
                .into())
        }
        (true, false) if tls.server_name.is_some() => {
            Err("`insecure` checks no name, so `server_name` has no meaning beside it".into())
        }
        (false, false) => {
            Err("set `pins` to the server's fingerprint or `ca_file` to its CA; there is no default".into())
        }
        _ => Ok(tls),
    }
}

/// The short name of this host, which PVE uses as the node's name.
fn host_name() -> Option<NodeName> {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    name.split('.').next()?.parse().ok()
}

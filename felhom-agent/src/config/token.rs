//! Finds the API token, and refuses one that others could read or replace.

use std::fmt;
use std::path::{Path, PathBuf};

use proxmox_types::{ApiToken, TokenError};
use snafu::{ResultExt, Snafu};

use super::file::{BoundedFile, FileError, read_bounded};
use super::settings::Settings;
use super::variables::Environment;
use crate::guard::{Exposure, Guard, Last};
use crate::report::shell::edit_line;

/// Largest token file that is read, in bytes.
const MOST: u64 = 4096;

/// Where the token came from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenSource {
    /// The key `token` of the configuration file.
    Config(PathBuf),
    /// A variable of the environment, which every process of the same user can read.
    Environment,
    /// The file that `token_file` names.
    File(PathBuf),
    /// A systemd credential.
    Credential(PathBuf),
}

impl fmt::Display for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(path) => write!(f, "`token` in {}", path.display()),
            Self::Environment => f.write_str("environment variable FELHOM_AGENT_TOKEN"),
            Self::File(path) => write!(f, "token file {}", path.display()),
            Self::Credential(path) => write!(f, "systemd credential {}", path.display()),
        }
    }
}

/// Why there is no token that may be used. Never quotes the token.
#[derive(Debug, Snafu)]
#[non_exhaustive]
pub enum TokenProblem {
    /// None is set.
    #[snafu(display(
        "no token: set `token_file`, `token`, FELHOM_AGENT_TOKEN, or a systemd credential named token"
    ))]
    Missing,
    /// Two are set in one place.
    #[snafu(display("both `token` and `token_file` are set; keep one of them"))]
    Ambiguous {
        /// The command that leads to the two.
        fix: String,
    },
    /// It is not a token.
    #[snafu(display("{origin}: {source}"))]
    Malformed {
        /// Where it came from.
        origin: TokenSource,
        /// Which part is wrong.
        source: TokenError,
    },
    /// Its file cannot be read.
    #[snafu(display("token file {}: {source}", path.display()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FileError,
    },
    /// Others could read or replace it, or send it elsewhere.
    #[snafu(display("{} {role}, and {}", path.display(), exposure.danger))]
    Exposed {
        /// The file.
        path: PathBuf,
        /// What the file has to do with the token.
        role: &'static str,
        /// Who can do what, and what ends it.
        exposure: Exposure,
    },
}

impl TokenProblem {
    /// The command that repairs it, if there is one.
    pub fn fix(&self) -> Option<&str> {
        match self {
            Self::Exposed { exposure, .. } => Some(&exposure.fix),
            Self::Ambiguous { fix } => Some(fix),
            _ => None,
        }
    }
}

/// Finds the token: as the variables and the file say, else as a systemd credential.
///
/// `written` is the file alone, `settings` the file with the variables over it.
pub(super) fn find(
    path: &Path,
    file: &BoundedFile,
    written: &Settings,
    settings: &Settings,
    environment: &Environment,
) -> Result<(ApiToken, TokenSource), TokenProblem> {
    check_exposure(path, file, if written.token.is_some() { Guard::Token } else { Guard::Steering })?;
    let credentials = environment.get("CREDENTIALS_DIRECTORY").filter(|directory| !directory.is_empty());
    match (&settings.token, &settings.token_file, credentials) {
        (Some(_), Some(_), _) => {
            let is_variable = environment.get("FELHOM_AGENT_TOKEN_FILE").is_some();
            let fix = if is_variable { "unset FELHOM_AGENT_TOKEN_FILE".into() } else { edit_line(path) };
            AmbiguousSnafu { fix }.fail()
        }
        (Some(token), None, _) => {
            let is_variable = environment.get("FELHOM_AGENT_TOKEN").is_some();
            let origin =
                if is_variable { TokenSource::Environment } else { TokenSource::Config(path.into()) };
            Ok((token.expose().parse().context(MalformedSnafu { origin: origin.clone() })?, origin))
        }
        (None, Some(named), _) => from_file(TokenSource::File(named.clone()), named, Guard::Token),
        (None, None, Some(directory)) => {
            let credential = Path::new(directory).join("token");
            from_file(TokenSource::Credential(credential.clone()), &credential, Guard::Credential)
        }
        (None, None, None) => MissingSnafu.fail(),
    }
}

fn from_file(
    origin: TokenSource,
    path: &Path,
    guard: Guard,
) -> Result<(ApiToken, TokenSource), TokenProblem> {
    let file = read_bounded(path, MOST, Last::PlainFile).context(UnreadableSnafu { path })?;
    check_exposure(path, &file, guard)?;
    let text = file.text().context(UnreadableSnafu { path })?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok((text.parse().context(MalformedSnafu { origin: origin.clone() })?, origin))
}

/// Refuses a file that somebody else can change, or read if it holds the token.
pub(super) fn check_exposure(path: &Path, file: &BoundedFile, guard: Guard) -> Result<(), TokenProblem> {
    let role = match guard {
        Guard::Steering => "says where the token goes",
        Guard::Token | Guard::Credential => "holds the token",
    };
    match file.exposure(guard) {
        Some(exposure) => ExposedSnafu { path, role, exposure }.fail(),
        None => Ok(()),
    }
}

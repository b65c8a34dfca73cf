//! Finds the API token, and refuses one that others could read or replace.

use std::fmt;
use std::path::{Path, PathBuf};

use proxmox_types::{ApiToken, TokenError};

use super::environment::Environment;
use super::file::{BoundedFile, FileError, read_bounded};
use super::settings::Settings;
use crate::guard::{Exposure, Guard, Last, install_line};
use crate::report::finding::{Finding, Found};
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

/// Where the token is kept unless something else is said.
pub(crate) const TOKEN_FILE: &str = "/etc/felhom-agent/token";

/// That there is no token that may be used, and the command that repairs it. Never quotes the token. What else goes wrong
/// with the configuration is about nothing by name.
fn unusable(problem: String, fix: String) -> Box<Finding> {
    Box::new(super::file::unusable(problem, fix).about("token"))
}

/// Finds the token: as the file with the variables over it says, else as a systemd credential.
pub(super) fn find(
    path: &Path,
    settings: &Settings,
    environment: &Environment,
) -> Found<(ApiToken, TokenSource)> {
    let credentials = environment.get("CREDENTIALS_DIRECTORY").filter(|directory| !directory.is_empty());
    let is_set = |variable| environment.get(variable).is_some();
    match (&settings.token, &settings.token_file, credentials) {
        (Some(_), Some(_), _) => {
            let is_variable = is_set("FELHOM_AGENT_TOKEN_FILE");
            let fix = if is_variable { "unset FELHOM_AGENT_TOKEN_FILE".into() } else { edit_line(path) };
            Err(unusable("both `token` and `token_file` are set; keep one of them".into(), fix))
        }
        (Some(token), None, _) if is_set("FELHOM_AGENT_TOKEN") => {
            parsed(token.expose(), TokenSource::Environment, || "unset FELHOM_AGENT_TOKEN".into())
        }
        (Some(token), None, _) => {
            parsed(token.expose(), TokenSource::Config(path.into()), || edit_line(path))
        }
        (None, Some(named), _) => from_file(TokenSource::File(named.clone()), named, Guard::Token),
        (None, None, Some(directory)) => {
            let credential = Path::new(directory).join("token");
            from_file(TokenSource::Credential(credential.clone()), &credential, Guard::Credential)
        }
        (None, None, None) => Err(unusable(
            "no token: set `token_file`, `token`, FELHOM_AGENT_TOKEN, or a systemd credential named token"
                .into(),
            install_line(TOKEN_FILE.as_ref()),
        )),
    }
}

fn parsed(text: &str, origin: TokenSource, fix: impl FnOnce() -> String) -> Found<(ApiToken, TokenSource)> {
    match text.parse() {
        Ok(token) => Ok((token, origin)),
        Err(error) => {
            let error: TokenError = error;
            Err(unusable(format!("{origin}: {error}"), fix()))
        }
    }
}

fn from_file(origin: TokenSource, path: &Path, guard: Guard) -> Found<(ApiToken, TokenSource)> {
    let unread = |error: FileError| {
        let fix = error.fix.unwrap_or_else(|| install_line(path));
        unusable(format!("token file {}: {}", path.display(), error.problem), fix)
    };
    let file = read_bounded(path, MOST, Last::PlainFile).map_err(unread)?;
    check_exposure(path, &file, guard)?;
    let text = file.text().map_err(unread)?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    parsed(text.strip_suffix('\r').unwrap_or(text), origin, || install_line(path))
}

/// Refuses a file that somebody else can change, or read if it holds the token.
pub(super) fn check_exposure(path: &Path, file: &BoundedFile, guard: Guard) -> Found<()> {
    let role = match guard {
        Guard::Steering => "says where the token goes",
        Guard::Token | Guard::Credential => "holds the token",
    };
    match file.exposure(guard) {
        Some(Exposure { danger, fix }) => {
            Err(unusable(format!("{} {role}, and {danger}", path.display()), fix))
        }
        None => Ok(()),
    }
}

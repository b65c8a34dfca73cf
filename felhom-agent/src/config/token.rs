//! Finds the API token, and refuses one that others could read or replace.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use proxmox_types::{ApiToken, TokenError};
use snafu::{ResultExt, Snafu};

use super::environment::Environment;
use super::file::{BoundedFile, FileError, read_unlinked};
use super::raw::RawConfig;

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
    /// Others could read or replace it.
    #[snafu(display("{} holds the token, and {danger}", path.display()))]
    Exposed {
        /// The file, or its directory.
        path: PathBuf,
        /// Who can do what.
        danger: &'static str,
        /// The command that repairs it.
        fix: String,
    },
}

impl TokenProblem {
    /// The command that repairs it, if there is one.
    pub fn fix(&self) -> Option<&str> {
        match self {
            Self::Exposed { fix, .. } | Self::Ambiguous { fix } => Some(fix),
            _ => None,
        }
    }
}

/// Finds the token: as the variables and the file say, else as a systemd credential.
///
/// `written` is the file alone, `raw` the file with the variables over it.
pub(super) fn find(
    path: &Path,
    file: &BoundedFile,
    written: &RawConfig,
    raw: &RawConfig,
    environment: &Environment,
) -> Result<(ApiToken, TokenSource), TokenProblem> {
    if written.token.is_some() {
        check_exposure(path, file, false)?;
    }
    let credentials = environment.get("CREDENTIALS_DIRECTORY").filter(|directory| !directory.is_empty());
    match (&raw.token, &raw.token_file, credentials) {
        (Some(_), Some(_), _) => {
            let is_variable = environment.get("FELHOM_AGENT_TOKEN_FILE").is_some();
            let edit = || format!("\"${{EDITOR:-nano}}\" {}", path.display());
            let fix = if is_variable { "unset FELHOM_AGENT_TOKEN_FILE".into() } else { edit() };
            AmbiguousSnafu { fix }.fail()
        }
        (Some(token), None, _) => {
            let is_variable = environment.get("FELHOM_AGENT_TOKEN").is_some();
            let origin =
                if is_variable { TokenSource::Environment } else { TokenSource::Config(path.into()) };
            Ok((token.expose().parse().context(MalformedSnafu { origin: origin.clone() })?, origin))
        }
        (None, Some(named), _) => from_file(TokenSource::File(named.clone()), named, false),
        (None, None, Some(directory)) => {
            let credential = Path::new(directory).join("token");
            from_file(TokenSource::Credential(credential.clone()), &credential, true)
        }
        (None, None, None) => MissingSnafu.fail(),
    }
}

fn from_file(
    origin: TokenSource,
    path: &Path,
    is_credential: bool,
) -> Result<(ApiToken, TokenSource), TokenProblem> {
    let file = read_unlinked(path, MOST).context(UnreadableSnafu { path })?;
    check_exposure(path, &file, is_credential)?;
    let text = file.text.strip_suffix('\n').unwrap_or(&file.text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok((text.parse().context(MalformedSnafu { origin: origin.clone() })?, origin))
}

/// The group for which an operator runs the agent as root.
const GROUP: &str = "felhom";

/// Who may have to do with a file of ours.
struct Ours {
    uid: u32,
    groups: Vec<u32>,
    /// The number of [`GROUP`], where there is one.
    agents: Option<u32>,
}

impl Ours {
    /// This process: its user, its groups, and the agent's group.
    fn of_process() -> Self {
        let listed = std::fs::read_to_string("/etc/group").unwrap_or_default();
        let fields =
            |line: &str| line.strip_prefix(GROUP)?.strip_prefix(':')?.split(':').nth(1)?.parse().ok();
        let agents: Option<u32> = listed.lines().find_map(fields);
        let mut groups: Vec<u32> = agents.into_iter().collect();
        groups.push(rustix::process::getegid().as_raw());
        groups.extend(rustix::process::getgroups().unwrap_or_default().iter().map(|group| group.as_raw()));
        Self { uid: rustix::process::geteuid().as_raw(), groups, agents }
    }

    /// Owner, group and mode that a file with the token should have.
    fn wanted(&self) -> (String, String, &'static str) {
        match self.agents {
            Some(_) => ("root".into(), GROUP.into(), "0640"),
            None => (self.uid.to_string(), rustix::process::getegid().as_raw().to_string(), "0600"),
        }
    }
}

/// The command that writes a token file which is accepted, from what is typed.
pub fn install_line(path: &Path) -> String {
    let (owner, group, mode) = Ours::of_process().wanted();
    format!("install -m {mode} -o {owner} -g {group} /dev/stdin {}", path.display())
}

/// The command that lets this account, and nobody else, read a file that is there.
pub fn access_line(path: &Path) -> String {
    let (owner, group, mode) = Ours::of_process().wanted();
    format!("chown {owner}:{group} {0} && chmod {mode} {0}", path.display())
}

fn check_exposure(path: &Path, file: &BoundedFile, is_credential: bool) -> Result<(), TokenProblem> {
    let ours = Ours::of_process();
    if let Some(danger) = file_danger(&ours, file.mode, file.uid, file.gid, is_credential) {
        let fix = access_line(path);
        return ExposedSnafu { path, danger, fix }.fail();
    }
    let directory =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let status = std::fs::metadata(directory).ok();
    let danger = status.map_or(Some("it lies in a directory that cannot be looked at"), |status| {
        directory_danger(&ours, status.mode(), status.uid())
    });
    if let Some(danger) = danger {
        return ExposedSnafu { path, danger, fix: moved(path, directory, &ours) }.fail();
    }
    Ok(())
}

/// The folder of the agent's files.
const FOLDER: &str = "/etc/felhom-agent";

/// Protects the agent's own folder; out of any other one, which may be everybody's, the file is moved.
fn moved(path: &Path, directory: &Path, ours: &Ours) -> String {
    let (owner, group, mode) = ours.wanted();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if directory == Path::new(FOLDER) {
        return format!("chown root {FOLDER} && chmod go-w {FOLDER}");
    }
    format!("install -D -m {mode} -o {owner} -g {group} {} {FOLDER}/{name}", path.display())
}

fn file_danger(ours: &Ours, mode: u32, uid: u32, gid: u32, is_credential: bool) -> Option<&'static str> {
    if mode & 0o007 != 0 {
        Some("others can read or write it")
    } else if mode & 0o020 != 0 {
        Some("its group can write it")
    } else if uid != 0 && uid != ours.uid {
        Some("it belongs to somebody else")
    } else if mode & 0o040 != 0 && !is_credential && !ours.groups.contains(&gid) {
        Some("a group that is not the agent's own can read it")
    } else {
        None
    }
}

fn directory_danger(ours: &Ours, mode: u32, uid: u32) -> Option<&'static str> {
    if mode & 0o022 != 0 {
        Some("it lies in a directory where somebody but its owner can replace it")
    } else if uid != 0 && uid != ours.uid {
        Some("it lies in a directory of somebody else")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: fn() -> Ours = || Ours { uid: 990, groups: vec![990], agents: None };

    #[test]
    fn a_token_file_is_for_its_owner_and_the_agents_group() {
        let verdict = |mode, uid, gid| file_danger(&OURS(), mode, uid, gid, false).is_none();
        let fine = [verdict(0o600, 990, 990), verdict(0o640, 0, 990), verdict(0o400, 0, 0)];
        let refused = [
            verdict(0o644, 0, 990),
            verdict(0o660, 0, 990),
            verdict(0o640, 0, 1000),
            verdict(0o600, 1000, 990),
            verdict(0o602, 0, 990),
        ];
        assert_eq!((fine, refused), ([true; 3], [false; 5]));
    }

    #[test]
    fn a_credential_may_be_readable_by_its_group() {
        assert_eq!(file_danger(&OURS(), 0o440, 0, 0, true), None);
    }

    #[test]
    fn a_repair_fits_the_accounts_of_the_host() {
        let with_group = Ours { agents: Some(990), ..OURS() };
        assert_eq!(with_group.wanted(), ("root".into(), "felhom".into(), "0640"));
        let (owner, _, mode) = OURS().wanted();
        assert_eq!((owner.as_str(), mode), ("990", "0600"));
    }

    #[test]
    fn nobody_but_the_owner_may_write_the_directory() {
        let verdicts = [(0o755, 0), (0o700, 990), (0o775, 0), (0o1777, 0), (0o755, 1000)]
            .map(|(mode, uid)| directory_danger(&OURS(), mode, uid).is_none());
        assert_eq!(verdicts, [true, true, false, false, false]);
    }
}

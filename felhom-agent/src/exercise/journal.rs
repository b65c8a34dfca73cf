//! The journal: what the exercise is about to do, on disk before it does it.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use proxmox_types::{LONGEST_SNIPPET, NodeName, SnapshotName, Vmid, clean, vmid};
use rustix::fs::{AtFlags, FileType, FlockOperation, OFlags, Stat, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use snafu::{ResultExt, Snafu, ensure};

use super::leftover::cleanup_line;
use crate::config::Config;
use crate::guard::{AgentAccount, FolderDanger, Last, reach};
use crate::host::replace;
use crate::report::finding::Remedy;
use crate::report::shell::{edit_line, word};

/// The journal itself.
const JOURNAL: &str = "exercise.json";

/// The file whose lock says who has the folder.
const LOCK: &str = "exercise.lock";

/// Largest file of the folder, in bytes.
const MOST: u64 = 64 << 10;

/// Where to look if the exercise does not get to its end. Journals of earlier versions say more, which does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// Node of the container.
    pub node: NodeName,
    /// The container.
    #[serde(deserialize_with = "vmid::written")]
    pub vmid: Vmid,
    /// The snapshot that is taken.
    pub snapname: SnapshotName,
    /// When the last call was made that was not answered yet, in seconds since 1970; 0 if all were.
    pub time: u64,
}

/// The folder of the journal, held by one process at a time.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    folder: OwnedFd,
    _lock: File,
}

/// Why there is no journal.
#[derive(Debug, Snafu)]
#[non_exhaustive]
pub enum JournalError {
    /// Another process holds the folder.
    #[snafu(display("another exercise or cleanup is running"))]
    Busy,
    /// The folder belongs to another account, which could not use it any more.
    #[snafu(display("{} belongs to user {owner}, and this is user {us}", path.display()))]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Who we are.
        us: u32,
    },
    /// The file system refuses something.
    #[snafu(display("{}: {source}", path.display()))]
    Storage {
        /// The file or the folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else can lay something into the folder, or put another in its place.
    #[snafu(display("{} cannot be trusted with the journal: {}", path.display(), danger.text()))]
    Exposed {
        /// The folder.
        path: PathBuf,
        /// Which folder on the way is open to whom.
        danger: FolderDanger,
    },
    /// The journal or the lock is not a plain file of the account.
    #[snafu(display("{} is not the agent's own plain file: it {problem}", path.display()))]
    Odd {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        problem: String,
    },
    /// The journal cannot be read.
    #[snafu(display("{}: cannot be opened: {source}", path.display()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[snafu(display("{} is not a journal: {}", path.display(), shown(source)))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where it stops being a journal.
        source: serde_json::Error,
    },
}

impl JournalError {
    /// The command, to be run by root, that repairs it or shows what there is to repair.
    pub fn repair(&self, config: &Config) -> Remedy {
        match self {
            Self::Foreign { .. } => Remedy::fix(cleanup_line(config)),
            Self::Busy => Remedy::look("ps -C felhom-agent -o pid,lstart,args"),
            Self::Storage { path, source } => storage_remedy(path, source, &config.state_dir),
            Self::Unreadable { path, .. } => Remedy::look(format!("ls -l {}", word(path))),
            Self::Exposed { danger, .. } => {
                Remedy::fix(danger.repair().unwrap_or_else(|| edit_line(&config.path)))
            }
            Self::Odd { path, .. } | Self::Malformed { path, .. } => {
                Remedy::fix(format!("mv {0} {0}.bad && {1}", word(path), cleanup_line(config)))
            }
        }
    }
}

/// Where something stops being a journal, which may quote whatever stands there.
fn shown(error: &serde_json::Error) -> String {
    clean(&error.to_string(), LONGEST_SNIPPET)
}

/// What is done about a file system that refuses something.
fn storage_remedy(path: &Path, error: &io::Error, folder: &Path) -> Remedy {
    let path = word(path);
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
            let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
            Remedy::fix(format!("install -d -m 0700 -o {uid} -g {gid} {}", word(folder)))
        }
        io::ErrorKind::ReadOnlyFilesystem => Remedy::look(format!("findmnt -T {path}")),
        _ => Remedy::look(format!("df -h {}", word(folder))),
    }
}

impl StateDir {
    /// Takes the folder, and makes it if it is not there.
    ///
    /// Fails if the folder is another account's, if somebody else could change it or a folder above it, and if the lock
    /// is not a plain file of this account.
    pub fn take(path: &Path) -> Result<Self, JournalError> {
        let ours = AgentAccount::of_process();
        let us = rustix::process::geteuid().as_raw();
        let way =
            reach(path, Last::NewFolder, &ours).map_err(io::Error::from).context(StorageSnafu { path })?;
        if let (false, Some(danger)) = (way.name.is_empty(), &way.danger) {
            return ExposedSnafu { path, danger: danger.clone() }.fail();
        }
        let folder = way.folder.descriptor;
        let owner =
            rustix::fs::fstat(&folder).map_err(io::Error::from).context(StorageSnafu { path })?.st_uid;
        ensure!(owner == us, ForeignSnafu { path, owner, us });
        if let Some(danger) = way.danger {
            return ExposedSnafu { path, danger }.fail();
        }
        let lock = open(&folder, LOCK, true, us).map_err(|refused| of_file(path.join(LOCK), refused))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path: path.into(), folder, _lock: lock }),
            Err(Errno::WOULDBLOCK) => BusySnafu.fail(),
            Err(error) => Err(error.into()).context(StorageSnafu { path: path.join(LOCK) }),
        }
    }

    /// What an earlier run has left, if it did not get to its end.
    pub fn read(&self) -> Result<Option<Journal>, JournalError> {
        read(&self.path, &self.folder, rustix::process::geteuid().as_raw())
    }

    /// Writes what is about to be done. When this returns, it is on the disk.
    pub fn write(&self, journal: &Journal) -> Result<(), JournalError> {
        let (path, fresh) = (journal_of(&self.path), self.path.join("exercise.json.new"));
        let text = serde_json::to_string_pretty(journal).context(MalformedSnafu { path: &path })?;
        let placed = replace::create(&fresh, text.as_bytes()).and_then(|()| fs::rename(fresh, &path));
        placed.and_then(|()| replace::sync_folder(&path)).context(StorageSnafu { path })
    }

    /// Removes the journal: there is nothing to undo any more.
    pub fn clear(&self) -> Result<(), JournalError> {
        let path = journal_of(&self.path);
        let removed = replace::remove(&path).and_then(|()| replace::sync_folder(&path));
        removed.context(StorageSnafu { path })
    }
}

fn journal_of(folder: &Path) -> PathBuf {
    folder.join(JOURNAL)
}

/// Whether another process has taken the folder.
pub fn is_taken(folder: &Path) -> bool {
    let lock =
        look_into(folder).ok().flatten().and_then(|(folder, owner)| open(&folder, LOCK, false, owner).ok());
    lock.is_some_and(|lock| flock(&lock, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK))
}

/// Reads the journal in a folder without taking it.
pub fn peek(folder: &Path) -> Result<Option<Journal>, JournalError> {
    match look_into(folder)? {
        Some((descriptor, owner)) => read(folder, &descriptor, owner),
        None => Ok(None),
    }
}

/// Opens a folder that is there, and says whose it is. Root looks into the folder of any account.
fn look_into(path: &Path) -> Result<Option<(OwnedFd, u32)>, JournalError> {
    let us = rustix::process::geteuid().as_raw();
    let owner = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        facts => facts.context(UnreadableSnafu { path })?.uid(),
    };
    ensure!(owner == us || us == 0, ForeignSnafu { path, owner, us });
    let way = reach(path, Last::Folder, &AgentAccount::of_account(owner));
    let way = way.map_err(io::Error::from).context(UnreadableSnafu { path })?;
    match way.danger {
        Some(danger) => ExposedSnafu { path, danger }.fail(),
        None => Ok(Some((way.folder.descriptor, owner))),
    }
}

/// Reads the journal in an open folder.
fn read(path: &Path, folder: &OwnedFd, owner: u32) -> Result<Option<Journal>, JournalError> {
    let path = journal_of(path);
    let file = match open(folder, JOURNAL, false, owner) {
        Err(NotOpened::System(Errno::NOENT)) => return Ok(None),
        file => file.map_err(|refused| of_file(path.clone(), refused))?,
    };
    let bytes = replace::read(&file, MOST).context(UnreadableSnafu { path: &path })?.unwrap_or_default();
    serde_json::from_slice(&bytes).map(Some).context(MalformedSnafu { path })
}

fn of_file(path: PathBuf, refused: NotOpened) -> JournalError {
    match refused {
        NotOpened::System(error) => JournalError::Unreadable { path, source: error.into() },
        NotOpened::Odd(problem) => JournalError::Odd { path, problem },
    }
}

/// Why a file is not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
enum NotOpened {
    /// The system does not let us.
    System(Errno),
    /// It is not a plain file of the account; says what it is.
    Odd(String),
}

/// Opens a file of the folder for reading, or for locking, for which it is made if it is missing.
///
/// Nothing is followed and nothing is waited for.
fn open(folder: &OwnedFd, name: &str, is_made: bool, owner: u32) -> Result<File, NotOpened> {
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(status) => refuse(&status, owner)?,
        Err(Errno::NOENT) if is_made => {}
        Err(error) => return Err(NotOpened::System(error)),
    }
    let flags = if is_made { OFlags::RDWR | OFlags::CREATE } else { OFlags::RDONLY };
    let file = replace::open(folder, name, flags).map_err(NotOpened::System)?;
    // It may have been replaced between the look and the opening.
    refuse(&rustix::fs::fstat(&file).map_err(NotOpened::System)?, owner)?;
    Ok(file)
}

fn refuse(status: &Stat, owner: u32) -> Result<(), NotOpened> {
    odd(status, owner).map_or(Ok(()), |what| Err(NotOpened::Odd(what)))
}

fn odd(status: &Stat, owner: u32) -> Option<String> {
    let mode = status.st_mode & 0o7777;
    match FileType::from_raw_mode(status.st_mode) {
        FileType::RegularFile => {}
        FileType::Symlink => return Some("is a symbolic link".into()),
        FileType::Directory => return Some("is a directory".into()),
        FileType::Fifo => return Some("is a FIFO".into()),
        _ => return Some("is a device or a socket".into()),
    }
    if status.st_uid != owner {
        return Some(format!("belongs to user {} and not to {owner}", status.st_uid));
    }
    if mode & 0o022 != 0 {
        return Some(format!("can be written by others: its mode is {mode:04o}"));
    }
    if status.st_nlink > 1 {
        return Some(format!("has {} names, and one of them may be somebody else's", status.st_nlink));
    }
    let is_large = u64::try_from(status.st_size).map_or(true, |size| size > MOST);
    is_large.then(|| format!("is larger than {MOST} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> Journal {
        Journal {
            node: "pve1".parse().unwrap(),
            vmid: 300.try_into().unwrap(),
            snapname: "felhom-st-6b052c47-0a1b2c3d".parse().unwrap(),
            time: 1_795_500_000,
        }
    }

    #[test]
    fn what_is_written_is_read_until_it_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::take(&folder.path().join("state")).unwrap();
        assert_eq!(state.read().unwrap(), None);
        for time in [1_795_500_000, 0] {
            let journal = Journal { time, ..journal() };
            state.write(&journal).unwrap();
            assert_eq!(state.read().unwrap(), Some(journal));
        }
        state.clear().unwrap();
        state.clear().unwrap();
        assert_eq!(state.read().unwrap(), None);
    }

    #[test]
    fn a_journal_of_an_earlier_version_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::take(folder.path()).unwrap();
        for more in [r#""step": "x.marker", "upid": null"#, r#""step": "x.rollback", "upid": "UPID:pve1:1""#]
        {
            let text = serde_json::to_string(&journal()).unwrap().replace('}', &format!(", {more}}}"));
            fs::write(folder.path().join(JOURNAL), text).unwrap();
            assert_eq!(state.read().unwrap(), Some(journal()), "{more}");
        }
    }

    #[test]
    fn only_one_process_holds_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::take(folder.path()).unwrap();
        assert!(is_taken(folder.path()));
        assert!(matches!(StateDir::take(folder.path()), Err(JournalError::Busy)));
        drop(state);
        assert!(!is_taken(folder.path()));
        let _again = StateDir::take(folder.path()).unwrap();
    }

    #[test]
    fn a_file_that_is_not_a_journal_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::take(folder.path()).unwrap();
        fs::write(folder.path().join("exercise.json"), "{\"vmid\": 300}").unwrap();
        assert!(matches!(state.read(), Err(JournalError::Malformed { .. })));
        fs::remove_file(folder.path().join("exercise.json")).unwrap();
        fs::create_dir(folder.path().join("exercise.json")).unwrap();
        assert!(matches!(state.read(), Err(JournalError::Odd { .. })));
        assert!(matches!(peek(Path::new("/proc/version")), Err(JournalError::Unreadable { .. })));
    }

    #[test]
    fn the_folder_of_another_account_is_left_to_it() {
        let folder = tempfile::tempdir().unwrap();
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(folder.path(), Some(64_077), None).unwrap();
            let error = StateDir::take(folder.path()).unwrap_err();
            assert!(error.to_string().ends_with("belongs to user 64077, and this is user 0"), "{error}");
        }
    }

    #[test]
    fn what_lies_in_the_way_is_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::take(folder.path()).unwrap();
        let other = folder.path().join("other");
        fs::write(&other, "other").unwrap();
        std::os::unix::fs::symlink(&other, folder.path().join("exercise.json.new")).unwrap();
        state.write(&journal()).unwrap();
        assert_eq!(
            (fs::read_to_string(other).unwrap(), state.read().unwrap()),
            ("other".into(), Some(journal()))
        );
    }
}

//! The journal: what the exercise is about to do, on disk before it does it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use proxmox_types::{NodeName, SnapshotName, Upid, Vmid};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use snafu::{ResultExt, Snafu, ensure};

use super::leftover::cleanup_line;
use crate::config::{Config, FileError, read_bounded};
use crate::finding::Remedy;

/// Largest journal that is read, in bytes.
const MOST: u64 = 64 << 10;

/// The file whose lock says who has the folder.
const LOCK: &str = "exercise.lock";

/// What is to be undone if the exercise does not get to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Node of the container.
    pub node: NodeName,
    /// The container.
    pub vmid: Vmid,
    /// The snapshot that is taken.
    pub snapname: SnapshotName,
    /// The step that is about to begin.
    pub step: String,
    /// The task that the step started, once it is known.
    pub upid: Option<Upid>,
    /// When this was written, in seconds since 1970.
    pub time: u64,
}

/// The folder of the journal, held by one process at a time.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
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
    /// The journal cannot be read.
    #[snafu(display("{}: {source}", path.display()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: FileError,
    },
    /// The journal is not one.
    #[snafu(display("{} is no journal: {source}", path.display()))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where it stops being one.
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
            Self::Unreadable { path, .. } => Remedy::look(format!("ls -l {}", path.display())),
            Self::Malformed { path, .. } => {
                Remedy::fix(format!("mv {0} {0}.bad && {1}", path.display(), cleanup_line(config)))
            }
        }
    }
}

/// What is done about a file system that refuses something.
fn storage_remedy(path: &Path, error: &io::Error, folder: &Path) -> Remedy {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
            let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
            Remedy::fix(format!("install -d -m 0700 -o {uid} -g {gid} {}", folder.display()))
        }
        io::ErrorKind::ReadOnlyFilesystem => Remedy::look(format!("findmnt -T {path}")),
        _ => Remedy::look(format!("df -h {}", folder.display())),
    }
}

impl StateDir {
    /// Takes the folder, and makes it if it is not there.
    pub fn take(path: &Path) -> Result<Self, JournalError> {
        DirBuilder::new().recursive(true).mode(0o700).create(path).context(StorageSnafu { path })?;
        let owner = fs::metadata(path).context(StorageSnafu { path })?.uid();
        let us = rustix::process::geteuid().as_raw();
        ensure!(owner == us, ForeignSnafu { path, owner, us });
        let file = path.join(LOCK);
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&file);
        let lock = lock.context(StorageSnafu { path: &file })?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path: path.into(), _lock: lock }),
            Err(Errno::WOULDBLOCK) => BusySnafu.fail(),
            Err(error) => Err(error.into()).context(StorageSnafu { path: file }),
        }
    }

    /// What an earlier run has left, if it did not get to its end.
    pub fn read(&self) -> Result<Option<Entry>, JournalError> {
        peek(&self.path)
    }

    /// Writes what is about to be done. When this returns, it is on the disk.
    pub fn write(&self, entry: &Entry) -> Result<(), JournalError> {
        let (path, fresh) = (journal(&self.path), self.path.join("exercise.json.new"));
        let text = serde_json::to_string_pretty(entry).context(MalformedSnafu { path: &path })?;
        self.replace(&text, &fresh, &path).context(StorageSnafu { path })
    }

    fn replace(&self, text: &str, fresh: &Path, path: &Path) -> io::Result<()> {
        // What a killed run left of it, or somebody laid there.
        match fs::remove_file(fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(fresh, path)?;
        self.sync()
    }

    /// Removes the journal: there is nothing to undo any more.
    pub fn clear(&self) -> Result<(), JournalError> {
        let path = journal(&self.path);
        let removed = match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        };
        removed.and_then(|()| self.sync()).context(StorageSnafu { path })
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

fn journal(folder: &Path) -> PathBuf {
    folder.join("exercise.json")
}

/// Whether another process has taken the folder.
pub fn is_taken(folder: &Path) -> bool {
    let lock = File::open(folder.join(LOCK));
    lock.is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK))
}

/// Reads the journal in a folder without taking it.
pub fn peek(folder: &Path) -> Result<Option<Entry>, JournalError> {
    let path = journal(folder);
    let file = match read_bounded(&path, MOST) {
        Err(error) if error.is_not_found() => return Ok(None),
        read => read.context(UnreadableSnafu { path: &path })?,
    };
    serde_json::from_str(&file.text).map(Some).context(MalformedSnafu { path })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            node: "pve1".parse().unwrap(),
            vmid: 300.try_into().unwrap(),
            snapname: "felhom-st-6b052c47-0a1b2c3d".parse().unwrap(),
            step: "x.snapshot".into(),
            upid: None,
            time: 1_795_500_000,
        }
    }

    #[test]
    fn what_is_written_is_read_until_it_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::take(&folder.path().join("state")).unwrap();
        assert_eq!(state.read().unwrap(), None);
        for step in ["x.snapshot", "x.rollback"] {
            let entry = Entry { step: step.into(), ..entry() };
            state.write(&entry).unwrap();
            assert_eq!(state.read().unwrap(), Some(entry));
        }
        state.clear().unwrap();
        state.clear().unwrap();
        assert_eq!(state.read().unwrap(), None);
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
    fn what_is_no_journal_is_told_and_not_overlooked() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::take(folder.path()).unwrap();
        fs::write(folder.path().join("exercise.json"), "{\"vmid\": 300}").unwrap();
        assert!(matches!(state.read(), Err(JournalError::Malformed { .. })));
        fs::remove_file(folder.path().join("exercise.json")).unwrap();
        fs::create_dir(folder.path().join("exercise.json")).unwrap();
        assert!(matches!(state.read(), Err(JournalError::Unreadable { .. })));
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
        state.write(&entry()).unwrap();
        assert_eq!(
            (fs::read_to_string(other).unwrap(), state.read().unwrap()),
            ("other".into(), Some(entry()))
        );
    }
}

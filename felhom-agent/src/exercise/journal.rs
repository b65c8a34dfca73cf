//! The journal: what the exercise is about to do, on disk before it does it.

use std::fmt::Display;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use proxmox_types::{LONGEST_SNIPPET, NodeName, SnapshotName, Vmid, clean, vmid};
use rustix::fs::{AtFlags, FileType, FlockOperation, OFlags, Stat, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::leftover::cleanup_line;
use crate::config::Config;
use crate::guard::{AgentAccount, FolderDanger, Last, reach};
use crate::host::replace;
use crate::report::exit::Exit;
use crate::report::finding::{Finding, Found, Remedy};
use crate::report::shell::{edit_line, word};

/// What is said where the journal cannot be used.
pub(super) const UNWRITTEN: &str = "nothing is done that cannot be written down before";

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
pub struct StateDir<'c> {
    config: &'c Config,
    folder: OwnedFd,
    _lock: File,
}

/// That another process holds the folder.
pub(super) fn busy() -> Finding {
    let look = Remedy::look("ps -C felhom-agent -o pid,lstart,args");
    Finding::fail("another exercise or cleanup is running", look).ending(Exit::Busy)
}

/// That the folder belongs to another account, which could not use it any more.
fn foreign(config: &Config, owner: u32, us: u32) -> Finding {
    let path = config.state_dir.display();
    let text = format!("{path} belongs to user {owner}, and this is user {us}");
    Finding::fail(text, cleanup_line(config))
}

/// That somebody else can lay something into the folder, or put another in its place.
fn exposed(config: &Config, danger: &FolderDanger) -> Finding {
    let text = format!("{} cannot be trusted with the journal: {}", config.state_dir.display(), danger.text);
    Finding::fail(text, danger.repair.clone().unwrap_or_else(|| edit_line(&config.path)))
}

/// That the file system refuses something.
fn denied(config: &Config, path: &Path, error: impl Into<io::Error>) -> Finding {
    let (error, folder) = (error.into(), word(&config.state_dir));
    let remedy = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
            let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
            Remedy::fix(format!("install -d -m 0700 -o {uid} -g {gid} {folder}"))
        }
        io::ErrorKind::ReadOnlyFilesystem => Remedy::look(format!("findmnt -T {}", word(path))),
        _ => Remedy::look(format!("df -h {folder}")),
    };
    Finding::fail(format!("{}: {error}", path.display()), remedy)
}

/// That something cannot be read.
fn unread(path: &Path, error: impl Into<io::Error>) -> Finding {
    let text = format!("{}: cannot be opened: {}", path.display(), error.into());
    Finding::fail(text, Remedy::look(format!("ls -l {}", word(path))))
}

/// That a file of the folder is something else, and is to be moved away.
fn odd(config: &Config, path: &Path, what: impl Display) -> Finding {
    let fix = format!("mv {0} {0}.bad && {1}", word(path), cleanup_line(config));
    Finding::fail(format!("{} is {what}", path.display()), fix)
}

impl<'c> StateDir<'c> {
    /// Takes the folder, and makes it if it is not there.
    ///
    /// Fails if the folder is another account's, if somebody else could change it or a folder above it, and if the lock
    /// is not a plain file of this account.
    pub fn take(config: &'c Config) -> Found<Self> {
        let path = &config.state_dir;
        let us = rustix::process::geteuid().as_raw();
        let way = reach(path, Last::NewFolder, &AgentAccount::of_process());
        let way = way.map_err(|error| denied(config, path, error))?;
        if let (false, Some(danger)) = (way.name.is_empty(), &way.danger) {
            return Err(exposed(config, danger).into());
        }
        let folder = way.folder.descriptor;
        let owner = rustix::fs::fstat(&folder).map_err(|error| denied(config, path, error))?.st_uid;
        if owner != us {
            return Err(foreign(config, owner, us).into());
        }
        if let Some(danger) = way.danger {
            return Err(exposed(config, &danger).into());
        }
        let lock = open(config, &folder, LOCK, true, us)?;
        let lock = lock.ok_or_else(|| denied(config, &path.join(LOCK), Errno::NOENT))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { config, folder, _lock: lock }),
            Err(Errno::WOULDBLOCK) => Err(busy().into()),
            Err(error) => Err(denied(config, &path.join(LOCK), error).into()),
        }
    }

    /// What an earlier run has left, if it did not get to its end.
    pub fn read(&self) -> Found<Option<Journal>> {
        read(self.config, &self.folder, rustix::process::geteuid().as_raw())
    }

    /// Writes what is about to be done. When this returns, it is on the disk.
    pub fn write(&self, journal: &Journal) -> Found<()> {
        let (path, fresh) = (journal_of(self.config), self.config.state_dir.join("exercise.json.new"));
        let placed = serde_json::to_string_pretty(journal)
            .map_err(io::Error::from)
            .and_then(|text| replace::create(&fresh, text.as_bytes()))
            .and_then(|()| fs::rename(fresh, &path))
            .and_then(|()| replace::sync_folder(&path));
        placed.map_err(|error| denied(self.config, &path, error).into())
    }

    /// Removes the journal: there is nothing to undo any more.
    pub fn clear(&self) -> Found<()> {
        let path = journal_of(self.config);
        let removed = replace::remove(&path).and_then(|()| replace::sync_folder(&path));
        removed.map_err(|error| denied(self.config, &path, error).into())
    }
}

fn journal_of(config: &Config) -> PathBuf {
    config.state_dir.join(JOURNAL)
}

/// Whether another process has taken the folder.
pub fn is_taken(config: &Config) -> bool {
    let folder = look_into(config).ok().flatten();
    let lock = folder.and_then(|(folder, owner)| open(config, &folder, LOCK, false, owner).ok().flatten());
    lock.is_some_and(|lock| flock(&lock, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK))
}

/// Reads the journal without taking the folder.
pub fn peek(config: &Config) -> Found<Option<Journal>> {
    match look_into(config)? {
        Some((folder, owner)) => read(config, &folder, owner),
        None => Ok(None),
    }
}

/// Opens the folder if it is there, and says whose it is. Root looks into the folder of any account.
fn look_into(config: &Config) -> Found<Option<(OwnedFd, u32)>> {
    let (path, us) = (&config.state_dir, rustix::process::geteuid().as_raw());
    let owner = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        facts => facts.map_err(|error| unread(path, error))?.uid(),
    };
    if owner != us && us != 0 {
        return Err(foreign(config, owner, us).into());
    }
    let way = reach(path, Last::Folder, &AgentAccount::of_account(owner));
    let way = way.map_err(|error| unread(path, error))?;
    match way.danger {
        Some(danger) => Err(exposed(config, &danger).into()),
        None => Ok(Some((way.folder.descriptor, owner))),
    }
}

/// Reads the journal in an open folder.
fn read(config: &Config, folder: &OwnedFd, owner: u32) -> Found<Option<Journal>> {
    let path = journal_of(config);
    let Some(file) = open(config, folder, JOURNAL, false, owner)? else { return Ok(None) };
    let bytes = replace::read(&file, MOST).map_err(|error| unread(&path, error))?.unwrap_or_default();
    let journal = serde_json::from_slice(&bytes).map_err(|error| {
        // The error may quote whatever stands there.
        let what = format!("not a journal: {}", clean(&error.to_string(), LONGEST_SNIPPET));
        odd(config, &path, what)
            .because("what it told of is found again by the tags and names at the containers")
    })?;
    Ok(Some(journal))
}

/// Opens a file of the folder for reading, or for locking, for which it is made; nothing if it is missing.
///
/// Nothing is followed and nothing is waited for.
fn open(config: &Config, folder: &OwnedFd, name: &str, is_made: bool, owner: u32) -> Found<Option<File>> {
    let path = config.state_dir.join(name);
    let check = |status: &Stat| match oddity(status, owner) {
        None => Ok(()),
        Some(what) => {
            let what = format_args!("not the agent's own plain file: it {what}");
            Err(Box::new(odd(config, &path, what)))
        }
    };
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(status) => check(&status)?,
        Err(Errno::NOENT) if is_made => {}
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(unread(&path, error).into()),
    }
    let flags = if is_made { OFlags::RDWR | OFlags::CREATE } else { OFlags::RDONLY };
    let file = replace::open(folder, name, flags).map_err(|error| unread(&path, error))?;
    // It may have been replaced between the look and the opening.
    check(&rustix::fs::fstat(&file).map_err(|error| unread(&path, error))?)?;
    Ok(Some(file))
}

/// What a file is instead of a plain file of the account.
fn oddity(status: &Stat, owner: u32) -> Option<String> {
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
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config::Environment;

    fn journal() -> Journal {
        Journal {
            node: "pve1".parse().unwrap(),
            vmid: 300.try_into().unwrap(),
            snapname: "felhom-st-6b052c47-0a1b2c3d".parse().unwrap(),
            time: 1_795_500_000,
        }
    }

    /// A configuration whose folder is below this one.
    fn config(folder: &Path, name: &str) -> Config {
        let path = folder.join("config.json");
        let text = serde_json::json!({
            "node": "pve1", "token": "felhom@pve!agent=12345678-1234-1234-1234-123456789abc",
            "tls": { "insecure": true }, "state_dir": folder.join(name),
        });
        fs::write(&path, text.to_string()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        Config::load(&path, &Environment::default()).unwrap()
    }

    #[test]
    fn what_is_written_is_read_until_it_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), "state");
        let state = StateDir::take(&config).unwrap();
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
    fn a_journal_of_an_earlier_version_is_read_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), "");
        let (state, path) = (StateDir::take(&config).unwrap(), folder.path().join(JOURNAL));
        for more in [r#""step": "x.marker", "upid": null"#, r#""step": "x.rollback", "upid": "UPID:pve1:1""#]
        {
            let text = serde_json::to_string(&journal()).unwrap().replace('}', &format!(", {more}}}"));
            fs::write(&path, text).unwrap();
            assert_eq!(state.read().unwrap(), Some(journal()), "{more}");
        }
        fs::write(&path, "{\"vmid\": 300}").unwrap();
        let said = state.read().unwrap_err().to_string();
        assert!(said.contains("is not a journal: missing field `node`"), "{said}");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let said = state.read().unwrap_err().to_string();
        assert!(said.ends_with("is not the agent's own plain file: it is a directory"), "{said}");
    }

    #[test]
    fn a_folder_that_is_a_plain_file_cannot_be_opened() {
        let folder = tempfile::tempdir().unwrap();
        let error = peek(&config(folder.path(), "config.json")).unwrap_err();
        let said = error.to_string();
        assert!(said.ends_with("/config.json: cannot be opened: Not a directory (os error 20)"), "{said}");
        assert_eq!(error.exit, None, "nothing but the network and the token make a run unchecked");
    }

    #[test]
    fn only_one_process_holds_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), "");
        let state = StateDir::take(&config).unwrap();
        assert!(is_taken(&config));
        assert_eq!(StateDir::take(&config).unwrap_err().exit, Some(Exit::Busy));
        drop(state);
        assert!(!is_taken(&config));
        let _again = StateDir::take(&config).unwrap();
    }

    #[test]
    fn the_folder_of_another_account_is_left_to_it() {
        let folder = tempfile::tempdir().unwrap();
        if rustix::process::geteuid().is_root() {
            let config = config(folder.path(), "state");
            fs::create_dir(&config.state_dir).unwrap();
            std::os::unix::fs::chown(&config.state_dir, Some(64_077), None).unwrap();
            let error = StateDir::take(&config).unwrap_err();
            assert!(error.to_string().ends_with("belongs to user 64077, and this is user 0"), "{error}");
        }
    }

    #[test]
    fn what_lies_in_the_way_is_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), "");
        let state = StateDir::take(&config).unwrap();
        let other = folder.path().join("other");
        fs::write(&other, "other").unwrap();
        std::os::unix::fs::symlink(&other, folder.path().join("exercise.json.new")).unwrap();
        state.write(&journal()).unwrap();
        let (kept, read) = (fs::read_to_string(other).unwrap(), state.read().unwrap());
        assert_eq!((kept.as_str(), read), ("other", Some(journal())));
    }
}

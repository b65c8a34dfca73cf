//! Changes `/etc/fstab`, as a whole or not at all.
//!
//! The new text goes into a file beside it, which gets the owner and the mode of the old one, is written through to the
//! disk and then takes its place. Whoever is killed on the way leaves the old file or the new one. Two runs of this
//! program exclude each other by a lock on the new file; a change that somebody else made meanwhile is noticed before
//! the new file takes the place, and is kept.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use proxmox_privileged::mount::fstab::FstabConflict;
use rustix::fs::{CWD, FlockOperation, OFlags, flock};
use rustix::io::Errno;
use snafu::{OptionExt, ResultExt, Snafu, ensure};

use super::replace;

/// Where the table is.
const PATH: &str = "/etc/fstab";
/// Name of the new file until it takes the place of the old one. One that a killed run has left is used again.
const NEW: &str = ".fstab.felhom-agent";
/// Largest table that is changed, in bytes.
const MOST: u64 = 1 << 20;

/// A table of filesystems.
#[derive(Clone, Debug)]
pub struct Fstab {
    path: PathBuf,
}

/// A change: the table before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FstabChange {
    /// The old text.
    pub before: Vec<u8>,
    /// The new text.
    pub after: Vec<u8>,
}

/// Why the table was not changed. It is as it was, except after [`FstabError::NotSynced`].
#[derive(Debug, Snafu)]
#[non_exhaustive]
pub enum FstabError {
    /// Only root may change it.
    #[snafu(display("only root can change {}", path.display()))]
    NotRoot {
        /// The table.
        path: PathBuf,
    },
    /// It is not a regular file of its own, and what it stands for is not replaced.
    #[snafu(display("{} is {what}", path.display()))]
    NotPlain {
        /// The table.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A line of somebody else is in the way.
    #[snafu(display("{} cannot be changed", path.display()))]
    Conflict {
        /// The table.
        path: PathBuf,
        /// Which line.
        source: FstabConflict,
    },
    /// Another run of this program changes it.
    #[snafu(display("somebody else is changing {}", path.display()))]
    Busy {
        /// The table.
        path: PathBuf,
    },
    /// Somebody changed it since it was read, and that change was kept.
    #[snafu(display("{} was changed meanwhile", path.display()))]
    Changed {
        /// The table.
        path: PathBuf,
    },
    /// The operating system refused.
    #[snafu(display("{} cannot be {what}", path.display()))]
    Io {
        /// The file.
        path: PathBuf,
        /// What was to be done with it.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The new table is in its place, but may not be there after a power failure.
    #[snafu(display("{} is changed, and may be as it was after a power failure", path.display()))]
    NotSynced {
        /// The table.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl FstabChange {
    /// Whether the texts differ.
    pub fn is_some(&self) -> bool {
        self.before != self.after
    }

    /// The lines that go and the lines that come, marked with `-` and `+`.
    pub fn lines(&self) -> Vec<String> {
        let [before, after] = [&self.before, &self.after].map(|text| String::from_utf8_lossy(text));
        let (mut old, mut new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
        let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
        (old, new) = (old.split_off(same), new.split_off(same));
        let same = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
        old.truncate(old.len().saturating_sub(same));
        new.truncate(new.len().saturating_sub(same));
        let gone = old.iter().map(|line| format!("-{line}"));
        gone.chain(new.iter().map(|line| format!("+{line}"))).collect()
    }
}

impl Fstab {
    /// The one of this host.
    pub fn of_host() -> Self {
        Self::at(PATH)
    }

    /// One at another place, for tests.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// What the edit would change.
    pub fn preview(
        &self,
        edit: impl FnOnce(&[u8]) -> Result<Vec<u8>, FstabConflict>,
    ) -> Result<FstabChange, FstabError> {
        let (before, _) = self.read()?;
        let after = edit(&before).context(ConflictSnafu { path: &self.path })?;
        Ok(FstabChange { before, after })
    }

    /// Makes the edit, if this is root. A table that stays the same is not written.
    pub fn change(
        &self,
        edit: impl FnOnce(&[u8]) -> Result<Vec<u8>, FstabConflict>,
    ) -> Result<FstabChange, FstabError> {
        ensure!(rustix::process::geteuid().is_root(), NotRootSnafu { path: &self.path });
        self.replace(edit)
    }

    fn replace(
        &self,
        edit: impl FnOnce(&[u8]) -> Result<Vec<u8>, FstabConflict>,
    ) -> Result<FstabChange, FstabError> {
        let new = New::beside(self)?;
        let (before, version) = self.read()?;
        let after = edit(&before).context(ConflictSnafu { path: &self.path })?;
        let change = FstabChange { before, after };
        if change.is_some() {
            new.fill(&change.after, &version).context(new.doing("written"))?;
            ensure!(self.read()? == (change.before.clone(), version), ChangedSnafu { path: &self.path });
            new.take_the_place_of(self)?;
        }
        Ok(change)
    }

    /// The text, and what tells it from another.
    fn read(&self) -> Result<(Vec<u8>, FileVersion), FstabError> {
        let path = &self.path;
        let file = match replace::open(CWD, path, OFlags::RDONLY) {
            Err(Errno::LOOP) => return NotPlainSnafu { path, what: "a symbolic link" }.fail(),
            opened => opened.map_err(io::Error::from).context(IoSnafu { path, what: "opened" })?,
        };
        let facts = file.metadata().context(IoSnafu { path, what: "looked at" })?;
        ensure!(facts.is_file(), NotPlainSnafu { path, what: "no file" });
        let text = replace::read(&file, MOST).context(IoSnafu { path, what: "read" })?;
        let text = text.context(NotPlainSnafu { path, what: "too large" })?;
        Ok((text, FileVersion::of(&facts)))
    }
}

/// What tells one file from another, and one state of it from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileVersion {
    device: u64,
    inode: u64,
    changed: (i64, i64),
    owner: (u32, u32),
    mode: u32,
}

impl FileVersion {
    fn of(facts: &fs::Metadata) -> Self {
        Self {
            device: facts.dev(),
            inode: facts.ino(),
            changed: (facts.ctime(), facts.ctime_nsec()),
            owner: (facts.uid(), facts.gid()),
            mode: facts.mode() & 0o7777,
        }
    }
}

/// The new file, locked. It is removed when this is dropped, unless it has taken the place of the old one.
struct New {
    path: PathBuf,
    file: File,
    is_placed: std::cell::Cell<bool>,
}

impl New {
    fn beside(fstab: &Fstab) -> Result<Self, FstabError> {
        let path = folder(&fstab.path).join(NEW);
        let file = replace::open(CWD, &path, OFlags::WRONLY | OFlags::CREATE).map_err(io::Error::from);
        let file = file.context(IoSnafu { path: &path, what: "made" })?;
        let busy = BusySnafu { path: &fstab.path };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => return busy.fail(),
            locked => locked.map_err(io::Error::from).context(IoSnafu { path: &path, what: "locked" })?,
        }
        // Whoever held the lock before may have put the file in place or removed it.
        let of = |facts: &fs::Metadata| (facts.dev(), facts.ino());
        let opened = file.metadata().context(IoSnafu { path: &path, what: "looked at" })?;
        ensure!(fs::symlink_metadata(&path).is_ok_and(|found| of(&found) == of(&opened)), busy);
        Ok(Self { path, file, is_placed: false.into() })
    }

    fn doing(&self, what: &'static str) -> IoSnafu<&Path, &'static str> {
        IoSnafu { path: &self.path, what }
    }

    fn fill(&self, text: &[u8], old: &FileVersion) -> io::Result<()> {
        self.file.set_len(0)?;
        fchown(&self.file, Some(old.owner.0), Some(old.owner.1))?;
        self.file.set_permissions(Permissions::from_mode(old.mode))?;
        replace::write(&self.file, text)
    }

    fn take_the_place_of(&self, fstab: &Fstab) -> Result<(), FstabError> {
        let path = &fstab.path;
        fs::rename(&self.path, path).context(IoSnafu { path, what: "replaced" })?;
        self.is_placed.set(true);
        replace::sync_folder(path).context(NotSyncedSnafu { path })
    }
}

impl Drop for New {
    fn drop(&mut self) {
        if !self.is_placed.get() {
            // A file that stays is used again next time.
            let _removed = fs::remove_file(&self.path);
        }
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or_else(|| Path::new("/"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    const OLD: &str = "# one\n/dev/sda1 / ext4 defaults 0 1\n# three";

    fn table() -> (TempDir, Fstab) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fstab");
        fs::write(&path, OLD).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        (folder, Fstab::at(path))
    }

    fn names(folder: &TempDir) -> Vec<String> {
        let entries = fs::read_dir(folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn append(text: &[u8]) -> Vec<u8> {
        [text, b"\nmore\n"].concat()
    }

    #[test]
    fn a_change_keeps_the_mode_and_leaves_one_file() {
        let (folder, fstab) = table();
        let change = fstab.replace(|text| Ok(append(text))).unwrap();
        assert_eq!(change.lines(), ["+more"]);
        assert_eq!(fs::read(&fstab.path).unwrap(), change.after);
        assert_eq!(fs::metadata(&fstab.path).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(names(&folder), ["fstab"]);
    }

    #[test]
    fn an_edit_that_changes_nothing_writes_nothing() {
        let (folder, fstab) = table();
        let before = FileVersion::of(&fs::metadata(&fstab.path).unwrap());
        assert!(!fstab.replace(|text| Ok(text.to_vec())).unwrap().is_some());
        assert_eq!(FileVersion::of(&fs::metadata(&fstab.path).unwrap()), before);
        assert_eq!(names(&folder), ["fstab"]);
    }

    #[test]
    fn a_preview_changes_nothing() {
        let (folder, fstab) = table();
        let change = fstab.preview(|_| Ok(b"# one\nother\n# three".to_vec())).unwrap();
        assert_eq!(change.lines(), ["-/dev/sda1 / ext4 defaults 0 1", "+other"]);
        assert_eq!(
            (fs::read_to_string(&fstab.path).unwrap(), names(&folder)),
            (OLD.into(), vec!["fstab".into()])
        );
    }

    #[test]
    fn what_somebody_wrote_meanwhile_is_kept() {
        let (folder, fstab) = table();
        let in_place = fstab.replace(|text| {
            fs::write(&fstab.path, "theirs").unwrap();
            Ok(append(text))
        });
        let replaced = fstab.replace(|text| {
            fs::write(folder.path().join("x"), "theirs as well").unwrap();
            fs::rename(folder.path().join("x"), &fstab.path).unwrap();
            Ok(append(text))
        });
        let text = format!("{} was changed meanwhile", fstab.path.display());
        assert_eq!([in_place, replaced].map(|change| change.unwrap_err().to_string()), [text.clone(), text]);
        assert_eq!(fs::read_to_string(&fstab.path).unwrap(), "theirs as well");
        assert_eq!(names(&folder), ["fstab"]);
    }

    #[test]
    fn two_changes_at_once_exclude_each_other() {
        let (folder, fstab) = table();
        let outer = fstab.replace(|text| {
            let inner = fstab.replace(|text| Ok(append(text))).unwrap_err();
            assert_eq!(inner.to_string(), format!("somebody else is changing {}", fstab.path.display()));
            Ok(append(text))
        });
        assert!(outer.unwrap().is_some());
        assert_eq!(names(&folder), ["fstab"]);
    }

    #[test]
    fn what_a_killed_run_has_left_does_no_harm() {
        let (folder, fstab) = table();
        fs::write(folder.path().join(NEW), "x".repeat(1000)).unwrap();
        let change = fstab.replace(|text| Ok(append(text))).unwrap();
        assert_eq!((fs::read(&fstab.path).unwrap(), names(&folder)), (change.after, vec!["fstab".into()]));
    }

    #[test]
    fn what_is_no_plain_file_is_not_replaced() {
        let (folder, fstab) = table();
        let at = |name: &str| Fstab::at(folder.path().join(name));
        symlink(&fstab.path, folder.path().join("link")).unwrap();
        fs::create_dir(folder.path().join("folder")).unwrap();
        File::create(folder.path().join("large")).unwrap().set_len(MOST + 1).unwrap();
        let errors = ["link", "folder", "large"]
            .map(|name| at(name).replace(|text| Ok(append(text))).unwrap_err().to_string());
        let said = ["link is a symbolic link", "folder is no file", "large is too large"];
        assert_eq!(errors, said.map(|text| format!("{}/{text}", folder.path().display())));
        assert!(fs::symlink_metadata(folder.path().join("link")).unwrap().is_symlink());
    }
}

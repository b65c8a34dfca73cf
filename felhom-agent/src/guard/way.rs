//! The way to a file, component by component, each judged by what lies open and not by its name.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::{AgentAccount, FolderDanger, folder_danger};
use crate::host::replace;

/// The most links that are followed, as in the kernel.
const LINKS: usize = 40;

/// The largest extended attribute that Linux knows, in bytes.
const MOST_ACL: usize = 64 << 10;

/// What is looked for at the end of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// A file; a link is followed to where it leads.
    File,
    /// A file that is not a link.
    PlainFile,
    /// A folder; a link is followed.
    Folder,
    /// A folder that is made, for its owner alone, if it is missing and nobody else could lay something in the way.
    NewFolder,
}

/// A folder that is open, without being readable.
#[derive(Debug)]
pub struct Folder {
    /// What was opened.
    pub descriptor: OwnedFd,
    path: PathBuf,
}

/// What was come to.
#[derive(Debug)]
pub struct Way {
    /// The folder that it lies in, or itself if a folder was looked for.
    pub folder: Folder,
    /// Its name there; empty for a folder, unless it is missing and was not made for what is wrong on the way.
    pub name: OsString,
    /// The first folder on the way that somebody else can change.
    pub danger: Option<FolderDanger>,
}

impl Way {
    /// Opens the file for reading. A FIFO is not waited for, and what has become a link since is not followed.
    pub fn open(&self) -> Result<File, Errno> {
        replace::open(&self.folder.descriptor, &self.name, OFlags::RDONLY)
    }
}

/// Goes to a path from `/` on.
pub fn reach(path: &Path, last: Last, ours: &AgentAccount) -> Result<Way, Errno> {
    let absolute = std::path::absolute(path).map_err(|_| Errno::NOENT)?;
    let mut walk = Walk { folder: root()?, ahead: names(&absolute), links: 0, danger: None, ours };
    let is_folder = matches!(last, Last::Folder | Last::NewFolder);
    loop {
        walk.judge(!is_folder && walk.ahead.len() == 1);
        match walk.ahead.pop_front() {
            Some(name) => {
                if let Some(name) = walk.step(name, last)? {
                    return Ok(Way { folder: walk.folder, name, danger: walk.danger });
                }
            }
            None if is_folder => {
                return Ok(Way { folder: walk.folder, name: OsString::new(), danger: walk.danger });
            }
            None => return Err(Errno::ISDIR),
        }
    }
}

struct Walk<'o> {
    folder: Folder,
    ahead: VecDeque<OsString>,
    links: usize,
    danger: Option<FolderDanger>,
    ours: &'o AgentAccount,
}

impl Walk<'_> {
    /// Judges the folder that was come to; in the file's own, the sticky bit is no excuse.
    fn judge(&mut self, is_last: bool) {
        let Ok(status) = rustix::fs::fstat(&self.folder.descriptor) else { return };
        let acl = acl(&self.folder.descriptor, &status, 0o020);
        let danger = match acl {
            Ok(acl) => folder_danger(&self.folder.path, &status, acl.as_deref(), !is_last, self.ours),
            Err(_) => folder_danger(&self.folder.path, &status, Some(&[]), !is_last, self.ours),
        };
        self.danger = self.danger.take().or(danger);
    }

    /// Takes one component; says the name of what is looked for when it is come to.
    fn step(&mut self, name: OsString, last: Last) -> Result<Option<OsString>, Errno> {
        let is_end = self.ahead.is_empty() && name != "..";
        let is_file = matches!(last, Last::File | Last::PlainFile);
        let status =
            match rustix::fs::statat(&self.folder.descriptor, name.as_os_str(), AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) if last == Last::NewFolder && self.danger.is_some() => {
                    return Ok(Some(name));
                }
                Err(Errno::NOENT) if last == Last::NewFolder => {
                    rustix::fs::mkdirat(&self.folder.descriptor, name.as_os_str(), Mode::RWXU)?;
                    return self.enter(&name).map(|()| None);
                }
                status => status?,
            };
        match FileType::from_raw_mode(status.st_mode) {
            FileType::Symlink if is_end && last == Last::PlainFile => Err(Errno::LOOP),
            FileType::Symlink => self.follow(&name, &status).map(|()| None),
            _ if is_end && is_file => Ok(Some(name)),
            FileType::Directory => self.enter(&name).map(|()| None),
            _ => Err(Errno::NOTDIR),
        }
    }

    fn enter(&mut self, name: &OsStr) -> Result<(), Errno> {
        let descriptor = rustix::fs::openat(&self.folder.descriptor, name, FOLDER, Mode::empty())?;
        let mut path = std::mem::take(&mut self.folder.path);
        if name == ".." {
            path.pop();
        } else {
            path.push(name);
        }
        self.folder = Folder { descriptor, path };
        Ok(())
    }

    fn follow(&mut self, name: &OsStr, status: &Stat) -> Result<(), Errno> {
        self.links = self.links.saturating_add(1);
        if self.links > LINKS {
            return Err(Errno::LOOP);
        }
        let target = rustix::fs::readlinkat(&self.folder.descriptor, name, Vec::new())?;
        let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
        if !self.ours.has_folder(status.st_uid) && self.danger.is_none() {
            self.danger = Some(FolderDanger::of_link(&self.folder.path.join(name), status.st_uid));
        }
        if target.is_absolute() {
            self.folder = root()?;
        }
        let mut ahead = names(&target);
        ahead.append(&mut self.ahead);
        self.ahead = ahead;
        Ok(())
    }
}

const FOLDER: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

fn root() -> Result<Folder, Errno> {
    let descriptor = rustix::fs::openat(CWD, "/", FOLDER, Mode::empty())?;
    Ok(Folder { descriptor, path: "/".into() })
}

/// The components of a path, without `/` and `.`.
fn names(path: &Path) -> VecDeque<OsString> {
    let name = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_os_string()),
        Component::ParentDir => Some("..".into()),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    };
    path.components().filter_map(name).collect()
}

/// The access list of what is open; nothing if it has none, or none that could let anybody do something.
///
/// Only lists that can give one of the group's bits `wanted` are looked at: these bits are the mask of a list.
pub(crate) fn acl(descriptor: impl AsFd, status: &Stat, wanted: u32) -> Result<Option<Vec<u8>>, Errno> {
    if status.st_mode & wanted == 0 {
        return Ok(None);
    }
    // What is open without being readable has attributes by its name in /proc only.
    let name = format!("/proc/self/fd/{}", descriptor.as_fd().as_raw_fd());
    let mut bytes = vec![0; MOST_ACL];
    match rustix::fs::getxattr(name, "system.posix_acl_access", &mut bytes[..]) {
        Ok(length) => {
            bytes.truncate(length);
            Ok(Some(bytes))
        }
        Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::NOSYS) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// Folders `good/in`, `open/in` (0777) and `sticky/in` (1777), each with a file.
    fn place() -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        for (name, mode) in [("good", 0o755), ("open", 0o777), ("sticky", 0o1777)] {
            let folder = place.path().join(name);
            fs::create_dir_all(folder.join("in")).unwrap();
            for file in [folder.join("file"), folder.join("in/file")] {
                fs::write(file, "").unwrap();
            }
            fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
        }
        place
    }

    /// What is wrong on the way, with the place left out; the system's own word if there is no way.
    fn told(place: &Path, path: &str, last: Last) -> String {
        let place = fs::canonicalize(place).unwrap();
        match reach(&place.join(path), last, &AgentAccount::of_process()) {
            Err(error) => format!("{:?}", std::io::Error::from(error).kind()),
            Ok(way) => {
                let text = way.danger.map_or_else(String::new, |danger| danger.text);
                text.rsplit_once(": ")
                    .map_or_else(|| text.clone(), |(_, reason)| reason.replace(place.to_str().unwrap(), ""))
            }
        }
    }

    /// Where to, what is looked for, and what is wrong.
    const WAYS: &str = "
        good/file            | File      |
        good/in/file         | PlainFile |
        good/near/file       | PlainFile |
        good/../good/./file  | PlainFile |
        good/link            | File      |
        good/link            | PlainFile | FilesystemLoop
        open/file            | File      | /open has the mode 0777
        open/in/file         | PlainFile | /open has the mode 0777
        open/../good/file    | File      | /open has the mode 0777
        good/away/file       | PlainFile | /open has the mode 0777
        good/there           | File      | /open has the mode 0777
        sticky/file          | File      | /sticky has the mode 1777
        sticky/in/file       | File      |
        good/loop            | File      | FilesystemLoop
        good/dangling        | File      | NotFound
        good/file/x          | File      | NotADirectory
        good/root            | Folder    |
        good/in/..           | File      | IsADirectory
        good/in/             | Folder    |
        open                 | Folder    | /open has the mode 0777
        good/new/deep        | NewFolder |
        open/new             | NewFolder | /open has the mode 0777
    ";

    #[test]
    fn every_folder_on_the_way_is_judged_and_links_by_where_they_lead() {
        let place = place();
        let at = |name: &str| place.path().join(name);
        for (target, link) in [
            ("file", "good/link"),
            ("../open/in", "good/away"),
            ("../open/in/file", "good/there"),
            ("in", "good/near"),
            ("/", "good/root"),
            ("loop", "good/loop"),
            ("nowhere", "good/dangling"),
        ] {
            symlink(target, at(link)).unwrap();
        }
        for row in WAYS.lines().filter(|line| !line.trim().is_empty()) {
            let [path, last, expected] =
                row.split('|').map(str::trim).collect::<Vec<_>>().try_into().unwrap();
            let kinds = [Last::File, Last::PlainFile, Last::Folder, Last::NewFolder];
            let kind = kinds.into_iter().find(|kind| format!("{kind:?}") == last).unwrap();
            assert_eq!(told(place.path(), path, kind), expected, "{path} {last}");
        }
        let modes = ["good/new", "good/new/deep"]
            .map(|name| fs::metadata(at(name)).unwrap().permissions().mode() & 0o777);
        assert_eq!((modes, at("open/new").exists()), ([0o700; 2], false));
    }

    #[test]
    fn a_link_of_somebody_else_is_refused_and_a_folder_of_his() {
        if !rustix::process::geteuid().is_root() {
            writeln!(std::io::stderr(), "SKIPPED a_link_of_somebody_else: needs root").unwrap();
            return;
        }
        let place = place();
        let at = |name: &str| place.path().join(name);
        symlink("in", at("sticky/link")).unwrap();
        std::os::unix::fs::lchown(at("sticky/link"), Some(65_534), None).unwrap();
        std::os::unix::fs::chown(at("good/in"), Some(65_534), None).unwrap();
        let cases = [
            ("sticky/link/file", "/sticky/link belongs to user 65534"),
            ("good/in/file", "/good/in belongs to user 65534"),
        ];
        for (path, expected) in cases {
            assert_eq!(told(place.path(), path, Last::File), expected, "{path}");
        }
    }
}

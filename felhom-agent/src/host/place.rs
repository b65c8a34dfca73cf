//! What is at a mount target, looked at without following a symbolic link.
//!
//! What is mounted there already is not asked anything: a disk that does not answer would keep the caller waiting.
//!
//! Source: `openat2(2)`, `RESOLVE_NO_SYMLINKS`; `statx(2)`, `AT_STATX_DONT_SYNC`; `mount(8)` follows a link, and creates
//! the directory where the link points to.

use std::path::{Path, PathBuf};

use proxmox_privileged::argument::MountTarget;
use proxmox_privileged::mount::Place;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, StatxFlags, openat2, statx};
use rustix::io::Errno;

/// Looks at a target and at every directory on the way to it.
pub fn place_of(target: &MountTarget) -> Place {
    place(Path::new(target.as_str()))
}

fn place(target: &Path) -> Place {
    let mut way: Vec<PathBuf> = target.ancestors().map(Path::to_path_buf).collect();
    way.reverse();
    for step in way {
        match look(&step) {
            Place::Directory => {}
            other => return other,
        }
    }
    Place::Directory
}

fn look(path: &Path) -> Place {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let opened = openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS);
    let asked = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let status = opened
        .and_then(|file| statx(&file, "", asked, StatxFlags::TYPE | StatxFlags::MODE | StatxFlags::UID));
    let kind = |mode: u16| FileType::from_raw_mode(mode.into());
    match status {
        Err(Errno::NOENT) => Place::Absent,
        Err(Errno::LOOP) => Place::Symlink,
        // Whatever cannot be looked at cannot be trusted.
        Err(_) => Place::Writable,
        Ok(status) if kind(status.stx_mode) == FileType::Symlink => Place::Symlink,
        Ok(status) if kind(status.stx_mode) != FileType::Directory => Place::NotDirectory,
        Ok(status) if status.stx_uid != 0 || status.stx_mode & 0o022 != 0 => Place::Writable,
        Ok(_) => Place::Directory,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_files_and_strangers_directories_are_told_apart() {
        let root = tempfile::tempdir_in("/var/tmp").unwrap();
        let path = |name: &str| root.path().join(name);
        fs::create_dir(path("directory")).unwrap();
        fs::write(path("file"), "").unwrap();
        symlink(path("directory"), path("link")).unwrap();
        let looked = ["directory", "file", "link", "absent"].map(|name| look(&path(name)));
        let own = if rustix::process::geteuid().is_root() { Place::Directory } else { Place::Writable };
        assert_eq!(looked, [own, Place::NotDirectory, Place::Symlink, Place::Absent]);
    }

    #[test]
    fn the_whole_way_counts() {
        let root = tempfile::tempdir_in("/var/tmp").unwrap();
        fs::create_dir(root.path().join("real")).unwrap();
        symlink(root.path().join("real"), root.path().join("link")).unwrap();
        // /var/tmp is for everybody to write.
        assert_eq!(place(&root.path().join("link/below")), Place::Writable);
        assert_eq!(place(Path::new("/usr/bin/env/x")), Place::NotDirectory);
    }
}

//! What is at a mount target, looked at without following a symbolic link.
//!
//! What is mounted there already is not asked anything: a disk that does not answer would keep the caller waiting.
//!
//! Source: `openat2(2)`, `RESOLVE_NO_SYMLINKS`; `statx(2)`, `AT_STATX_DONT_SYNC` and, since Linux 5.8,
//! `STATX_ATTR_MOUNT_ROOT`; `mount(8)` follows a link, and creates the directory where the link points to.

use std::path::Path;

use proxmox_privileged::argument::MountTarget;
use proxmox_privileged::mount::TargetPlace;
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, StatxAttributes, StatxFlags, openat2, statx,
};
use rustix::io::Errno;

/// Looks at a target and at every directory on the way to it.
pub fn place_of(target: &MountTarget) -> TargetPlace {
    place(Path::new(target.as_str()))
}

fn place(target: &Path) -> TargetPlace {
    let mut way: Vec<&Path> = target.ancestors().skip(1).collect();
    way.reverse();
    let wrong = way.into_iter().map(|step| look(step).0).find(|found| *found != TargetPlace::Directory);
    wrong.unwrap_or_else(|| match look(target) {
        (TargetPlace::Directory | TargetPlace::Writable, true) => TargetPlace::MountPoint,
        (found, _) => found,
    })
}

/// What is there, and whether it is the root of what is mounted there.
fn look(path: &Path) -> (TargetPlace, bool) {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let opened = openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS);
    let asked = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let status = opened
        .and_then(|file| statx(&file, "", asked, StatxFlags::TYPE | StatxFlags::MODE | StatxFlags::UID));
    let kind = |mode: u16| FileType::from_raw_mode(mode.into());
    let is_mounted = status.is_ok_and(|status| status.stx_attributes.contains(StatxAttributes::MOUNT_ROOT));
    let place = match status {
        Err(Errno::NOENT) => TargetPlace::Absent,
        Err(Errno::LOOP) => TargetPlace::Symlink,
        // Whatever cannot be looked at cannot be trusted.
        Err(_) => TargetPlace::Writable,
        Ok(status) if kind(status.stx_mode) == FileType::Symlink => TargetPlace::Symlink,
        Ok(status) if kind(status.stx_mode) != FileType::Directory => TargetPlace::NotDirectory,
        Ok(status) if status.stx_uid != 0 || status.stx_mode & 0o022 != 0 => TargetPlace::Writable,
        Ok(_) => TargetPlace::Directory,
    };
    (place, is_mounted)
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
        let looked = ["directory", "file", "link", "absent"].map(|name| look(&path(name)).0);
        let own =
            if rustix::process::geteuid().is_root() { TargetPlace::Directory } else { TargetPlace::Writable };
        assert_eq!(looked, [own, TargetPlace::NotDirectory, TargetPlace::Symlink, TargetPlace::Absent]);
    }

    #[test]
    fn the_whole_way_counts() {
        let root = tempfile::tempdir_in("/var/tmp").unwrap();
        fs::create_dir(root.path().join("real")).unwrap();
        symlink(root.path().join("real"), root.path().join("link")).unwrap();
        // /var/tmp is for everybody to write.
        assert_eq!(place(&root.path().join("link/below")), TargetPlace::Writable);
        assert_eq!(place(Path::new("/usr/bin/env/x")), TargetPlace::NotDirectory);
    }

    #[test]
    fn what_is_mounted_is_told_from_a_directory() {
        assert_eq!(
            ["/proc", "/proc/sys"].map(|path| place(Path::new(path))),
            [TargetPlace::MountPoint, TargetPlace::Directory]
        );
    }
}

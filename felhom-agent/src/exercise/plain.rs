//! Opens the files of the state folder, which must be plain files of one account: no link, no FIFO, nobody else's.

use std::fs::File;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

/// Largest file of the folder, in bytes.
pub(super) const MOST: u64 = 64 << 10;

/// Why a file is not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The system does not let us.
    System(Errno),
    /// It is not a plain file of the account; says what it is.
    Odd(String),
}

/// Opens a file of the folder for reading, or for locking, for which it is made if it is missing.
///
/// Nothing is followed and nothing is waited for.
pub(super) fn open(folder: &OwnedFd, name: &str, is_made: bool, owner: u32) -> Result<File, Refused> {
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(status) => refuse(&status, owner)?,
        Err(Errno::NOENT) if is_made => {}
        Err(error) => return Err(Refused::System(error)),
    }
    let flags = if is_made { OFlags::RDWR | OFlags::CREATE } else { OFlags::RDONLY };
    let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, name, flags, Mode::RUSR | Mode::WUSR).map_err(Refused::System)?;
    // It may have been replaced between the look and the opening.
    refuse(&rustix::fs::fstat(&file).map_err(Refused::System)?, owner)?;
    Ok(file.into())
}

fn refuse(status: &Stat, owner: u32) -> Result<(), Refused> {
    odd(status, owner).map_or(Ok(()), |what| Err(Refused::Odd(what)))
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

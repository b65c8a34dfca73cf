//! Reads small files without following or waiting for anything, and replaces them as a whole or not at all.
//!
//! Source: `rename(2)`, which replaces atomically; `fsync(2)`, which a rename needs on the file before and on the folder
//! after.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

/// Opens a file in a folder; one that is created is for its owner alone. A link is not followed, a FIFO not waited for.
pub fn open(folder: impl AsFd, name: impl AsRef<Path>, flags: OFlags) -> Result<File, Errno> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    openat(folder, name.as_ref(), flags, Mode::RUSR | Mode::WUSR).map(File::from)
}

/// What is in a file; nothing if that is more than `most` bytes.
pub fn read(file: &File, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| u64::try_from(bytes.len()).is_ok_and(|length| length <= most)))
}

/// Makes this all that is in a file, on the disk.
pub fn write(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes what is put in the place of another file by [`fs::rename`]. What a killed run left of it, or somebody laid
/// there, is removed.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    remove(path)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
    write(&open(rustix::fs::CWD, path, flags)?, bytes)
}

/// Removes a file, if it is there.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Writes through to the disk which files the folder of this one has.
pub fn sync_folder(of: &Path) -> io::Result<()> {
    File::open(of.parent().unwrap_or_else(|| Path::new("/")))?.sync_all()
}

//! Reads small files without following surprises: no FIFO, no device, no gigabyte.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use snafu::{ResultExt, Snafu, ensure};

/// A file's text, and who may do what with it.
#[derive(Debug)]
pub struct BoundedFile {
    /// The text.
    pub text: String,
    /// Mode bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// Why a file was not read.
#[derive(Debug, Snafu)]
#[non_exhaustive]
pub enum FileError {
    /// It cannot be opened.
    #[snafu(display("cannot be opened: {source}"))]
    Open {
        /// Why.
        source: rustix::io::Errno,
    },
    /// It is a directory, a FIFO or a device.
    #[snafu(display("is not a regular file"))]
    NotRegular,
    /// It is too large.
    #[snafu(display("is larger than {most} bytes"))]
    TooLarge {
        /// The limit in bytes.
        most: u64,
    },
    /// It cannot be read.
    #[snafu(display("cannot be read: {source}"))]
    Read {
        /// Why.
        source: std::io::Error,
    },
    /// It is not UTF-8 text.
    #[snafu(display("is not UTF-8 text"))]
    NotText,
}

impl FileError {
    /// Whether there is no such file.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Open { source: rustix::io::Errno::NOENT })
    }

    /// Whether it is there, and not for this account.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Open { source: rustix::io::Errno::ACCESS })
    }
}

/// Reads a regular file of at most `most` bytes, following symbolic links.
pub fn read_bounded(path: &Path, most: u64) -> Result<BoundedFile, FileError> {
    read(path, most, OFlags::empty())
}

/// Reads a regular file of at most `most` bytes that is not a symbolic link.
pub(super) fn read_unlinked(path: &Path, most: u64) -> Result<BoundedFile, FileError> {
    read(path, most, OFlags::NOFOLLOW)
}

fn read(path: &Path, most: u64, flags: OFlags) -> Result<BoundedFile, FileError> {
    // Without NONBLOCK, opening a FIFO would wait for a writer.
    let flags = flags | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let descriptor = rustix::fs::open(path, flags, Mode::empty()).context(OpenSnafu)?;
    let status = rustix::fs::fstat(&descriptor).context(OpenSnafu)?;
    ensure!(rustix::fs::FileType::from_raw_mode(status.st_mode).is_file(), NotRegularSnafu);
    let mut bytes = Vec::new();
    let mut file = File::from(descriptor).take(most.saturating_add(1));
    file.read_to_end(&mut bytes).context(ReadSnafu)?;
    ensure!(u64::try_from(bytes.len()).is_ok_and(|read| read <= most), TooLargeSnafu { most });
    let text = String::from_utf8(bytes).ok().ok_or(FileError::NotText)?;
    Ok(BoundedFile { text, mode: status.st_mode & 0o7777, uid: status.st_uid, gid: status.st_gid })
}

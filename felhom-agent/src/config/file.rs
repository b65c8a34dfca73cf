//! Reads small files without following surprises: no FIFO, no device, no gigabyte.

use std::path::{Path, PathBuf};

use rustix::fs::Stat;
use rustix::io::Errno;
use snafu::{OptionExt, ResultExt, Snafu, ensure};

use crate::guard::{AgentAccount, Exposure, FolderDanger, Guard, Last, acl, of_file, reach};
use crate::host::replace;

/// A file's bytes, and who else could have to do with it.
#[derive(Debug)]
pub struct BoundedFile {
    /// What is in it.
    pub bytes: Vec<u8>,
    path: PathBuf,
    status: Stat,
    acl: Option<Vec<u8>>,
    danger: Option<FolderDanger>,
}

impl BoundedFile {
    /// What is in it, as text.
    pub fn text(&self) -> Result<&str, FileError> {
        str::from_utf8(&self.bytes).ok().ok_or(FileError::NotText)
    }

    /// What somebody else can do to it, or to a folder on the way.
    pub fn exposure(&self, guard: Guard) -> Option<Exposure> {
        let ours = AgentAccount::of_process();
        of_file(&self.path, &self.status, self.acl.as_deref(), guard, &ours)
            .or_else(|| self.danger.as_ref().map(|danger| danger.exposure(&self.path, guard, &ours)))
    }
}

/// Why a file was not read.
#[derive(Debug, Snafu)]
#[non_exhaustive]
pub enum FileError {
    /// It cannot be opened.
    #[snafu(display("cannot be opened: {source}"))]
    Open {
        /// Why.
        source: Errno,
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
    /// Somebody else could have changed it.
    #[snafu(display("{}", exposure.danger))]
    Exposed {
        /// How.
        exposure: Exposure,
    },
}

impl FileError {
    /// Whether there is no such file.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Open { source: Errno::NOENT })
    }

    /// Whether it is there, and not for this account.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Open { source: Errno::ACCESS })
    }
}

/// Reads a regular file of at most `most` bytes.
pub fn read_bounded(path: &Path, most: u64, last: Last) -> Result<BoundedFile, FileError> {
    let way = match reach(path, last, &AgentAccount::of_process()) {
        Err(Errno::ISDIR) => return NotRegularSnafu.fail(),
        way => way.context(OpenSnafu)?,
    };
    let file = way.open().context(OpenSnafu)?;
    let status = rustix::fs::fstat(&file).context(OpenSnafu)?;
    ensure!(rustix::fs::FileType::from_raw_mode(status.st_mode).is_file(), NotRegularSnafu);
    // A list that cannot be looked at is none that can be understood.
    let acl = acl(&file, &status, 0o060).unwrap_or_else(|_| Some(Vec::new()));
    let bytes = replace::read(&file, most).context(ReadSnafu)?.context(TooLargeSnafu { most })?;
    Ok(BoundedFile { bytes, path: path.into(), status, acl, danger: way.danger })
}

/// Reads a file that steers where the token goes, which nobody else may be able to change.
pub fn read_guarded(path: &Path, most: u64) -> Result<BoundedFile, FileError> {
    let file = read_bounded(path, most, Last::File)?;
    match file.exposure(Guard::Steering) {
        Some(exposure) => ExposedSnafu { exposure }.fail(),
        None => Ok(file),
    }
}

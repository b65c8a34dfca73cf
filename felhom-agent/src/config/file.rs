//! Reads small files without following surprises: no FIFO, no device, no gigabyte.

use std::path::{Path, PathBuf};

use rustix::fs::Stat;
use rustix::io::Errno;

use crate::guard::{AgentAccount, Exposure, FolderDanger, Guard, Last, access_line, acl, of_file, reach};
use crate::host::replace;
use crate::report::exit::Exit;
use crate::report::finding::Finding;
use crate::report::shell::edit_line;

/// A file's bytes, and who else could have to do with it.
#[derive(Debug)]
pub(crate) struct BoundedFile {
    /// What is in it.
    pub(crate) bytes: Vec<u8>,
    path: PathBuf,
    status: Stat,
    acl: Option<Vec<u8>>,
    danger: Option<FolderDanger>,
}

impl BoundedFile {
    /// What is in it, as text.
    pub(crate) fn text(&self) -> Result<&str, FileError> {
        str::from_utf8(&self.bytes).map_err(|_| FileError::new("is not UTF-8 text"))
    }

    /// What somebody else can do to it, or to a folder on the way.
    pub(crate) fn exposure(&self, guard: Guard) -> Option<Exposure> {
        let ours = AgentAccount::of_process();
        of_file(&self.path, &self.status, self.acl.as_deref(), guard, &ours)
            .or_else(|| self.danger.as_ref().map(|danger| danger.exposure(&self.path, guard, &ours)))
    }
}

/// Why a file was not read.
#[derive(Debug)]
pub(crate) struct FileError {
    /// What is wrong, to stand behind its name.
    pub(crate) problem: String,
    /// The command that lets it be read, if it is there and can be.
    pub(crate) fix: Option<String>,
    /// Whether there is no such file.
    pub(crate) is_missing: bool,
}

impl FileError {
    fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), fix: None, is_missing: false }
    }

    fn of_opening(path: &Path, error: Errno) -> Self {
        let fix = (error == Errno::ACCESS).then(|| access_line(path));
        Self { fix, is_missing: error == Errno::NOENT, ..Self::new(format!("cannot be opened: {error}")) }
    }
}

/// Reads a regular file of at most `most` bytes.
pub(crate) fn read_bounded(path: &Path, most: u64, last: Last) -> Result<BoundedFile, FileError> {
    let irregular = || FileError::new("is not a regular file");
    let refused = |error| FileError::of_opening(path, error);
    let way = match reach(path, last, &AgentAccount::of_process()) {
        Err(Errno::ISDIR) => return Err(irregular()),
        way => way.map_err(refused)?,
    };
    let file = way.open().map_err(refused)?;
    let status = rustix::fs::fstat(&file).map_err(refused)?;
    if !rustix::fs::FileType::from_raw_mode(status.st_mode).is_file() {
        return Err(irregular());
    }
    // A list that cannot be looked at is none that can be understood.
    let acl = acl(&file, &status, 0o060).unwrap_or_else(|_| Some(Vec::new()));
    let read = replace::read(&file, most);
    let bytes = read
        .map_err(|error| FileError::new(format!("cannot be read: {error}")))?
        .ok_or_else(|| FileError::new(format!("is larger than {most} bytes")))?;
    Ok(BoundedFile { bytes, path: path.into(), status, acl, danger: way.danger })
}

/// Reads a file that steers where the token goes, which nobody else may be able to change.
pub(crate) fn read_guarded(path: &Path, most: u64) -> Result<BoundedFile, FileError> {
    let file = read_bounded(path, most, Last::File)?;
    match file.exposure(Guard::Steering) {
        Some(Exposure { danger, fix }) => Err(FileError { fix: Some(fix), ..FileError::new(danger) }),
        None => Ok(file),
    }
}

/// That the configuration cannot be used, and the command that repairs it.
pub(super) fn unusable(problem: String, fix: String) -> Box<Finding> {
    Box::new(Finding::fail(problem, fix).ending(Exit::Config))
}

/// That the value of a key is missing, or contradicts another.
pub(super) fn invalid(path: &Path, key: &str, problem: &str) -> Box<Finding> {
    unusable(format!("{}: `{key}`: {problem}", path.display()), edit_line(path))
}

//! What reading an answer has found so far, and what is left out when a part of it is read again.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::{fmt, ptr};

use serde_json::Error;

use super::{Note, Tree};
use crate::{LONGEST_SNIPPET, clean, quoted};

/// Where a value stands.
pub(super) enum Path<'a> {
    Root(&'a str),
    Key(&'a Self, &'a str),
    Index(&'a Self, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(root) => f.write_str(root),
            Self::Key(Self::Root(""), key) => f.write_str(key),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// How many values of one row may be left out. A row with more is not read at all, which bounds the work.
const MOST: usize = 100;

/// The notes, the values that are left out, and where reading has just failed.
#[derive(Default)]
pub(super) struct State<'t> {
    /// Whether a value that is unreadable, and not merely empty, may be left out.
    is_tolerant: bool,
    pub(super) notes: RefCell<Vec<Note>>,
    left_out: RefCell<Vec<LeftOut<'t>>>,
    failed: RefCell<Option<Failed<'t>>>,
    /// Whether it failed at an empty text where a number may stand, which is an absent number.
    pub(super) is_blank: Cell<bool>,
}

struct LeftOut<'t> {
    value: &'t Tree<'t>,
    note: Option<Note>,
}

struct Failed<'t> {
    path: String,
    /// The innermost value around the place that the shape can do without.
    dispensable: Option<&'t Tree<'t>>,
}

/// How much was noted and left out before something was read.
#[derive(Clone, Copy, Default)]
pub(super) struct Mark {
    notes: usize,
    left_out: usize,
}

impl<'t> State<'t> {
    pub(super) fn tolerant() -> Self {
        Self { is_tolerant: true, ..Self::default() }
    }

    pub(super) fn tell(&self, note: Note) {
        self.notes.borrow_mut().push(note);
    }

    pub(super) fn unknown(&self, path: &Path<'_>) {
        self.tell(Note::Unknown { path: clean(&path.to_string(), LONGEST_SNIPPET) });
    }

    /// Remembers the innermost place at which reading fails, and the innermost value that can be left out.
    pub(super) fn fail(&self, path: &Path<'_>, dispensable: Option<&'t Tree<'t>>) {
        let mut failed = self.failed.borrow_mut();
        let failed = failed.get_or_insert_with(|| Failed { path: path.to_string(), dispensable: None });
        failed.dispensable = failed.dispensable.or(dispensable);
    }

    /// Where reading failed.
    pub(super) fn place(&self) -> Option<String> {
        self.failed.borrow().as_ref().map(|failed| failed.path.clone())
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { notes: self.notes.borrow().len(), left_out: self.left_out.borrow().len() }
    }

    pub(super) fn is_left_out(&self, value: &Tree<'_>) -> bool {
        self.left_out.borrow().iter().any(|left| ptr::eq(left.value, value))
    }

    /// Why a value is left out; nothing for an empty one.
    pub(super) fn note_of(&self, value: &Tree<'_>) -> Option<Note> {
        let left_out = self.left_out.borrow();
        left_out.iter().find(|left| ptr::eq(left.value, value)).and_then(|left| left.note.clone())
    }

    /// After reading something failed: leaves out what it can do without, so that it can be read again. Otherwise
    /// tells where it failed.
    pub(super) fn leave_out(&self, mark: Mark, root: &Path<'_>, error: &Error) -> Result<(), String> {
        self.notes.borrow_mut().truncate(mark.notes);
        let failed = self.failed.take();
        let is_blank = self.is_blank.take();
        let mut left_out = self.left_out.borrow_mut();
        let may_grow = left_out.len().saturating_sub(mark.left_out) < MOST;
        match failed {
            Some(Failed { path, dispensable: Some(value) }) if may_grow && (is_blank || self.is_tolerant) => {
                let note = (!is_blank).then(|| unread(&path, error));
                left_out.push(LeftOut { value, note });
                Ok(())
            }
            failed => {
                left_out.truncate(mark.left_out);
                Err(failed.map_or_else(|| root.to_string(), |failed| failed.path))
            }
        }
    }

    /// Forgets what was left out of something that is now read.
    pub(super) fn finish(&self, mark: Mark) {
        self.left_out.borrow_mut().truncate(mark.left_out);
    }
}

/// The note of a value that cannot be read.
pub(super) fn unread(path: &str, error: &Error) -> Note {
    Note::Unread { path: clean(path, LONGEST_SNIPPET), reason: quoted(&error.to_string()) }
}

//! What reading an answer has found so far, and what is left out when a part of it is read again.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::fmt;

use serde_json::Error;

use super::cursor::Cursor;
use crate::{LONGEST_SNIPPET, clean, quoted};

/// What of an answer was not taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// A key that the shape does not know; of those in the rows of one list, the first.
    Unknown {
        /// Where: `data[0].new`.
        path: String,
    },
    /// A value, or a whole row, that the shape cannot read and does without.
    Unread {
        /// Where.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Where a value stands, and how it was asked for.
pub(super) struct Path<'a> {
    parent: Option<&'a Self>,
    step: Step<'a>,
    pub(super) depth: usize,
    asked: Cell<Asked>,
}

/// What leads from an object or array to a value.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

/// How a value was asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Plainly,
    AsNeeded,
    AsOptional,
    ToIgnore,
}

impl<'a> Path<'a> {
    pub(super) const fn root() -> Self {
        Self { parent: None, step: Step::Root, depth: 0, asked: Cell::new(Asked::Plainly) }
    }

    pub(super) const fn to(&'a self, step: Step<'a>) -> Self {
        let asked = Cell::new(Asked::Plainly);
        Self { parent: Some(self), step, depth: self.depth + 1, asked }
    }

    pub(super) fn was_asked(&self, asked: Asked) -> bool {
        self.asked.get() == asked
    }

    /// Remembers how the value of a key is asked for, and tells whether it is one.
    pub(super) fn ask(&self, asked: Asked) -> bool {
        let is_of_key = matches!(self.step, Step::Key(_));
        // What is needed is not made optional by its type.
        if is_of_key && (asked == Asked::ToIgnore || self.was_asked(Asked::Plainly)) {
            self.asked.set(asked);
        }
        is_of_key
    }

    /// What is the same for a key in all rows of a list.
    fn hash(&self) -> u64 {
        // FNV-1a.
        let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        let parent = self.parent.map_or(0xcbf2_9ce4_8422_2325, Self::hash);
        match self.step {
            Step::Key(key) => key.as_bytes().iter().fold(mix(parent, &b'.'), mix),
            Step::Root | Step::Index(_) => mix(parent, &b'['),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Key(key) if self.depth == 1 => f.write_str(key),
            Step::Key(key) => write!(f, ".{key}"),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// How many values of one row may be left out. A row with more is not read at all, which bounds the work.
const MOST: usize = 100;

/// The text, the notes, the values that are left out, and where reading has just failed.
pub(super) struct State<'t> {
    pub(super) cursor: Cursor<'t>,
    /// Whether a value that is unreadable, and not merely empty, may be left out.
    is_tolerant: bool,
    /// Each with the hash of its path if it is about an unknown key.
    notes: RefCell<Vec<(Option<u64>, Note)>>,
    /// The unknown keys among the notes.
    known: RefCell<BTreeSet<u64>>,
    left_out: RefCell<Vec<Omission>>,
    failed: RefCell<Option<Failed>>,
    /// Whether it failed at something that is silently left out: an empty text where a number may stand, which is an
    /// absent number, or a value whose key comes again.
    pub(super) is_void: Cell<bool>,
}

/// A value that is left out.
#[derive(Clone)]
pub(super) struct Omission {
    at: usize,
    /// Why; nothing for one that counts as absent.
    pub(super) note: Option<Note>,
}

struct Failed {
    path: String,
    /// Where the innermost value around the place begins that the shape can do without.
    dispensable: Option<usize>,
}

/// How much was noted and left out before something was read.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    at: usize,
    notes: usize,
    left_out: usize,
}

impl<'t> State<'t> {
    pub(super) const fn new(text: &'t str, is_tolerant: bool) -> Self {
        Self {
            cursor: Cursor::new(text),
            is_tolerant,
            notes: RefCell::new(Vec::new()),
            known: RefCell::new(BTreeSet::new()),
            left_out: RefCell::new(Vec::new()),
            failed: RefCell::new(None),
            is_void: Cell::new(false),
        }
    }

    pub(super) fn notes(self) -> impl Iterator<Item = Note> {
        self.notes.into_inner().into_iter().map(|(_, note)| note)
    }

    pub(super) fn tell(&self, note: Option<Note>) {
        self.notes.borrow_mut().extend(note.map(|note| (None, note)));
    }

    pub(super) fn unknown(&self, path: &Path<'_>) {
        let hash = path.hash();
        if self.known.borrow_mut().insert(hash) {
            let path = clean(&path.to_string(), LONGEST_SNIPPET);
            self.notes.borrow_mut().push((Some(hash), Note::Unknown { path }));
        }
    }

    /// Remembers the innermost place at which reading fails, and the innermost value that can be left out.
    pub(super) fn fail(&self, path: &Path<'_>, dispensable: Option<usize>) {
        let mut failed = self.failed.borrow_mut();
        let failed = failed.get_or_insert_with(|| Failed { path: path.to_string(), dispensable: None });
        failed.dispensable = failed.dispensable.or(dispensable);
    }

    /// Remembers that reading fails because of a value that counts as absent.
    pub(super) fn void(&self, path: &Path<'_>, at: usize) {
        self.fail(path, None);
        if let Some(failed) = self.failed.borrow_mut().as_mut() {
            failed.dispensable = Some(at);
        }
        self.is_void.set(true);
    }

    /// Where reading failed.
    pub(super) fn place(&self) -> String {
        self.failed.take().map(|failed| failed.path).unwrap_or_default()
    }

    pub(super) fn mark(&self) -> Mark {
        let (notes, left_out) = (self.notes.borrow().len(), self.left_out.borrow().len());
        Mark { at: self.cursor.at(), notes, left_out }
    }

    /// What is left out at a place.
    pub(super) fn left_out(&self, at: usize) -> Option<Omission> {
        self.left_out.borrow().iter().find(|left| left.at == at).cloned()
    }

    /// After reading something failed: goes back to where it begins and leaves out what it can do without, so that it
    /// can be read again. Otherwise tells where it failed.
    pub(super) fn leave_out(&self, mark: Mark, root: &Path<'_>, error: &Error) -> Result<(), String> {
        self.cursor.go(mark.at);
        for hash in self.notes.borrow_mut().drain(mark.notes..).filter_map(|(hash, _)| hash) {
            self.known.borrow_mut().remove(&hash);
        }
        let (failed, is_void) = (self.failed.take(), self.is_void.take());
        let mut left_out = self.left_out.borrow_mut();
        let may_grow = left_out.len().saturating_sub(mark.left_out) < MOST && !self.cursor.is_broken();
        match failed {
            Some(Failed { path, dispensable: Some(at) }) if may_grow && (is_void || self.is_tolerant) => {
                let note = (!is_void).then(|| unread(&path, error));
                left_out.push(Omission { at, note });
                Ok(())
            }
            failed => {
                left_out.truncate(mark.left_out);
                // What is not JSON has no places.
                let place = || failed.map_or_else(|| root.to_string(), |failed| failed.path);
                Err(if self.cursor.is_broken() { String::new() } else { place() })
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

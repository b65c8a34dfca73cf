//! The shape of a command line: literal words and slots for arguments, with what else is known of the command.
//!
//! A slot names the type of its argument, which brings the grammar for sudoers, and where its value is found. Each
//! shape stands beside the function that runs it, and is listed in `sudoers.rs`.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::command::grammar::{Argument, Grammar};
use crate::command::{Command, Privilege, Program};

use Part::Text;

/// One command line with slots. `T` has the values that fill them.
pub(crate) struct Shape<T: 'static> {
    pub(crate) program: Program,
    pub(crate) privilege: Privilege,
    /// Whether it changes something.
    pub(crate) changes: bool,
    /// How long it may take.
    pub(crate) seconds: u64,
    /// What it is for, for the log and for whoever reads the drop-in.
    pub(crate) purpose: &'static str,
    pub(crate) words: &'static [&'static [Part<T>]],
}

pub(crate) enum Part<T: 'static> {
    Text(&'static str),
    Slot { grammar: &'static Grammar, value: fn(&T) -> &dyn Value },
}

/// What can fill a slot: an [`Argument`], and nothing else.
pub(crate) trait Value: fmt::Display {}

impl<A: Argument> Value for A {}

/// A slot for an argument of this type.
pub(crate) const fn slot<A: Argument, T>(value: fn(&T) -> &dyn Value) -> Part<T> {
    Part::Slot { grammar: A::GRAMMAR, value }
}

impl<T> Shape<T> {
    /// The command with its slots filled.
    pub(crate) fn command(&self, values: &T) -> Command {
        let filled = |part: &Part<T>| match part {
            Text(text) => (*text).to_owned(),
            Part::Slot { value, .. } => value(values).to_string(),
        };
        let args = self.words.iter().map(|word| word.iter().map(filled).collect()).collect();
        Command {
            program: self.program,
            privilege: self.privilege,
            changes: self.changes,
            limit: Duration::from_secs(self.seconds),
            purpose: self.purpose,
            args,
        }
    }
}

/// What the drop-in says of a command, whatever fills its slots.
pub(crate) struct CommandRow {
    pub(crate) program: Program,
    pub(crate) privilege: Privilege,
    /// How long it may take.
    pub(crate) seconds: u64,
    /// What it is for.
    pub(crate) purpose: &'static str,
    /// The arguments, joined by blanks, as a POSIX extended regular expression without anchors.
    pub(crate) regex: String,
}

impl<T> Shape<T> {
    /// What the drop-in says of it.
    pub(crate) fn row(&self) -> CommandRow {
        let regex = |part: &Part<T>| match part {
            Text(text) => Grammar::Text(text).regex(),
            Part::Slot { grammar, .. } => grammar.regex(),
        };
        let words = self.words.iter().map(|word| word.iter().map(regex).collect());
        let regex = words.collect::<Vec<String>>().join(" ");
        let Self { program, privilege, seconds, purpose, .. } = *self;
        CommandRow { program, privilege, seconds, purpose, regex }
    }
}

//! What an argument may look like, said once: the check of its type and the regular expression of sudoers both come
//! from here.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A regular language over ASCII.
#[derive(Debug)]
pub(crate) enum Grammar {
    /// This text.
    Text(&'static str),
    /// So many bytes, at least and at most, of a class that is written as between brackets: `a-z0-9_-`.
    Bytes(&'static str, usize, usize),
    /// One after the other.
    All(&'static [Self]),
    /// Any one.
    Any(&'static [Self]),
    /// Once or not at all.
    Maybe(&'static Self),
}

use Grammar::{All, Any, Bytes, Maybe, Text};

/// A type with a grammar, which makes it fit for a slot of a command line.
pub(crate) trait Argument: fmt::Display {
    /// What its text may look like.
    const GRAMMAR: &'static Grammar;
}

/// No upper bound.
pub(crate) const MANY: usize = usize::MAX;

impl Grammar {
    /// Longest text that is looked at. No argument needs half of it.
    const LONGEST: usize = 1024;

    /// Whether the whole text is in the language.
    pub(crate) fn accepts(&self, text: &str) -> bool {
        text.len() <= Self::LONGEST && self.ends(text.as_bytes(), &[0]).contains(&text.len())
    }

    /// Every place where a match can end that begins at one of the given places.
    fn ends(&self, text: &[u8], starts: &[usize]) -> Vec<usize> {
        let mut ends: Vec<usize> = match self {
            Text(literal) => {
                let fits = |start: &&usize| {
                    text.get(**start..).is_some_and(|rest| rest.starts_with(literal.as_bytes()))
                };
                starts.iter().filter(fits).map(|start| start + literal.len()).collect()
            }
            Bytes(class, least, most) => starts
                .iter()
                .flat_map(|start| {
                    let rest = text.iter().skip(*start).take(*most);
                    let run = rest.take_while(|byte| holds(class, **byte)).count();
                    (*least..=run).map(move |length| start + length)
                })
                .collect(),
            All(parts) => parts.iter().fold(starts.into(), |ends, part| part.ends(text, &ends)),
            Any(parts) => parts.iter().flat_map(|part| part.ends(text, starts)).collect(),
            Maybe(part) => [starts, &part.ends(text, starts)].concat(),
        };
        ends.sort_unstable();
        ends.dedup();
        ends
    }

    /// The language as a POSIX extended regular expression without anchors.
    pub(crate) fn regex(&self) -> String {
        let joined =
            |parts: &[Self], between: &str| parts.iter().map(Self::regex).collect::<Vec<_>>().join(between);
        match self {
            Text(literal) => literal.replace('.', r"\."),
            Bytes(class, 1, 1) => format!("[{class}]"),
            Bytes(class, 0, MANY) => format!("[{class}]*"),
            Bytes(class, 0, 1) => format!("[{class}]?"),
            Bytes(class, least, most) if least == most => format!("[{class}]{{{least}}}"),
            Bytes(class, least, most) => format!("[{class}]{{{least},{most}}}"),
            All(parts) => joined(parts, ""),
            Any(parts) => format!("({})", joined(parts, "|")),
            Maybe(part) => format!("({})?", part.regex()),
        }
    }
}

/// Whether a class, written as between brackets, holds the byte.
fn holds(class: &str, byte: u8) -> bool {
    let mut rest = class.as_bytes();
    loop {
        rest = match rest {
            [first, b'-', last, ..] if (first..=last).contains(&&byte) => return true,
            [_, b'-', _, rest @ ..] => rest,
            [one, ..] if *one == byte => return true,
            [_, rest @ ..] => rest,
            [] => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_holds_its_ranges_and_its_single_bytes() {
        let held = [b'a', b'z', b'5', b'_', b'-', b'A', b'/', b' '].map(|byte| holds("a-z0-9_-", byte));
        assert_eq!(held, [true, true, true, true, true, false, false, false]);
    }

    #[test]
    fn a_match_may_have_to_give_bytes_back() {
        let grammar = All(&[Bytes("a.", 1, 9), Text(".a"), Maybe(&Text("b")), Bytes("c", 2, 3)]);
        let verdicts =
            ["a.acc", "a.a.abccc", "a.acccc", "a.a", ".acc", "a.abbcc", ""].map(|text| grammar.accepts(text));
        assert_eq!(verdicts, [true, true, false, false, false, false, false]);
    }

    #[test]
    fn a_grammar_prints_as_an_extended_regular_expression() {
        let grammar = All(&[
            Text("x.y"),
            Any(&[Bytes("a-z", 1, 1), Bytes("0-9", 2, 2), Bytes("0-9", 2, 8)]),
            Maybe(&Text("z")),
            Bytes("a", 0, MANY),
            Bytes("b", 0, 1),
        ]);
        assert_eq!(grammar.regex(), r"x\.y([a-z]|[0-9]{2}|[0-9]{2,8})(z)?[a]*[b]?");
    }
}

//! How much of what a server says an error keeps.
//!
//! All of it passes through [`clean`] where it enters an error, so nothing behind it has to care.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use proxmox_types::{LONGEST_SNIPPET, clean};
use serde::{Deserialize, Deserializer};

/// Longest text of an error that is kept, in bytes.
pub(crate) const LONGEST_TEXT: usize = 4096;

/// Longest line of a log that is kept, in bytes.
pub(crate) const LONGEST_LINE: usize = LONGEST_TEXT / 4;

/// What stands for the rest of a text.
const DOTS: &str = "...";

/// The last of these lines that fit into one text.
pub(crate) fn last_lines(lines: impl DoubleEndedIterator<Item = String>) -> Vec<String> {
    let mut room = LONGEST_TEXT;
    let mut last: Vec<String> = lines
        .rev()
        .map(|line| clean(&line, LONGEST_LINE))
        .take_while(|line| {
            let fits = line.len() <= room;
            room = room.saturating_sub(line.len());
            fits
        })
        .collect();
    last.reverse();
    last
}

/// A value in the body of an error that should be a text, clean.
pub(super) struct Text(pub(super) String);

/// Texts by parameter, clean, as many as fit.
#[derive(Default)]
pub(super) struct Fields(pub(super) BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(clean(text.trim(), LONGEST_TEXT)))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (mut fields, mut room, mut left_out) = (BTreeMap::new(), LONGEST_TEXT, 0_u64);
        for (name, Text(text)) in BTreeMap::<String, Text>::deserialize(deserializer)? {
            let name = clean(&name, LONGEST_SNIPPET);
            let size = name.len().saturating_add(text.len());
            if size > room || left_out > 0 {
                left_out += 1;
                continue;
            }
            room = room.saturating_sub(size);
            fields.insert(name, text);
        }
        if left_out > 0 {
            fields.insert(DOTS.into(), alloc::format!("{left_out} more are left out"));
        }
        Ok(Self(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_as_far_as_they_fit() {
        let lines = |count: usize, length: usize| {
            (0..count).map(move |at| alloc::format!("{at}{}", "x".repeat(length)))
        };
        assert_eq!(last_lines(lines(20, 50)).len(), 20);
        let long = last_lines(lines(20, 9_000_000));
        assert!(long.len() == 4 && long.iter().all(|line| line.len() <= 1024), "{}", long.len());
        assert!(long.last().is_some_and(|line| line.starts_with("19x")));
    }
}

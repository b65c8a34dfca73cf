//! Text of others, as it may be shown: bounded, without what could drive a terminal, without tokens.

mod redact;

pub(crate) use redact::uuid;
pub use redact::{redact, redact_strictly};

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

use snafu::Snafu;

/// Longest piece of an answer that an error quotes, in bytes.
pub const LONGEST_SNIPPET: usize = 200;

/// What stands for the rest of a text.
const DOTS: &str = "...";

/// The beginning of a text of somebody else, in at most so many bytes.
///
/// Characters that control a terminal, turn the direction of writing or cannot be seen are escaped as Rust does it, and
/// what looks like the secret of a token is cut out.
///
/// ```
/// assert_eq!(proxmox_types::clean("no\u{202e}\nsuch \u{1b}[2Jnode", 40), "no\\u{202e}\\nsuch \\u{1b}[2Jnode");
/// assert_eq!(proxmox_types::clean("abcdefghij", 8), "abcde...");
/// ```
pub fn clean(text: &str, most: usize) -> String {
    let looked_at = text.floor_char_boundary(most);
    let (head, rest) = text.split_at_checked(looked_at).unwrap_or((text, ""));
    let mut shown = String::new();
    let mut kept = 0;
    for character in redact(head).chars() {
        if is_invisible(character) || matches!(character, '\n' | '\r' | '\t') {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
        if shown.len() > most {
            break;
        }
        if shown.len().saturating_add(DOTS.len()) <= most {
            kept = shown.len();
        }
    }
    if !rest.is_empty() || shown.len() > most {
        shown.truncate(kept);
        shown.push_str(DOTS);
    }
    shown
}

/// The reason of an unreadable answer. A long value is cut, but not what stands behind it: what was expected, and where.
pub fn quoted(reason: &str) -> String {
    const EXPECTED: &str = ", expected ";
    match reason.rsplit_once(EXPECTED) {
        Some((value, expected)) => {
            let value = clean(value, LONGEST_SNIPPET);
            alloc::format!("{value}{EXPECTED}{}", clean(expected, LONGEST_SNIPPET))
        }
        None => clean(reason, LONGEST_SNIPPET),
    }
}

/// Text that does not follow the grammar of what it was meant to be.
///
/// The message quotes the text, so no type that may hold a secret uses this error.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
#[snafu(display("{text:?} is not {what}: {rule}"))]
pub struct Malformed {
    what: &'static str,
    text: String,
    rule: &'static str,
}

impl Malformed {
    /// Longest piece of the offending text that is quoted.
    const QUOTED: usize = 120;

    /// The error of a text that was meant to be `what`, with its article, and breaks `rule`.
    pub fn new(what: &'static str, text: &str, rule: &'static str) -> Self {
        let text =
            text.get(..Self::QUOTED).map_or_else(|| text.to_owned(), |head| alloc::format!("{head}..."));
        Self { what, text, rule }
    }

    /// What the text was meant to be, with its article: "a VMID".
    pub const fn what(&self) -> &'static str {
        self.what
    }

    /// The rule that the text breaks.
    pub const fn rule(&self) -> &'static str {
        self.rule
    }
}

/// A character that stands where it cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stray {
    /// The character.
    pub character: char,
    /// Which one it is of the text, from 1.
    pub position: usize,
}

impl fmt::Display for Stray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "U+{:04X}, as character {}", u32::from(self.character), self.position)
    }
}

/// Formats, fillers, joiners and selectors, which no font shows, by first and last number.
///
/// Source: Unicode 16, `Default_Ignorable_Code_Point` and the category `Cf`, with the interlinear and blank ones.
const UNSEEN: [(u32, u32); 24] = [
    (0x00ad, 0x00ad),
    (0x034f, 0x034f),
    (0x0600, 0x0605),
    (0x061c, 0x061c),
    (0x06dd, 0x06dd),
    (0x070f, 0x070f),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x2028, 0x202e),
    (0x2060, 0x206f),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffb),
    (0x110bd, 0x110bd),
    (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a),
    (0xe0000, 0xe007f),
    (0xe0080, 0xe00ff),
    (0xe0100, 0xe0fff),
];

/// Whether the character cannot be seen: no font shows it, or it looks like a blank and is none, or it controls.
///
/// A blank, a tab and a line's end can be seen.
///
/// ```
/// assert!(proxmox_types::is_invisible('\u{200b}'));
/// assert!(!proxmox_types::is_invisible('é'));
/// ```
pub fn is_invisible(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control() && !matches!(character, '\t' | '\n' | '\r');
    }
    let number = u32::from(character);
    character.is_control()
        || character.is_whitespace()
        || UNSEEN.iter().any(|(first, last)| (*first..=*last).contains(&number))
}

/// The first character of a text that cannot be seen.
///
/// ```
/// let stray = proxmox_types::first_invisible("pve\u{feff}1").unwrap();
/// assert_eq!(stray.to_string(), "U+FEFF, as character 4");
/// ```
pub fn first_invisible(text: &str) -> Option<Stray> {
    first(text, is_invisible)
}

/// The first character of a text that is like that.
pub(crate) fn first(text: &str, is_stray: impl Fn(char) -> bool) -> Option<Stray> {
    let mut characters = (1_usize..).zip(text.chars());
    characters
        .find(|(_, character)| is_stray(*character))
        .map(|(position, character)| Stray { character, position })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_drive_a_terminal_or_hide_is_escaped() {
        let rows = [
            ("a\u{0}b\u{7}c\u{1b}]0;x\u{7f}", "a\\u{0}b\\u{7}c\\u{1b}]0;x\\u{7f}"),
            ("\u{80}\u{9b}31m\u{9f}", "\\u{80}\\u{9b}31m\\u{9f}"),
            ("\u{202a}\u{202e}\u{2066}\u{2069}", "\\u{202a}\\u{202e}\\u{2066}\\u{2069}"),
            ("\u{200e}\u{200f}\u{61c}", "\\u{200e}\\u{200f}\\u{61c}"),
            ("\u{200b}\u{200d}\u{2060}\u{feff}\u{ad}", "\\u{200b}\\u{200d}\\u{2060}\\u{feff}\\u{ad}"),
            ("\u{e0041}\u{2028}\u{fff9}", "\\u{e0041}\\u{2028}\\u{fff9}"),
            ("one\r\n\ttwo", "one\\r\\n\\ttwo"),
            ("Zürich 漢字 🙂 'x' \"y\" \\n", "Zürich 漢字 🙂 'x' \"y\" \\n"),
            ("", ""),
        ];
        for (text, shown) in rows {
            assert_eq!(clean(text, 4096), shown);
        }
    }

    #[test]
    fn a_text_is_bounded_whatever_it_consists_of() {
        for piece in ["a", "ü", "漢", "🙂", "\u{202e}", "\n", "\u{10ffff}", "x@pve!y=z ", "\\"] {
            for most in [3, 4, 5, 17, LONGEST_SNIPPET, 4096] {
                let shown = clean(&piece.repeat(5000), most);
                assert!(shown.len() <= most && shown.ends_with(DOTS), "{piece:?} {most}: {}", shown.len());
            }
            let shown = clean(piece, LONGEST_SNIPPET);
            assert!(!shown.ends_with(DOTS), "{shown}");
        }
        assert_eq!([clean("abc", 3), clean("abcd", 3)], ["abc", "..."]);
    }

    #[test]
    fn tokens_of_whomever_are_cut_out() {
        let uuid = "12345678-1234-1234-1234-123456789abc";
        let text = alloc::format!("no such {}felhom@pve!agent={uuid}", "x".repeat(170));
        for most in 178..240 {
            assert!(!clean(&text, most).contains("12345"), "{most}");
        }
    }

    #[test]
    fn what_was_expected_is_kept_behind_a_long_value() {
        let reason =
            alloc::format!("invalid type: string \"{}\", expected u64 at line 1 column 9", "9".repeat(9000));
        let shown = quoted(&reason);
        assert!(shown.ends_with("..., expected u64 at line 1 column 9") && shown.len() < 250, "{shown}");
        assert_eq!(quoted("EOF while parsing"), "EOF while parsing");
        assert!(quoted(&", expected ".repeat(9000)).len() < 450);
    }

    #[test]
    fn what_no_font_shows_is_invisible_and_letters_are_not() {
        let unseen = "\u{0}\u{1b}\u{7f}\u{85}\u{a0}\u{ad}\u{34f}\u{61c}\u{180e}\u{2003}\u{200b}\u{200d}\u{200f}\
                      \u{2028}\u{202e}\u{202f}\u{2060}\u{2066}\u{2800}\u{3000}\u{3164}\u{fe0f}\u{feff}\u{fffb}\u{e0041}";
        let missed: alloc::vec::Vec<char> = unseen.chars().filter(|c| !is_invisible(*c)).collect();
        assert_eq!(missed, []);
        assert_eq!(first_invisible("aZ09 !~\t\r\nßéЖ漢🙂–“"), None);
    }
}

//! Characters that nobody sees, and that make two texts differ which look the same.

use core::fmt;

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
///
/// ```
/// # use proxmox_types::is_invisible;
/// assert!(is_invisible('\u{feff}') && !is_invisible('a'));
/// ```
pub fn is_invisible(character: char) -> bool {
    let number = u32::from(character);
    let is_seen_blank = matches!(character, ' ' | '\t' | '\n' | '\r');
    !is_seen_blank
        && (character.is_control()
            || character.is_whitespace()
            || UNSEEN.iter().any(|(first, last)| (*first..=*last).contains(&number)))
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
    fn what_no_font_shows_is_invisible_and_letters_are_not() {
        let unseen = "\u{0}\u{1b}\u{7f}\u{85}\u{a0}\u{ad}\u{34f}\u{61c}\u{180e}\u{2003}\u{200b}\u{200d}\u{200f}\
                      \u{2028}\u{202e}\u{202f}\u{2060}\u{2066}\u{2800}\u{3000}\u{3164}\u{fe0f}\u{feff}\u{fffb}\u{e0041}";
        let missed: alloc::vec::Vec<char> = unseen.chars().filter(|c| !is_invisible(*c)).collect();
        assert_eq!(missed, []);
        assert_eq!(first_invisible("aZ09 !~\t\r\nßéЖ漢🙂–“"), None);
    }
}

//! What may go to a terminal, and whether in colour.

use std::fmt;
use std::io::IsTerminal;

use clap::ValueEnum;
use proxmox_types::{clean, is_invisible};

use crate::config::Environment;

/// When text is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set or the terminal is dumb.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether what goes to this stream is coloured.
    pub fn is_on(self, stream: &impl IsTerminal, environment: &Environment) -> bool {
        let value = |name: &str| environment.get(name).unwrap_or_default();
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if !value("NO_COLOR").is_empty() => false,
            Self::Auto if !["", "0"].contains(&value("CLICOLOR_FORCE")) => true,
            Self::Auto => stream.is_terminal() && value("TERM") != "dumb",
        }
    }
}

/// Longest line that is printed of a text, in bytes: names, notes and log lines come from servers and containers.
const LONGEST: usize = 8192;

/// Text as one line that drives no terminal and hides nothing.
pub fn plain(text: &str) -> String {
    clean(text, LONGEST)
}

/// A number of things, in words.
pub fn counted(number: impl fmt::Display + PartialEq + From<u8> + Copy, what: &str) -> String {
    format!("{number} {what}{}", if number == 1.into() { "" } else { "s" })
}

/// A JSON document for people and programs: the same with what could drive a terminal as `\\uXXXX`, which JSON reads as
/// the character that it stands for.
pub fn document(document: &impl fmt::Display) -> String {
    let mut text = String::new();
    for character in format!("{document:#}").chars() {
        if character == '\n' || !is_invisible(character) {
            text.push(character);
        } else {
            let mut buffer = [0; 2];
            let units = character.encode_utf16(&mut buffer).iter();
            text.extend(units.map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_drive_a_terminal_is_escaped() {
        assert_eq!(plain("a\u{1b}[31mb\u{9b}c\u{202e}d\ne"), "a\\u{1b}[31mb\\u{9b}c\\u{202e}d\\ne");
        assert!(plain(&"x".repeat(1 << 20)).len() <= LONGEST);
    }

    #[test]
    fn a_document_is_the_same_json_without_what_could_drive_a_terminal() {
        for text in
            ["\u{9b}31m", "\u{202e}\u{2066}", "\u{200b}\u{feff}", "\u{e0041}", "\u{7f}\u{1b}\n", "é漢🙂"]
        {
            let value = serde_json::json!({ text: [text, 1] });
            let shown = document(&value);
            assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
            assert!(!shown.contains(is_invisible), "{shown}");
        }
    }

    #[test]
    fn variables_decide_where_the_flag_does_not() {
        let with = |name: &str| [(name.to_string(), "1".to_string())].into_iter().collect::<Environment>();
        let none = Environment::default();
        let file = std::fs::File::open("/dev/null").unwrap();
        let verdicts = [
            Color::Auto.is_on(&file, &none),
            Color::Auto.is_on(&file, &with("CLICOLOR_FORCE")),
            Color::Always.is_on(&file, &with("NO_COLOR")),
            Color::Never.is_on(&file, &with("CLICOLOR_FORCE")),
        ];
        assert_eq!(verdicts, [false, true, true, false]);
    }
}

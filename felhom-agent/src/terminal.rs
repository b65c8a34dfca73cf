//! What may go to a terminal, and whether in colour.

use std::io::IsTerminal;

use clap::ValueEnum;

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
        let is_set = |name: &str| environment.get(name).is_some_and(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if is_set("NO_COLOR") => false,
            Self::Auto
                if environment.get("CLICOLOR_FORCE").is_some_and(|value| !["", "0"].contains(&value)) =>
            {
                true
            }
            Self::Auto => stream.is_terminal() && environment.get("TERM") != Some("dumb"),
        }
    }
}

/// Text without characters that could drive a terminal: names, notes and log lines come from containers.
pub fn plain(text: &str) -> String {
    let is_harmless = |c: char| {
        let is_control = c.is_control();
        let is_direction =
            matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        !is_control && !is_direction
    };
    text.chars().map(|c| if is_harmless(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_drive_a_terminal_is_replaced() {
        assert_eq!(plain("a\u{1b}[31mb\u{9b}c\u{202e}d\ne"), "a\u{fffd}[31mb\u{fffd}c\u{fffd}d\u{fffd}e");
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

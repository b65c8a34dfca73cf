//! The error of every parser of a text: what it was meant to be, the text, and the rule that it breaks.

use alloc::borrow::ToOwned;
use alloc::string::String;

use snafu::Snafu;

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

//! A command that came to no result: one line on stderr, and in JSON one document on stdout.

use serde_json::json;

use super::{Common, Output, print, print_error};
use crate::exit::Exit;

/// Why there is no result, and how the run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) text: String,
    pub(super) exit: Exit,
}

impl Problem {
    pub(super) fn new(text: impl Into<String>, exit: Exit) -> Self {
        Self { text: text.into(), exit }
    }

    /// Prints it.
    pub(super) fn tell(&self, common: &Common) -> Exit {
        print_error(&format!("felhom-agent: {}", crate::terminal::plain(&self.text)));
        if common.output == Output::Json {
            let document =
                json!({ "schema": "felhom.problem/1", "problem": self.text, "exit": self.exit.code() });
            print(&format!("{document:#}\n"));
        }
        self.exit
    }
}

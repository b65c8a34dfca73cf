//! What a command came to: a result on stdout, or a problem on stderr and, in JSON, on stdout as well.

use serde_json::{Value, json};

use super::{Common, Output, print, print_error};
use crate::exit::Exit;

/// Prints a result as it is wanted, and says how the run ends.
pub(super) fn tell(common: &Common, text: &str, document: &Value, exit: Exit) -> Exit {
    let printed = match common.output {
        Output::Text => print(text),
        Output::Json => print(&format!("{document:#}\n")),
    };
    Exit::of([printed, exit])
}

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
            return Exit::of([print(&format!("{document:#}\n")), self.exit]);
        }
        self.exit
    }
}

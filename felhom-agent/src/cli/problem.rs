//! What a command came to: a result on stdout, or a problem on stderr and, in JSON, on stdout as well.

use serde_json::{Value, json};

use super::{Common, Output, print, print_error};
use crate::report::exit::Exit;
use crate::report::finding::Finding;
use crate::report::terminal::{self, plain};

/// Prints a result as it is wanted, and says how the run ends.
pub(super) fn tell(common: &Common, text: &str, document: &Value, exit: Exit) -> Exit {
    let printed = match common.output {
        Output::Text => print(text),
        Output::Json => print(&terminal::document(document)),
    };
    Exit::of([printed, exit])
}

/// Why there is no result, and how the run ends.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Problem {
    finding: Box<Finding>,
    exit: Exit,
}

impl Problem {
    pub(super) fn new(text: impl Into<String>, exit: Exit) -> Self {
        Self::of(Finding::skip(text), exit)
    }

    /// One that may say why, and what repairs it.
    pub(super) fn of(finding: Finding, exit: Exit) -> Self {
        Self { exit: finding.exit.unwrap_or(exit), finding: Box::new(finding) }
    }

    /// Prints it.
    pub(super) fn tell(&self, common: &Common) -> Exit {
        print_problem(&self.finding);
        if common.output == Output::Json {
            let mut document = json!({
                "schema": "felhom.problem/1", "problem": self.finding.summary, "exit": self.exit.code(),
            });
            let Finding { fix, look, .. } = &*self.finding;
            let commands = [("fix", fix), ("look", look)].into_iter().filter(|(_, lines)| !lines.is_empty());
            if let Some(fields) = document.as_object_mut() {
                fields.extend(commands.map(|(key, lines)| (key.into(), json!(lines))));
            }
            return Exit::of([print(&terminal::document(&document)), self.exit]);
        }
        self.exit
    }
}

/// Prints what stands in the way on stderr, why, and what repairs it.
pub(super) fn print_problem(problem: &Finding) {
    print_error(&format!("felhom-agent: {}", plain(&problem.summary)));
    let why = problem.detail.iter().flat_map(|detail| detail.lines()).map(|line| ("why", line));
    let lines = why.chain(problem.commands());
    lines.for_each(|(label, line)| print_error(&format!("  {label:4} {}", plain(line))));
}

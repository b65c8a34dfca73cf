//! A runner that follows a script, and the recordings it plays. Tests only.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use mockall::Sequence;

pub(crate) use crate::now::now;
use crate::runner::MockRunner;
use crate::{CommandEnd, CommandOutput, RunError};

/// A command line and what comes of it.
pub(crate) type Step<'a> = (&'a str, Result<CommandOutput, RunError>);

/// A runner that expects exactly these command lines, in this order.
pub(crate) fn scripted(steps: Vec<Step<'_>>) -> MockRunner {
    let mut runner = MockRunner::new();
    let mut order = Sequence::new();
    for (line, end) in steps {
        let line = String::from(line);
        runner
            .expect_run()
            .times(1)
            .in_sequence(&mut order)
            .withf(move |command| format!("{command}") == line)
            .return_once(|_| Box::pin(async { end }));
    }
    runner
}

/// A process that exited.
pub(crate) fn exited(status: i32, stdout: &str, stderr: &str) -> CommandOutput {
    CommandOutput { end: CommandEnd::Exit(status), stderr: stderr.into(), ..stdout.into() }
}

/// The text of a file in `fixtures/`.
pub(crate) fn recording(path: &str) -> String {
    let path = format!("{}/fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Asserts that every input (`< `) in a file of cases (`# NAME`) comes down to the line below it (`> `).
pub(crate) fn assert_cases(path: &str, told: impl Fn(&str) -> String) {
    let text = recording(path);
    let mut lines = text.lines().peekable();
    let (mut name, mut wrong) = ("", Vec::new());
    while let Some(line) = lines.next() {
        let is_expected = |next: &&str| next.starts_with("> ");
        match (line.strip_prefix("< "), lines.next_if(is_expected)) {
            (Some(input), Some(expected)) if format!("> {}", told(input)) != expected => {
                wrong.push(format!("# {name}\n< {input}\n> {}", told(input)));
            }
            _ => name = line.strip_prefix("# ").unwrap_or(name),
        }
    }
    assert!(wrong.is_empty(), "{path}:\n{}", wrong.join("\n"));
}

//! `ci`: everything that must hold before a change is merged, in one list.

use std::iter;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use clap::Args;
use snafu::{OptionExt, ResultExt, Whatever};

/// What `cargo xtask ci` can be told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Runs the steps after a failed one as well
    #[arg(long)]
    keep_going: bool,
}

/// One command that must succeed.
struct Step {
    name: &'static str,
    /// Words, separated by single blanks.
    command: &'static str,
}

/// Cheap steps first. A fenced crate is checked alone as well: in a build of the workspace it gets every feature of a
/// dependency that any member asks for.
const STEPS: &[Step] = &[
    step("Cargo.lock as committed", "git diff --exit-code -- Cargo.lock"),
    step("format", "cargo fmt --all --check"),
    step("tools", "cargo xtask tools"),
    step("spelling", "target/tools/bin/typos"),
    step("dependencies", "target/tools/bin/cargo-deny --locked check licenses bans sources"),
    step("fence", "cargo xtask fence-check --link"),
    step("proxmox-types alone", "cargo check --package proxmox-types --locked"),
    step("proxmox-types alone, all of it", "cargo check --package proxmox-types --all-features --locked"),
    step("proxmox-api alone", "cargo check --package proxmox-api --locked"),
    step("proxmox-api alone, all of it", "cargo check --package proxmox-api --all-features --locked"),
    step("proxmox-privileged alone", "cargo check --package proxmox-privileged --locked"),
    step(
        "proxmox-privileged alone, all of it",
        "cargo check --package proxmox-privileged --all-features --locked",
    ),
    step("lints", "cargo clippy --workspace --all-targets --all-features --locked -- -D warnings"),
    step("tests", "cargo test --workspace --all-features --locked"),
    step("example", "cargo run --locked --package felhom-agent --example provision"),
    step("random histories", "cargo run --locked --package felhom-agent --example histories -- --seeds=2000"),
    step("documentation", "cargo xtask docs --check"),
];

const fn step(name: &'static str, command: &'static str) -> Step {
    Step { name, command }
}

impl Step {
    /// Runs it where this process runs; its output goes where ours goes.
    fn run(&self) -> Result<bool, Whatever> {
        let mut words = self.command.split(' ');
        let program = words.next().whatever_context("a step is not empty")?;
        let status = Command::new(program).args(words).status();
        Ok(status.with_whatever_context(|_| format!("cannot start `{}`", self.command))?.success())
    }
}

/// Runs the steps up to the first that fails, or all of them, and sums up.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Whatever> {
    let mut ends = Vec::new();
    for step in STEPS {
        println!("\n==> {}", step.command);
        let start = Instant::now();
        let passes = step.run()?;
        ends.push((passes, start.elapsed()));
        if !passes && !arguments.keep_going {
            break;
        }
    }
    print!("\n{}", summary(STEPS, &ends));
    let passes = ends.iter().all(|(passes, _)| *passes);
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One line per step; steps without an end were not run.
fn summary(steps: &[Step], ends: &[(bool, Duration)]) -> String {
    let ends = ends.iter().map(Some).chain(iter::repeat(None));
    let lines = steps.iter().zip(ends).map(|(step, end)| line(step.name, end));
    lines.collect()
}

fn line(name: &str, end: Option<&(bool, Duration)>) -> String {
    let Some((passes, time)) = end else {
        return format!("{name:<36} not run\n");
    };
    let verdict = if *passes { "ok" } else { "FAILED" };
    format!("{name:<36} {verdict:<8} {:>6.1} s\n", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_tells_what_passed_failed_and_was_not_run() {
        let steps = [step("one", "true"), step("two", "false"), step("three", "true")];
        let ends = [(true, Duration::from_millis(1234)), (false, Duration::from_secs(100))];
        insta::assert_snapshot!(summary(&steps, &ends), @r"
        one                                  ok          1.2 s
        two                                  FAILED    100.0 s
        three                                not run
        ");
    }

    #[test]
    fn a_step_fails_with_its_command() {
        let answers = [step("", "true"), step("", "false")].map(|step| step.run().expect("it starts"));
        assert_eq!(answers, [true, false]);
    }
}

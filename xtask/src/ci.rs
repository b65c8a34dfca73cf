//! `ci`: everything that must hold before a change is merged, in one list; and the prebuilt tools that it calls.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use clap::Args;
use snafu::{OptionExt, ResultExt, Whatever, ensure_whatever};

/// What `cargo xtask ci` can be told.
#[derive(Debug, Args)]
pub(crate) struct CiArguments {
    /// Runs the steps after a failed one as well
    #[arg(long)]
    keep_going: bool,
}

/// The commands that must succeed, their words separated by single blanks, cheap ones first. A fenced crate is checked
/// alone as well: in a build of the workspace it gets every feature of a dependency that any member asks for.
const STEPS: &[&str] = &[
    "git diff --exit-code -- Cargo.lock",
    "cargo fmt --all --check",
    "cargo xtask tools",
    "target/tools/bin/typos",
    "target/tools/bin/cargo-deny --locked check licenses bans sources",
    "cargo xtask fence-check --link",
    "cargo xtask weight",
    "cargo check --package proxmox-types --locked",
    "cargo check --package proxmox-types --all-features --locked",
    "cargo check --package proxmox-api --locked",
    "cargo check --package proxmox-api --all-features --locked",
    "cargo check --package proxmox-privileged --locked",
    "cargo check --package proxmox-privileged --all-features --locked",
    "cargo clippy --workspace --all-targets --all-features --locked -- -D warnings",
    "cargo test --workspace --all-features --locked",
    "cargo run --locked --package felhom-agent --example provision",
    "cargo run --locked --package felhom-agent --example histories -- --seeds=2000",
    "cargo xtask docs --check",
    "cargo fmt --manifest-path xtask/bench/Cargo.toml --check",
    "cargo xtask bench --counts",
];

/// Runs the steps up to the first that fails, or all of them, and sums up.
pub(crate) fn run(arguments: &CiArguments) -> Result<ExitCode, Whatever> {
    let mut ends = Vec::new();
    for step in STEPS {
        println!("\n==> {step}");
        let start = Instant::now();
        let passes = passes(step)?;
        ends.push((passes, start.elapsed()));
        if !passes && !arguments.keep_going {
            break;
        }
    }
    print!("\n{}", summary(STEPS, &ends));
    Ok(if ends.iter().all(|(passes, _)| *passes) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs a command where this process runs; its output goes where ours goes.
fn passes(step: &str) -> Result<bool, Whatever> {
    let mut words = step.split(' ');
    let program = words.next().whatever_context("a step is not empty")?;
    let status = Command::new(program).args(words).status();
    Ok(status.with_whatever_context(|_| format!("cannot start `{step}`"))?.success())
}

/// One line per step; steps without an end were not run.
fn summary(steps: &[&str], ends: &[(bool, Duration)]) -> String {
    let lines = steps.iter().enumerate().map(|(place, step)| match ends.get(place) {
        None => format!("not run            {step}\n"),
        Some((passes, time)) => {
            let verdict = if *passes { "ok" } else { "FAILED" };
            format!("{verdict:<8} {:>6.1} s  {step}\n", time.as_secs_f64())
        }
    });
    lines.collect()
}

/// The tools, as pip reads them: each by its version and checksum.
const TOOLS: &str = "xtask/tools.txt";
/// What pip is told besides: nothing is built, and nothing comes in that the list does not name.
const PIP: &str = "-m pip install --quiet --upgrade --require-hashes --no-deps --only-binary=:all: \
                   --root-user-action=ignore";

/// Puts the tools into `target/tools` and returns the folder of the programs; asks the network only if the list has
/// changed since the last time.
pub(crate) fn install_tools(root: &Path) -> Result<PathBuf, Whatever> {
    let (list, folder) = (root.join(TOOLS), root.join("target/tools"));
    let wanted = fs::read_to_string(&list).with_whatever_context(|_| format!("cannot read {TOOLS}"))?;
    let (programs, mark) = (folder.join("bin"), folder.join("installed.txt"));
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(programs);
    }
    let mut pip = Command::new("python3");
    pip.args(PIP.split_whitespace()).arg("--target").arg(&folder).arg("--requirement").arg(&list);
    let status = pip.status().whatever_context("cannot start python3, which installs the tools")?;
    ensure_whatever!(
        status.success(),
        "pip did not install the tools of {TOOLS}; it needs python3-pip and, this once, the network"
    );
    fs::write(&mark, wanted).with_whatever_context(|_| format!("cannot write {}", mark.display()))?;
    Ok(programs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_tells_what_passed_failed_and_was_not_run() {
        let ends = [(true, Duration::from_millis(1234)), (false, Duration::from_secs(100))];
        insta::assert_snapshot!(summary(&["true", "false --now", "true again"], &ends), @r"
        ok          1.2 s  true
        FAILED    100.0 s  false --now
        not run            true again
        ");
    }

    #[test]
    fn a_step_fails_with_its_command() {
        assert_eq!(["true", "false"].map(|step| passes(step).expect("it starts")), [true, false]);
    }
}

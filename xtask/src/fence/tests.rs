//! Proof that the fence bites: real cargo reads small workspaces, each with one thing changed, and the rules must say so.

mod compile_fail;
mod link;
mod tiny;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use super::{RULES, closure, report};
use crate::tools;
use crate::workspace::Workspace;
use tiny::Tiny;

/// Holds what it can hold better than a rule.
const CARGO_DENY: &str = "cargo-deny";

/// A change with the rules that should fire, those that did, and what they printed.
struct Outcome {
    change: &'static str,
    rules: Vec<&'static str>,
    fired: Vec<&'static str>,
    printed: String,
}

static OUTCOMES: LazyLock<Vec<Outcome>> = LazyLock::new(|| {
    tiny::cases().into_iter().map(|(change, rules, how)| outcome(change, rules, how)).collect()
});

fn outcome(change: &'static str, rules: Vec<&'static str>, how: &str) -> Outcome {
    let (folder, workspace) = Tiny::new(how).workspace();
    let found = RULES.iter().map(|rule| (rule, (rule.check)(&workspace)));
    let found: Vec<_> = found.filter(|(_, violations)| !violations.is_empty()).collect();
    let mut fired: Vec<_> = found.iter().map(|(rule, _)| rule.id).collect();
    let printed = found.iter().map(|(rule, violations)| report(rule.id, rule.claim, violations));
    let mut printed = printed.collect::<String>().replace(&folder.path().display().to_string(), "");
    let denied = denied(&workspace, folder.path());
    if !denied.is_empty() {
        fired.push(CARGO_DENY);
        printed.push_str(&denied);
    }
    Outcome { change, rules, fired, printed }
}

/// What cargo-deny has against a workspace by the `deny.toml` of this one, licences apart.
fn denied(workspace: &Workspace, folder: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace");
    let metadata = folder.join("metadata.json");
    let text = serde_json::to_string(&workspace.metadata).expect("metadata is JSON");
    fs::write(&metadata, text).expect("files can be written");
    let output = Command::new(tools::install(root).expect("cargo-deny is installed").join(CARGO_DENY))
        .args(["--color=never", "--offline", "--metadata-path"])
        .arg(metadata)
        .arg("--config")
        .arg(root.join("deny.toml"))
        .args(["check", "bans", "sources"])
        .current_dir(&workspace.metadata.workspace_root)
        .output()
        .expect("cargo-deny starts");
    let text = String::from_utf8(output.stderr).expect("cargo-deny writes text");
    let errors: Vec<_> = text.lines().filter(|line| line.starts_with("error[")).collect();
    assert_eq!(output.status.success(), errors.is_empty(), "{text}");
    errors.iter().fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn each_change_fires_its_rules_and_no_other() {
    let wrong = OUTCOMES.iter().filter(|outcome| outcome.fired != outcome.rules);
    let wrong: Vec<_> = wrong.map(|outcome| (outcome.change, &outcome.printed)).collect();
    assert_eq!(wrong, []);
}

#[test]
fn every_rule_has_fired() {
    let fired: BTreeSet<_> = OUTCOMES.iter().flat_map(|outcome| outcome.fired.iter().copied()).collect();
    assert_eq!(fired, RULES.iter().map(|rule| rule.id).chain([CARGO_DENY]).collect());
}

/// Apart from [`RULES`], because the members of the tiny workspace are empty and name nothing.
#[test]
fn a_dependency_that_only_a_test_names_is_unused_where_it_ships() {
    let asked = |table: &str, file: &str| {
        let change = format!(
            "append xtask/Cargo.toml\n|[{table}.harmless]\n|version = \"1\"\nwrite {file}\n|use harmless as _;\n"
        );
        let (_folder, workspace) = Tiny::new(&change).workspace();
        let found = closure::unused(&workspace);
        found.iter().any(|violation| violation.what == "xtask does not name harmless, its dependency")
    };
    let (shipped, test) = ("xtask/src/other.rs", "xtask/tests/other.rs");
    assert_eq!(
        [
            asked("dependencies", shipped),
            asked("dependencies", test),
            asked("dev-dependencies", test),
            asked("dev-dependencies", "xtask/README.md"),
        ],
        [false, true, false, true]
    );
}

#[test]
fn the_report_names_the_thing_and_the_way_to_it() {
    let mut text = String::new();
    for outcome in OUTCOMES.iter() {
        writeln!(text, "# {}\n{}", outcome.change, outcome.printed).expect("strings take everything");
    }
    insta::assert_snapshot!(text);
}

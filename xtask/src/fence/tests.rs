//! Proof that the fence bites: real cargo reads small workspaces, each with one thing changed, and the rules must say so.

mod compiled;
mod tiny;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use super::{RULES, packages, report};
use crate::ci;
use crate::workspace::Workspace;
use tiny::Tiny;

/// Holds what it can hold better than a rule.
const CARGO_DENY: &str = "cargo-deny";

/// A change with the rules that should fire, those that did, and what they printed.
struct Bite {
    change: &'static str,
    rules: Vec<&'static str>,
    fired: Vec<&'static str>,
    printed: String,
}

static BITES: LazyLock<Vec<Bite>> = LazyLock::new(|| tiny::cases().into_iter().map(bite).collect());

fn bite((change, rules, how): (&'static str, Vec<&'static str>, &'static str)) -> Bite {
    let (folder, workspace) = Tiny::new(how).workspace();
    let (mut fired, mut printed) = (Vec::new(), String::new());
    for (id, claim, check) in RULES {
        let violations = check(&workspace);
        if !violations.is_empty() {
            fired.push(*id);
            printed
                .push_str(&report(id, claim, &violations).replace(&folder.path().display().to_string(), ""));
        }
    }
    let denied = denied(&workspace, folder.path());
    if !denied.is_empty() {
        fired.push(CARGO_DENY);
        printed.push_str(&denied);
    }
    Bite { change, rules, fired, printed }
}

/// What cargo-deny has against a workspace by the `deny.toml` of this one, licences apart.
fn denied(workspace: &Workspace, folder: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace");
    let metadata = folder.join("metadata.json");
    let text = serde_json::to_string(&workspace.metadata).expect("metadata is JSON");
    fs::write(&metadata, text).expect("files can be written");
    let output = Command::new(ci::install_tools(root).expect("cargo-deny is installed").join(CARGO_DENY))
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
    let wrong = BITES.iter().filter(|bite| bite.fired != bite.rules);
    let wrong: Vec<_> = wrong.map(|bite| (bite.change, &bite.printed)).collect();
    assert_eq!(wrong, []);
}

#[test]
fn every_rule_has_fired() {
    let fired: BTreeSet<_> = BITES.iter().flat_map(|bite| bite.fired.iter().copied()).collect();
    assert_eq!(fired, RULES.iter().map(|(id, ..)| *id).chain([CARGO_DENY]).collect());
}

/// Apart from [`RULES`], because the members of the tiny workspace are empty and name nothing.
#[test]
fn a_dependency_that_only_a_test_names_is_unused_where_it_ships() {
    let (shipped, test) = ("xtask/src/other.rs", "xtask/tests/other.rs");
    let cases = [
        ("dependencies", shipped, false),
        ("dependencies", test, true),
        ("dev-dependencies", test, false),
        ("dev-dependencies", "xtask/README.md", true),
    ];
    for (table, file, is_unused) in cases {
        let change = format!(
            "append xtask/Cargo.toml\n|[{table}.harmless]\n|version = \"1\"\nwrite {file}\n|use harmless as _;\n"
        );
        let (_folder, workspace) = Tiny::new(&change).workspace();
        let found = packages::unused(&workspace);
        let expected = "xtask does not name harmless, its dependency".to_owned();
        assert_eq!(found.contains(&expected), is_unused, "{table} {file}");
    }
}

#[test]
fn the_report_names_the_thing_and_the_way_to_it() {
    let mut text = String::new();
    for bite in BITES.iter() {
        writeln!(text, "# {}\n{}", bite.change, bite.printed).expect("strings take everything");
    }
    insta::assert_snapshot!(text);
}

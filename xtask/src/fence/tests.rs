//! Proof that the fence bites: real cargo reads small workspaces, each with one thing changed, and the rules must say so.

mod compile_fail;
mod graph_cases;
mod link;
mod source_cases;
mod tiny;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::LazyLock;

use super::{RULES, report};
use tiny::Tiny;

/// One change to a workspace that passes.
struct Case {
    /// What is changed, as a person would tell it.
    change: &'static str,
    /// The rules that must fire, and no other.
    rules: &'static [&'static str],
    apply: fn(&mut Tiny),
}

/// A case with the rules that fired and what they printed.
struct Outcome {
    case: &'static Case,
    fired: Vec<&'static str>,
    printed: String,
}

static OUTCOMES: LazyLock<Vec<Outcome>> =
    LazyLock::new(|| graph_cases::CASES.iter().chain(source_cases::CASES).map(outcome).collect());

fn outcome(case: &'static Case) -> Outcome {
    let mut tiny = Tiny::new();
    (case.apply)(&mut tiny);
    let workspace = tiny.workspace();
    let found = RULES.iter().map(|rule| (rule, (rule.check)(&workspace)));
    let found: Vec<_> = found.filter(|(_, violations)| !violations.is_empty()).collect();
    let fired = found.iter().map(|(rule, _)| rule.id).collect();
    let printed = found.iter().map(|(rule, violations)| report(rule.id, rule.claim, violations));
    let folder = workspace.metadata.workspace_root.parent().expect("it lies in a temporary folder");
    Outcome { case, fired, printed: printed.collect::<String>().replace(folder.as_str(), "") }
}

#[test]
fn each_change_fires_its_rules_and_no_other() {
    let wrong = OUTCOMES.iter().filter(|outcome| outcome.fired != outcome.case.rules);
    let wrong: Vec<_> = wrong.map(|outcome| (outcome.case.change, &outcome.printed)).collect();
    assert_eq!(wrong, []);
}

#[test]
fn every_rule_has_fired() {
    let fired: BTreeSet<_> = OUTCOMES.iter().flat_map(|outcome| outcome.fired.iter().copied()).collect();
    assert_eq!(fired, RULES.iter().map(|rule| rule.id).collect());
}

#[test]
fn the_report_names_the_thing_and_the_way_to_it() {
    let mut text = String::new();
    for outcome in OUTCOMES.iter() {
        writeln!(text, "# {}\n{}", outcome.case.change, outcome.printed).expect("strings take everything");
    }
    insta::assert_snapshot!(text);
}

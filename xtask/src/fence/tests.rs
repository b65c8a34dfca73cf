//! Proof that the fence bites: real cargo reads small workspaces, each with one thing changed, and the rules must say so.

mod compile_fail;
mod graph_cases;
mod line_cases;
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

/// A change with the rules that should fire, those that did, and what they printed.
struct Outcome {
    change: &'static str,
    rules: Vec<&'static str>,
    fired: Vec<&'static str>,
    printed: String,
}

static OUTCOMES: LazyLock<Vec<Outcome>> = LazyLock::new(|| {
    let cases = graph_cases::CASES.iter().chain(source_cases::CASES);
    let cases = cases.map(|case| outcome(case.change, case.rules.to_vec(), case.apply));
    let lines = line_cases::CASES.iter().flat_map(|(file, lines)| lines.iter().map(move |line| (file, line)));
    let lines = lines
        .map(|(file, (change, rule, text))| outcome(change, vec![*rule], |tiny| tiny.append(file, text)));
    cases.chain(lines).collect()
});

fn outcome(change: &'static str, rules: Vec<&'static str>, apply: impl Fn(&mut Tiny)) -> Outcome {
    let mut tiny = Tiny::new();
    apply(&mut tiny);
    let workspace = tiny.workspace();
    let found = RULES.iter().map(|rule| (rule, (rule.check)(&workspace)));
    let found: Vec<_> = found.filter(|(_, violations)| !violations.is_empty()).collect();
    let fired = found.iter().map(|(rule, _)| rule.id).collect();
    let printed = found.iter().map(|(rule, violations)| report(rule.id, rule.claim, violations));
    let folder = workspace.metadata.workspace_root.parent().expect("it lies in a temporary folder");
    Outcome { change, rules, fired, printed: printed.collect::<String>().replace(folder.as_str(), "") }
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
    assert_eq!(fired, RULES.iter().map(|rule| rule.id).collect());
}

#[test]
fn the_report_names_the_thing_and_the_way_to_it() {
    let mut text = String::new();
    for outcome in OUTCOMES.iter() {
        writeln!(text, "# {}\n{}", outcome.change, outcome.printed).expect("strings take everything");
    }
    insta::assert_snapshot!(text);
}

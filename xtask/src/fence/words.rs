//! Words that would go around the other rules do not occur in a fenced crate, nor in what ships of the agent.

use crate::tokens::{self, Token};
use crate::workspace::{FENCED, Source, Violation, Workspace};

/// The simulated node, which alone may use some of std.
pub(super) const SIM: &str = "proxmox-api/src/sim.rs";
const SIM_FOLDER: &str = "proxmox-api/src/sim/";
/// The modules of std that it may use.
const SIM_MAY_USE: [&str; 2] = ["std : : sync : :", "std : : time : :"];

/// Words, in code and in the bodies of macros alike, with why they are refused.
const REFUSED: &[(&str, &str)] = &[
    ("asm", "assembly can make any system call"),
    ("global_asm", "assembly can make any system call"),
    ("include", "takes in code that is not looked at here"),
    ("naked_asm", "assembly can make any system call"),
    ("unsafe", "unsafe code can do anything"),
];

/// No assembly, no unsafe code, no source from elsewhere, no hidden item of a dependency, and of std only what the
/// simulated node needs.
pub(super) fn words(workspace: &Workspace) -> Vec<Violation> {
    let sources = FENCED.iter().flat_map(|member| workspace.sources(&format!("{member}/src")));
    sources.chain(workspace.shipped_sources()).flat_map(check).collect()
}

/// Where a file matches, as `path:line`.
pub(super) fn found(source: &Source, matches: impl Fn(&[Token], &[Token]) -> bool) -> Vec<String> {
    let places = tokens::places(&source.tokens).filter(|(before, rest)| matches(before, rest));
    places.filter_map(|(_, rest)| Some(format!("{}:{}", source.path, rest.first()?.line))).collect()
}

fn check(source: &Source) -> Vec<Violation> {
    let refused = REFUSED.iter().flat_map(|(word, why)| {
        let lines = found(source, |_, rest| tokens::begins(rest, word));
        lines.into_iter().map(move |line| format!("{line}: `{word}`: {why}"))
    });
    let moved = tokens::attributes(&source.tokens).filter(|attribute| is_path(attribute));
    let moved = moved.filter_map(|attribute| {
        Some(format!("{}:{}: #[path] takes in code from elsewhere", source.path, attribute.first()?.line))
    });
    let made =
        made_attributes(source).map(|line| format!("{}:{line}: an attribute made by a macro", source.path));
    let hidden = found(source, |_, rest| is_hidden(rest))
        .into_iter()
        .map(|line| format!("{line}: a hidden item of a dependency"));
    let std = found(source, |before, rest| is_sim(source) && is_forbidden_std(before, rest));
    let std = std
        .into_iter()
        .map(|line| format!("{line}: the simulated node may use std::sync and std::time only"));
    refused.chain(moved).chain(made).chain(hidden).chain(std).map(Violation::new).collect()
}

fn is_path(attribute: &[Token]) -> bool {
    tokens::begins(attribute, "path =")
        || tokens::begins(attribute, "cfg_attr") && tokens::holds(attribute, ", path =")
}

/// Lines of attributes that a macro puts together, so that they are written nowhere.
///
/// Handing on what stands as an attribute where the macro is called is none: `$(#[$doc:meta])*` and `$(#[$doc])*`.
fn made_attributes(source: &Source) -> impl Iterator<Item = usize> {
    let made = tokens::attributes(&source.tokens).filter(|attribute| tokens::holds(attribute, "$"));
    let made = made.filter(|attribute| match attribute {
        [mark, name, colon, kind] => {
            mark.text != "$" || colon.text != ":" || kind.text != "meta" || name.text == "("
        }
        [mark, name] => mark.text != "$" || !is_handed_on(source, &name.text),
        _ => true,
    });
    made.filter_map(|attribute| Some(attribute.first()?.line))
}

/// Whether a variable of a macro stands for nothing but what is written in the brackets of an attribute.
fn is_handed_on(source: &Source, name: &str) -> bool {
    let binding = format!("$ {name} :");
    let mut bindings =
        tokens::places(&source.tokens).filter(|(_, rest)| tokens::begins(rest, &binding)).peekable();
    bindings.peek().is_some()
        && bindings.all(|(before, rest)| {
            tokens::ends(before, "# [") && tokens::begins(rest, &format!("{binding} meta ]"))
        })
}

/// Dependencies keep what their macros need, std included, behind two underscores.
fn is_hidden(rest: &[Token]) -> bool {
    rest.first().is_some_and(|token| token.text.starts_with("__"))
}

fn is_sim(source: &Source) -> bool {
    source.path == SIM || source.path.starts_with(SIM_FOLDER)
}

fn is_forbidden_std(before: &[Token], rest: &[Token]) -> bool {
    tokens::begins(rest, "std")
        && !tokens::ends(before, "extern crate")
        && !SIM_MAY_USE.iter().any(|allowed| tokens::begins(rest, allowed))
}

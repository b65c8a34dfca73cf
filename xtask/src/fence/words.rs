//! No source that ships holds a word that goes around the fence; a fenced crate is one plain library without std.
//!
//! `std` does not exist in it, so `std::process` cannot be named there; nothing of it runs while it is built, and all
//! of it lies in `src/`.

use cargo_metadata::{Package, Target, TargetKind};

use crate::tokens::{self, Token};
use crate::workspace::{FENCED, Source, Violation, Workspace};

/// The simulated node, which alone may use some of std.
const SIM: &str = "proxmox-api/src/sim.rs";
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
    sources.chain(workspace.shipped_sources()).flat_map(refused).collect()
}

/// Where a file matches, as `path:line`.
fn found(source: &Source, matches: impl Fn(&[Token], &[Token]) -> bool) -> Vec<String> {
    let places = tokens::places(&source.tokens).filter(|(before, rest)| matches(before, rest));
    places.filter_map(|(_, rest)| Some(format!("{}:{}", source.path, rest.first()?.line))).collect()
}

fn refused(source: &Source) -> Vec<Violation> {
    let words = REFUSED.iter().flat_map(|(word, why)| {
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
    words.chain(moved).chain(made).chain(hidden).chain(std).map(Violation::new).collect()
}

fn is_path(attribute: &[Token]) -> bool {
    tokens::begins(attribute, "path =")
        || tokens::begins(attribute, "cfg_attr") && tokens::holds(attribute, ", path =")
}

/// Lines of attributes that a macro puts together, so that they are written nowhere.
///
/// Handing on what stands as an attribute where the macro is called is none: `$(#[$doc:meta])*` and `$(#[$doc])*`. Nor is
/// documentation, which is text and takes in no code: `#[doc = concat!("`", $path, "`")]`.
fn made_attributes(source: &Source) -> impl Iterator<Item = usize> {
    let made = tokens::attributes(&source.tokens).filter(|attribute| tokens::holds(attribute, "$"));
    let made = made.filter(|attribute| !tokens::begins(attribute, "doc ="));
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

/// Every fenced crate is `no_std`, and links only `alloc`, `std` in its tests, and `std` inside the simulated node.
///
/// A root-level `extern crate std` under a feature would open the whole crate to it; the one inside a module does not.
pub(super) fn no_std(workspace: &Workspace) -> Vec<Violation> {
    FENCED.iter().flat_map(|member| dressed(workspace, member)).collect()
}

fn dressed(workspace: &Workspace, member: &str) -> Vec<Violation> {
    let root = format!("{member}/src/lib.rs");
    let lib = workspace.source(&root);
    let is_bare = lib.is_some_and(|lib| tokens::places(&lib.tokens).any(|(_, rest)| is_no_std(rest)));
    let dressed = (!is_bare).then(|| format!("{root} does not say #![no_std]"));
    let sim = lib.into_iter().flat_map(|lib| found(lib, is_open_sim));
    let sim = sim.map(|line| format!("{line}: `mod sim` is not under #[cfg(feature = \"sim\")]"));
    let sources = workspace.sources(&format!("{member}/src"));
    let links =
        sources.flat_map(|source| found(source, |before, rest| is_stray_link(source, &root, before, rest)));
    let links = links.map(|line| format!("{line}: `extern` where it is not allowed"));
    dressed.into_iter().chain(sim).chain(links).map(Violation::new).collect()
}

fn is_no_std(rest: &[Token]) -> bool {
    tokens::begins(rest, "# ! [ no_std ]") && is_at_root(rest)
}

fn is_stray_link(source: &Source, root: &str, before: &[Token], rest: &[Token]) -> bool {
    let is_alloc = tokens::begins(rest, "extern crate alloc ;");
    let is_std = tokens::begins(rest, "extern crate std ;");
    let is_tested = tokens::ends(before, "# [ cfg ( test ) ]");
    let is_public = tokens::ends(before, "pub") || tokens::ends(before, ")");
    let is_allowed = source.path == root && (is_alloc || is_std && is_tested)
        || source.path == SIM && is_std && !is_public;
    tokens::begins(rest, "extern") && !(is_allowed && is_at_root(rest))
}

fn is_open_sim(before: &[Token], rest: &[Token]) -> bool {
    let gates = ["# [ cfg ( feature = \"sim\" ) ]", "# [ cfg ( feature = \"sim\" ) ] pub"];
    tokens::begins(rest, "mod sim") && !gates.iter().any(|gate| tokens::ends(before, gate))
}

fn is_at_root(rest: &[Token]) -> bool {
    rest.first().is_some_and(|token| token.depth == 0)
}

/// No build script, no `links`, no macro, binary or C library, no library file of another name.
pub(super) fn targets(workspace: &Workspace) -> Vec<Violation> {
    workspace.fenced().flat_map(|package| linked(package).into_iter().chain(odd(package))).collect()
}

fn linked(package: &Package) -> Option<Violation> {
    let library = package.links.as_ref()?;
    Some(Violation::new(format!("{} links {library}", package.name)))
}

fn odd(package: &Package) -> Vec<Violation> {
    let file = package.manifest_path.with_file_name("src/lib.rs");
    let has_library =
        package.targets.iter().any(|target| is_plain_library(target) && target.src_path == file);
    let missing = (!has_library).then(|| format!("{} has no plain library in src/lib.rs", package.name));
    let others = package.targets.iter().filter(|target| !is_plain_library(target) && !is_for_tests(target));
    let others =
        others.map(|target| format!("{} has a target of another kind: {}", package.name, target.src_path));
    missing.into_iter().chain(others).map(Violation::new).collect()
}

fn is_plain_library(target: &Target) -> bool {
    target.kind == [TargetKind::Lib]
}

fn is_for_tests(target: &Target) -> bool {
    [TargetKind::Test, TargetKind::Bench, TargetKind::Example].iter().any(|kind| target.kind.contains(kind))
}

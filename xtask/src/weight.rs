//! `weight`: files stay short and folders small, and each fact has one place: sizes, type names, circles of imports.
//!
//! That no function is longer than 40 lines is for clippy to say, whose limit stands in `clippy.toml`.

mod imports;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use snafu::Whatever;

use crate::workspace::{MEMBERS, Workspace, is_rust};
use imports::Modules;

/// What the whole workspace shall come down to. It is shown, and is no failure until it is reached.
const LINES: usize = 40_000;
const FILES: usize = 280;
/// What there may be at most in one place.
const LINES_OF_A_FILE: usize = 400;
const FILES_OF_A_FOLDER: usize = 15;
/// What the middle one of all files has at least.
const MEDIAN: usize = 90;

/// Lines by Rust file.
type Sizes<'a> = BTreeMap<&'a str, usize>;

pub(crate) fn run() -> Result<ExitCode, Whatever> {
    let workspace = Workspace::load(".")?;
    let rust = workspace.files.iter().filter(|(path, _)| is_rust(path));
    let sizes: Sizes<'_> = rust.map(|(path, text)| (path.as_str(), text.lines().count())).collect();
    let modules = imports::all(&workspace);
    let listed = workspace.list("type-names");
    let twice = listed.map_or_else(|violation| vec![violation], |listed| twice(&listed, &modules));
    let findings = [long(&sizes), full(&sizes), twice, imports::circles(&modules)].concat();
    for folder in MEMBERS {
        print!("{}", counts(folder, &sizes));
    }
    print!("{}", counts("all", &sizes));
    println!("{:<20} {LINES:>6} lines  {FILES:>4} files", "goal");
    for finding in &findings {
        println!("{finding}");
    }
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Lines, files and the middle one of the files of a member, or of all.
fn counted(folder: &str, sizes: &Sizes<'_>) -> (usize, usize, usize) {
    let of_folder =
        sizes.iter().filter(|(path, _)| folder == "all" || path.split('/').next() == Some(folder));
    let mut lines: Vec<_> = of_folder.map(|(_, lines)| *lines).collect();
    lines.sort_unstable();
    (lines.iter().sum(), lines.len(), lines.get(lines.len() / 2).copied().unwrap_or_default())
}

fn counts(folder: &str, sizes: &Sizes<'_>) -> String {
    let (lines, files, median) = counted(folder, sizes);
    format!("{folder:<20} {lines:>6} lines  {files:>4} files  median {median:>3}\n")
}

/// Files that are too long, or too short in the middle.
fn long(sizes: &Sizes<'_>) -> Vec<String> {
    let (_, _, median) = counted("all", sizes);
    let short =
        (median < MEDIAN).then(|| format!("size: the median file has {median} lines, {MEDIAN} are wanted"));
    let long = sizes.iter().filter(|(_, lines)| **lines > LINES_OF_A_FILE);
    let long = long.map(|(path, lines)| format!("file: {path} has {lines} lines"));
    short.into_iter().chain(long).collect()
}

/// Folders with too many Rust files beside each other.
fn full(sizes: &Sizes<'_>) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (folder, _) in sizes.keys().filter_map(|path| path.rsplit_once('/')) {
        *counts.entry(folder).or_default() += 1;
    }
    let full = counts.iter().filter(|(_, count)| **count > FILES_OF_A_FOLDER);
    full.map(|(folder, count)| format!("folder: {folder} has {count} files")).collect()
}

/// Type names that more than one file of the workspace defines, tests apart, and listed ones that are not.
fn twice(listed: &BTreeSet<String>, modules: &Modules) -> Vec<String> {
    let mut places: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for module in modules.values().filter(|module| !module.file.contains("/tests/")) {
        for name in &module.types {
            places.entry(name).or_default().insert(&module.file);
        }
    }
    places.retain(|_, files| files.len() > 1);
    let unlisted = places.iter().filter(|(name, _)| !listed.contains(**name));
    let unlisted = unlisted.map(|(name, files)| {
        format!("name: {name} in {}", files.iter().copied().collect::<Vec<_>>().join(", "))
    });
    let unused = listed.iter().filter(|name| !places.contains_key(name.as_str()));
    let unused = unused.map(|name| format!("name: type-names.list: {name} is not defined twice"));
    unlisted.chain(unused).collect()
}

#[cfg(test)]
mod tests {
    use super::imports::Module;
    use super::*;
    use crate::source;

    type Pairs = [(&'static str, &'static str)];

    /// A claim, the files of a crate, and what needs what.
    const CASES: &[(&str, &Pairs, &Pairs)] = &[
        ("a declared child is not needed", &[("lib", "mod a;"), ("a", "")], &[]),
        (
            "a child that is handed on is not needed",
            &[("lib", "mod a; pub use a::A;"), ("a", "struct A;")],
            &[],
        ),
        (
            "a child that is used is needed",
            &[("lib", "mod a; fn f() { a::g() }"), ("a", "fn g() {}")],
            &[("lib", "a")],
        ),
        (
            "what the parent defines is needed",
            &[("lib", "mod a; struct P;"), ("a", "use super::P;")],
            &[("a", "lib")],
        ),
        (
            "what the parent hands on is needed where it is defined",
            &[("lib", "mod a; mod b; pub use b::B;"), ("a", "use super::B;"), ("b", "struct B;")],
            &[("a", "b")],
        ),
        (
            "what a glob hands on is needed where it is defined",
            &[("lib", "mod a; mod b; pub use b::*;"), ("a", "use crate::B;"), ("b", "struct B;")],
            &[("a", "b")],
        ),
        (
            "a function ends where its bracket does, whatever it returns",
            &[
                ("lib", "mod a; mod b; pub use b::*;"),
                ("a", "use crate::B;"),
                ("b", "fn f() -> impl Iterator<Item = u8> {} struct A {} struct B;"),
            ],
            &[("a", "b")],
        ),
        (
            "an imported module is needed for what is named of it, under any name",
            &[("lib", "mod a; mod b;"), ("a", "use crate::{b as c}; fn f() { c::g() }"), ("b", "fn g() {}")],
            &[("a", "b")],
        ),
        ("another crate is not needed", &[("lib", "mod a; use std::fmt;"), ("a", "use super::fmt;")], &[]),
        (
            "tests need nothing",
            &[("lib", "mod a; struct P;"), ("a", "#[cfg(test)] mod tests { use crate::P; }")],
            &[],
        ),
        (
            "a module inside a file",
            &[("lib", "mod a; mod i { struct I; }"), ("a", "use crate::i::I;")],
            &[("a", "lib")],
        ),
        (
            "a module in a file elsewhere",
            &[
                ("lib", "#[path = \"x/../a.rs\"] mod b; mod c;"),
                ("a", "struct A;"),
                ("c", "use crate::b::A;"),
            ],
            &[("c", "a")],
        ),
        (
            "a path in a function and in a macro",
            &[("lib", "mod a; mod b;"), ("a", "m! { crate::b::X }"), ("b", "fn f() { super::a::g() }")],
            &[("a", "b"), ("b", "a")],
        ),
    ];

    #[test]
    fn edges_lead_to_the_file_that_defines() {
        for (claim, files, expected) in CASES {
            let read =
                files.iter().map(|(name, text)| (format!("{name}.rs"), source::read(text).expect("Rust")));
            let read: BTreeMap<_, _> = read.collect();
            let mut found = Modules::new();
            let lib = Module { path: vec!["lib".to_owned()], file: "lib.rs".to_owned(), ..Module::default() };
            lib.read(&|path| read.get(path.trim_start_matches('/')), "", &mut found);
            let edges = imports::edges(&found);
            let edges = edges.iter().flat_map(|(from, to)| to.iter().map(move |to| (*from, *to)));
            let edges: Vec<_> = edges.map(|(from, to)| (stem(from), stem(to))).collect();
            assert_eq!(edges, *expected, "{claim}");
            assert_eq!(imports::circles(&found).len(), usize::from(expected.len() == 2), "{claim}");
        }
    }

    fn stem(path: &str) -> &str {
        path.trim_start_matches('/').trim_end_matches(".rs")
    }
}

//! Small crates, and the edges between their files.

use std::collections::BTreeMap;

use super::{imports, modules};
use crate::tokens;

type Pairs = [(&'static str, &'static str)];

/// A claim, the files of a crate, and what needs what.
const CASES: &[(&str, &Pairs, &Pairs)] = &[
    ("a declared child is not needed", &[("lib", "mod a;"), ("a", "")], &[]),
    ("a child that is handed on is not needed", &[("lib", "mod a; pub use a::A;"), ("a", "struct A;")], &[]),
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
        "a path in a function and in a macro",
        &[("lib", "mod a; mod b;"), ("a", "m! { crate::b::X }"), ("b", "fn f() { super::a::g() }")],
        &[("a", "b"), ("b", "a")],
    ),
];

#[test]
fn edges_lead_to_the_file_that_defines() {
    for (claim, files, expected) in CASES {
        let read = files.iter().map(|(name, text)| (format!("{name}.rs"), tokens::read(text).expect("Rust")));
        let read: BTreeMap<_, _> = read.collect();
        let mut found = Vec::new();
        let by_name = |path: &str| read.get(path.trim_start_matches("./").trim_start_matches('/'));
        modules::file(&by_name, "lib.rs", "", vec!["lib.rs".to_owned()], &mut found);
        let edges = imports::edges(&found);
        let edges = edges.iter().flat_map(|(from, to)| to.iter().map(move |to| (*from, *to)));
        let edges: Vec<_> = edges.map(|(from, to)| (stem(from), stem(to))).collect();
        assert_eq!(edges, *expected, "{claim}");
        let is_circle = expected.len() == 2;
        assert_eq!(imports::circles(&found).len(), usize::from(is_circle), "{claim}");
    }
}

fn stem(path: &str) -> &str {
    path.trim_start_matches('/').trim_end_matches(".rs")
}

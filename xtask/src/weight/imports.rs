//! Which file needs which, and the circles in that.
//!
//! A path leads to the file that defines what it names, through every `use` on the way. That a module declares a
//! child, or hands on what a child defines, needs nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::{self, Module};

type ByPath<'a> = BTreeMap<&'a [String], &'a Module>;

/// Longer ways through `use` lines are circles of their own.
const STEPS: usize = 12;

/// Where a path leads.
enum End<'a> {
    Module(&'a Module),
    Item(&'a Module),
}

/// One line for each group of files that need each other.
pub(super) fn circles(modules: &[Module]) -> Vec<String> {
    let edges = edges(modules);
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        edges.keys().map(|file| (*file, reach(&edges, file))).collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (file, below) in reached.iter().filter(|(file, below)| below.contains(**file)) {
        let group = below.iter().filter(|other| reached.get(**other).is_some_and(|back| back.contains(file)));
        let group: Vec<_> = group.copied().collect();
        if seen.insert(group.clone()) {
            let inner = |file: &&str| {
                let targets = edges.get(file).into_iter().flatten().filter(|target| group.contains(target));
                format!("    {file} needs {}\n", targets.copied().collect::<Vec<_>>().join(", "))
            };
            let lines: String = group.iter().map(inner).collect();
            found.push(format!("circle: {} files\n{}", group.len(), lines.trim_end()));
        }
    }
    found
}

/// The files that each file needs.
pub(super) fn edges(modules: &[Module]) -> BTreeMap<&str, BTreeSet<&str>> {
    let by_path = modules::by_path(modules);
    let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for module in modules {
        let imports = module.imports.iter().map(|(is_public, path)| (*is_public, true, path));
        let named = module.named.iter().map(|path| (false, false, path));
        for (is_public, is_import, path) in imports.chain(named) {
            // A module that is imported is needed where a path goes on from it.
            let target = match resolve(&by_path, module, &path.text, STEPS) {
                Some(End::Item(target)) => target,
                Some(End::Module(target)) if !is_import => target,
                _ => continue,
            };
            let hands_on = is_public && target.path.starts_with(&module.path);
            if target.file != module.file && !hands_on {
                edges.entry(&module.file).or_default().insert(&target.file);
            }
        }
    }
    edges
}

fn reach<'a>(edges: &BTreeMap<&'a str, BTreeSet<&'a str>>, start: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut queue: Vec<&str> = vec![start];
    while let Some(file) = queue.pop() {
        queue.extend(edges.get(file).into_iter().flatten().filter(|target| reached.insert(**target)));
    }
    reached
}

/// Follows a path from a module; nothing if it leads into another crate.
fn resolve<'a>(by_path: &ByPath<'a>, from: &'a Module, path: &str, steps: usize) -> Option<End<'a>> {
    let steps = steps.checked_sub(1)?;
    let mut here = from;
    let mut is_local = false;
    for (place, name) in path.split("::").enumerate() {
        let above = |length: usize| by_path.get(here.path.get(..length)?).copied();
        let next = match name {
            "crate" => above(1),
            "self" => Some(here),
            "super" => above(here.path.len() - 1),
            name => by_path.get([here.path.as_slice(), &[name.to_owned()]].concat().as_slice()).copied(),
        };
        if let Some(next) = next {
            (here, is_local) = (next, true);
            continue;
        }
        // Named by `extern crate`: no file of ours.
        if name == "std" {
            return None;
        }
        let rest = || path.split("::").skip(place + 1).fold(String::new(), |rest, name| rest + "::" + name);
        let import = here.imports.iter().find(|(_, import)| import.name() == name && import.text != path);
        if let Some((_, import)) = import {
            return resolve(by_path, here, &(import.text.clone() + &rest()), steps);
        }
        if here.items.contains(name) {
            return (is_local).then_some(End::Item(here));
        }
        let globs = here.imports.iter().filter_map(|(_, import)| import.text.strip_suffix("::*"));
        let mut through = globs.filter_map(|glob| match resolve(by_path, here, glob, steps)? {
            End::Module(target) if defines(by_path, target, name) => {
                resolve(by_path, target, &format!("self::{name}"), steps)
            }
            _ => None,
        });
        return through.next_back().or_else(|| is_local.then_some(End::Item(here)));
    }
    Some(End::Module(here))
}

/// Whether a module has this name of its own, or hands it on.
fn defines(by_path: &ByPath<'_>, module: &Module, name: &str) -> bool {
    module.items.contains(name)
        || module.imports.iter().any(|(_, import)| import.name() == name)
        || by_path.contains_key([module.path.as_slice(), &[name.to_owned()]].concat().as_slice())
}

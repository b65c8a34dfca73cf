//! Which file needs which, and the circles in that.
//!
//! A path leads to the file that defines what it names, through every `use` on the way. That a module declares a
//! child, or hands on what a child defines, needs nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::{Module, Modules};

/// Longer ways through `use` lines are circles of their own.
const STEPS: usize = 12;

/// Where a path leads.
enum LeadsTo<'a> {
    Module(&'a Module),
    Item(&'a Module),
}

/// The files that each file needs.
type Edges<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// One line for each group of files that need each other.
pub(super) fn circles(modules: &Modules) -> Vec<String> {
    let edges = edges(modules);
    let reached: Edges<'_> = edges.keys().map(|file| (*file, reach(&edges, file))).collect();
    let leads = |from: &str, to: &str| reached.get(from).is_some_and(|reached| reached.contains(to));
    let groups = edges.keys().filter(|file| leads(file, file)).map(|file| {
        edges
            .keys()
            .copied()
            .filter(|other| leads(file, other) && leads(other, file))
            .collect::<BTreeSet<_>>()
    });
    let groups: BTreeSet<_> = groups.collect();
    let line = |group: &BTreeSet<&str>, file: &str| {
        let needed = edges.get(file).into_iter().flatten().filter(|needed| group.contains(*needed));
        format!("\n    {file} needs {}", needed.copied().collect::<Vec<_>>().join(", "))
    };
    let lines = |group: &BTreeSet<&str>| group.iter().map(|file| line(group, file)).collect::<String>();
    groups.iter().map(|group| format!("circle: {} files{}", group.len(), lines(group))).collect()
}

pub(super) fn edges(modules: &Modules) -> Edges<'_> {
    let mut edges = Edges::new();
    for module in modules.values() {
        let imports = module.imports.iter().map(|(is_public, path)| (*is_public, true, path));
        let named = module.named.iter().map(|path| (false, false, path));
        for (is_public, is_import, path) in imports.chain(named) {
            // A module that is imported is needed where a path goes on from it.
            let target = match resolve(modules, module, &path.text, STEPS) {
                Some(LeadsTo::Item(target)) => target,
                Some(LeadsTo::Module(target)) if !is_import => target,
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

fn reach<'a>(edges: &Edges<'a>, start: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut queue = vec![start];
    while let Some(file) = queue.pop() {
        queue.extend(edges.get(file).into_iter().flatten().filter(|needed| reached.insert(**needed)));
    }
    reached
}

/// Follows a path from a module; nothing if it leads into another crate.
fn resolve<'a>(modules: &'a Modules, from: &'a Module, path: &str, steps: usize) -> Option<LeadsTo<'a>> {
    let steps = steps.checked_sub(1)?;
    let mut here = from;
    let mut is_local = false;
    let mut rest = Some(path);
    while let Some((name, below)) =
        rest.map(|rest| rest.split_once("::").map_or((rest, None), |(a, b)| (a, Some(b))))
    {
        let next = match name {
            "crate" => modules.get(here.path.get(..1)?),
            "self" => Some(here),
            "super" => modules.get(here.path.split_last()?.1),
            name => child(modules, here, name),
        };
        if let Some(next) = next {
            (here, is_local, rest) = (next, true, below);
            continue;
        }
        // Named by `extern crate`: no file of ours.
        if name == "std" {
            return None;
        }
        let import = here.imports.iter().find(|(_, import)| import.name() == name && import.text != path);
        if let Some((_, import)) = import {
            let longer =
                below.map_or_else(|| import.text.clone(), |below| format!("{}::{below}", import.text));
            return resolve(modules, here, &longer, steps);
        }
        if here.items.contains(name) {
            return is_local.then_some(LeadsTo::Item(here));
        }
        let globs = here.imports.iter().filter_map(|(_, import)| import.text.strip_suffix("::*"));
        let mut through = globs.filter_map(|glob| match resolve(modules, here, glob, steps)? {
            LeadsTo::Module(target) if defines(modules, target, name) => {
                resolve(modules, target, &format!("self::{name}"), steps)
            }
            _ => None,
        });
        return through.next_back().or_else(|| is_local.then_some(LeadsTo::Item(here)));
    }
    Some(LeadsTo::Module(here))
}

fn child<'a>(modules: &'a Modules, parent: &Module, name: &str) -> Option<&'a Module> {
    modules.get(&[parent.path.as_slice(), &[name.to_owned()]].concat())
}

/// Whether a module has this name of its own, or hands it on.
fn defines(modules: &Modules, module: &Module, name: &str) -> bool {
    module.items.contains(name)
        || module.imports.iter().any(|(_, import)| import.name() == name)
        || child(modules, module, name).is_some()
}

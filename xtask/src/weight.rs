//! `weight`: the workspace stays small, and each fact has one place: sizes, type names, circles of imports.

mod imports;
mod modules;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use snafu::Whatever;

use crate::list;
use crate::workspace::{MEMBERS, Workspace, is_rust};
use modules::Module;

/// What there may be at most, in the whole workspace and in one place.
const LINES: usize = 40_000;
const FILES: usize = 280;
const LINES_OF_A_FILE: usize = 400;
const FILES_OF_A_FOLDER: usize = 15;
/// What the middle one of all files has at least.
const MEDIAN: usize = 90;

/// Type names that may be defined more than once: `name = reason`.
const TWICE: &str = "type-names";

pub(crate) fn run() -> Result<ExitCode, Whatever> {
    let workspace = Workspace::load(".")?;
    let sizes: BTreeMap<&str, usize> = sizes(&workspace.files);
    let modules = modules::all(&workspace);
    let findings = [
        totals(&sizes),
        files(&sizes),
        folders(&sizes),
        twice(&workspace, &modules),
        imports::circles(&modules),
    ];
    print!("{}", counts(&sizes));
    findings.iter().flatten().for_each(|finding| println!("{finding}"));
    let passes = findings.iter().all(Vec::is_empty);
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Lines by Rust file.
fn sizes(files: &BTreeMap<String, String>) -> BTreeMap<&str, usize> {
    let rust = files.iter().filter(|(path, _)| is_rust(path));
    rust.map(|(path, text)| (path.as_str(), text.lines().count())).collect()
}

fn counts(sizes: &BTreeMap<&str, usize>) -> String {
    let row = |name: &str, prefix: &str| {
        let mut lines: Vec<_> =
            sizes.iter().filter(|(path, _)| path.starts_with(prefix)).map(|(_, lines)| *lines).collect();
        lines.sort_unstable();
        let median = lines.get(lines.len() / 2).copied().unwrap_or_default();
        format!(
            "{name:<20} {:>6} lines  {:>4} files  median {median:>3}\n",
            lines.iter().sum::<usize>(),
            lines.len()
        )
    };
    let members = MEMBERS.iter().map(|member| row(member, &format!("{member}/")));
    members.chain([row("all", "")]).collect()
}

fn totals(sizes: &BTreeMap<&str, usize>) -> Vec<String> {
    let mut lines: Vec<_> = sizes.values().copied().collect();
    lines.sort_unstable();
    let (sum, files) = (lines.iter().sum::<usize>(), lines.len());
    let median = lines.get(files / 2).copied().unwrap_or_default();
    let found = [
        (sum > LINES).then(|| format!("size: {sum} lines, {LINES} are allowed")),
        (files > FILES).then(|| format!("size: {files} files, {FILES} are allowed")),
        (median < MEDIAN).then(|| format!("size: the median file has {median} lines, {MEDIAN} are wanted")),
    ];
    found.into_iter().flatten().collect()
}

fn files(sizes: &BTreeMap<&str, usize>) -> Vec<String> {
    let long = sizes.iter().filter(|(_, lines)| **lines > LINES_OF_A_FILE);
    long.map(|(path, lines)| format!("file: {path} has {lines} lines")).collect()
}

/// Folders with too many Rust files beside each other.
fn folders(sizes: &BTreeMap<&str, usize>) -> Vec<String> {
    let mut entries: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for path in sizes.keys() {
        if let Some((folder, name)) = path.rsplit_once('/') {
            entries.entry(folder).or_default().insert(name);
        }
    }
    let full = entries.iter().filter(|(_, entries)| entries.len() > FILES_OF_A_FOLDER);
    full.map(|(folder, entries)| format!("folder: {folder} has {} files", entries.len())).collect()
}

/// Type names that more than one module of the workspace defines, tests apart.
fn twice(workspace: &Workspace, modules: &[Module]) -> Vec<String> {
    let listed = match list::read(workspace, TWICE) {
        Ok(listed) => listed,
        Err(violation) => return vec![violation.what],
    };
    let mut places: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for module in modules.iter().filter(|module| !module.file.contains("/tests/")) {
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
    unlisted.chain(unused.map(|name| format!("name: {TWICE}.list: {name} is not defined twice"))).collect()
}

#[cfg(test)]
mod tests;

//! The modules of every target, tests apart: what each defines, imports and names; which file needs which, and the
//! circles in that.
//!
//! A path leads to the file that defines what it names, through every `use` on the way. That a module declares a
//! child, or hands on what a child defines, needs nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{self, NamedPath, SourceToken};
use crate::workspace::Workspace;

/// Words before the name of a type.
const TYPES: [&str; 5] = ["enum", "struct", "trait", "type", "union"];
/// Words before the name of another item.
const OTHERS: [&str; 4] = ["const", "fn", "static", "!"];

/// One module, which may be a part of a file.
#[derive(Default)]
pub(super) struct Module {
    /// The root file of the target, then the names on the way: unique.
    pub(super) path: Vec<String>,
    pub(super) file: String,
    pub(super) types: BTreeSet<String>,
    pub(super) items: BTreeSet<String>,
    /// What `use` brings in, with whether it is handed on.
    pub(super) imports: Vec<(bool, NamedPath)>,
    /// Other paths in the code.
    pub(super) named: Vec<NamedPath>,
}

/// Modules by their paths.
pub(super) type Modules = BTreeMap<Vec<String>, Module>;

/// The modules of all targets of the workspace.
pub(super) fn all(workspace: &Workspace) -> Modules {
    let targets = workspace.members().flat_map(|member| &member.targets);
    let mut modules = Modules::new();
    for root in
        targets.filter_map(|target| target.src_path.strip_prefix(&workspace.metadata.workspace_root).ok())
    {
        let folder = root.parent().map_or_else(String::new, ToString::to_string);
        let module = Module { path: vec![root.to_string()], file: root.to_string(), ..Module::default() };
        module.read(&|path| Some(&workspace.source(path)?.tokens), &folder, &mut modules);
    }
    modules
}

impl Module {
    /// Reads its file and those below it; `folder` is where its modules lie.
    pub(super) fn read<'a>(
        self,
        files: &impl Fn(&str) -> Option<&'a Vec<SourceToken>>,
        folder: &str,
        modules: &mut Modules,
    ) {
        if let Some(tokens) = files(&self.file) {
            self.take(files, tokens, folder, modules);
        }
    }

    fn take<'a>(
        mut self,
        files: &impl Fn(&str) -> Option<&'a Vec<SourceToken>>,
        tokens: &[SourceToken],
        folder: &str,
        modules: &mut Modules,
    ) {
        let mut rest = tokens;
        while let Some((item, after)) = next(rest) {
            rest = after;
            let depth = item.first().map_or(0, |token| token.depth);
            let find = |word: &str| item.iter().position(|token| token.depth == depth && token.text == word);
            if is_test(item) {
                continue;
            }
            if let Some(name) = name_after(item, "mod") {
                let path = [self.path.as_slice(), &[name.to_owned()]].concat();
                let below = format!("{folder}/{name}");
                let file =
                    elsewhere(item).map_or_else(|| format!("{below}.rs"), |way| joined(&self.file, way));
                let child = Self { path, file, ..Self::default() };
                match find("{").and_then(|start| source::inside(item.get(start..)?)) {
                    Some(inside) => {
                        Self { file: self.file.clone(), ..child }.take(files, inside, &below, modules);
                    }
                    None => child.read(files, &below, modules),
                }
            } else if let Some(place) = find("use") {
                let paths = source::paths(item.get(place + 1..).unwrap_or_default());
                self.imports.extend(paths.into_iter().map(|path| (find("pub").is_some(), path)));
            } else {
                self.add(item);
            }
        }
        modules.insert(self.path.clone(), self);
    }

    /// Takes in an item that is neither a module nor a `use`.
    fn add(&mut self, item: &[SourceToken]) {
        if item.first().is_some_and(|token| token.text != "impl") {
            let name = TYPES.iter().find_map(|word| name_after(item, word));
            self.types.extend(name.map(str::to_owned));
            let name = name.or_else(|| OTHERS.iter().find_map(|word| name_after(item, word)));
            self.items.extend(name.map(str::to_owned));
        }
        self.named.extend(source::all_paths(item));
    }
}

/// The file that `#[path = "..."]` names.
fn elsewhere(item: &[SourceToken]) -> Option<&str> {
    item.windows(3).find_map(|tokens| match tokens {
        [path, equals, way] if path.text == "path" && equals.text == "=" => {
            way.text.strip_prefix('"')?.strip_suffix('"')
        }
        _ => None,
    })
}

/// A way from the folder of a file, without `..`.
fn joined(file: &str, way: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in way.split('/') {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The name behind a word that stands outside of all brackets.
fn name_after<'a>(item: &'a [SourceToken], word: &str) -> Option<&'a str> {
    let depth = item.first()?.depth;
    let mut words = item.iter().filter(|token| token.depth == depth).map(|token| token.text.as_str());
    words.find(|other| *other == word)?;
    words.next().filter(|name| source::is_name(name))
}

/// The first item of a row, attributes included, and what follows.
fn next(tokens: &[SourceToken]) -> Option<(&[SourceToken], &[SourceToken])> {
    let depth = tokens.first()?.depth;
    // The first of these says whether a bracket ends the item.
    let mut outer = tokens.iter().filter(|token| token.depth == depth).map(|token| token.text.as_str());
    let first = outer.find(|word| ["enum", "fn", "impl", "struct", "trait", "use", "="].contains(word));
    let is_open = first.is_some_and(|word| ["use", "="].contains(&word));
    let is_end = |token: &SourceToken| token.text == ";" || token.text == "}" && !is_open;
    let end = tokens.iter().position(|token| token.depth == depth && is_end(token));
    tokens.split_at_checked(end.map_or(tokens.len(), |end| end + 1))
}

/// Whether an item is for tests alone.
fn is_test(item: &[SourceToken]) -> bool {
    let depth = item.first().map_or(0, |token| token.depth);
    source::attributes(item).any(|attribute| {
        attribute.first().is_some_and(|token| token.depth == depth + 1)
            && (source::begins(attribute, "cfg ( test )") || source::begins(attribute, "cfg ( all ( test"))
    })
}

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

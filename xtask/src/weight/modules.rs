//! The modules of every target: what each defines, what it imports, and every path that it names, tests apart.

use std::collections::{BTreeMap, BTreeSet};

use crate::paths::{self, Path};
use crate::tokens::{self, Token};
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
    pub(super) imports: Vec<(bool, Path)>,
    /// Other paths in the code.
    pub(super) named: Vec<Path>,
}

/// The modules of all targets of the workspace.
pub(super) fn all(workspace: &Workspace) -> Vec<Module> {
    let targets = workspace.members().flat_map(|member| &member.targets);
    let roots =
        targets.filter_map(|target| target.src_path.strip_prefix(&workspace.metadata.workspace_root).ok());
    let mut modules = Vec::new();
    for root in roots {
        let folder = root.parent().map_or_else(String::new, ToString::to_string);
        let path = vec![root.to_string()];
        file(&|path| Some(&workspace.source(path)?.tokens), root.as_str(), &folder, path, &mut modules);
    }
    modules
}

/// Reads a file and those below it; `folder` is where its modules lie.
pub(super) fn file<'a>(
    read: &impl Fn(&str) -> Option<&'a Vec<Token>>,
    name: &str,
    folder: &str,
    path: Vec<String>,
    modules: &mut Vec<Module>,
) {
    let Some(tokens) = read(name) else { return };
    let module = Module { path, file: name.to_owned(), ..Module::default() };
    body(read, tokens, folder, module, modules);
}

fn body<'a>(
    read: &impl Fn(&str) -> Option<&'a Vec<Token>>,
    tokens: &[Token],
    folder: &str,
    mut module: Module,
    modules: &mut Vec<Module>,
) {
    let mut rest = tokens;
    while let Some((item, after)) = next(rest) {
        rest = after;
        if is_test(item) {
            continue;
        }
        let depth = item.first().map_or(0, |token| token.depth);
        let find = |word: &str| item.iter().position(|token| token.depth == depth && token.text == word);
        if let Some(name) = name_after(item, "mod") {
            let below = format!("{folder}/{name}");
            let path = [module.path.as_slice(), &[name.to_owned()]].concat();
            if let Some(start) = find("{") {
                let inline = Module { path, file: module.file.clone(), ..Module::default() };
                let inside = item.get(start + 1..item.len() - 1).unwrap_or_default();
                body(read, inside, &below, inline, modules);
            } else {
                file(read, &format!("{below}.rs"), &below, path, modules);
            }
        } else if let Some(place) = find("use") {
            let found = paths::trees(item.get(place + 1..).unwrap_or_default());
            let is_public = find("pub").is_some();
            module.imports.extend(found.into_iter().map(|path| (is_public, path)));
        } else {
            module.add(item);
        }
    }
    modules.push(module);
}

impl Module {
    /// Takes in an item that is neither a module nor a `use`.
    fn add(&mut self, item: &[Token]) {
        if item.first().is_some_and(|token| token.text != "impl") {
            let name = TYPES.iter().find_map(|word| name_after(item, word));
            self.types.extend(name.map(str::to_owned));
            let name = name.or_else(|| OTHERS.iter().find_map(|word| name_after(item, word)));
            self.items.extend(name.map(str::to_owned));
        }
        self.named.extend(paths::all(item));
    }
}

/// The name behind a word that stands outside of all brackets.
fn name_after<'a>(item: &'a [Token], word: &str) -> Option<&'a str> {
    let depth = item.first()?.depth;
    let mut words = item.iter().filter(|token| token.depth == depth).map(|token| token.text.as_str());
    words.find(|other| *other == word)?;
    words.next().filter(|name| paths::is_name(name))
}

/// The first item of a row, attributes included, and what follows.
fn next(tokens: &[Token]) -> Option<(&[Token], &[Token])> {
    let depth = tokens.first()?.depth;
    let is_end = |(place, token): (usize, &Token)| {
        let is_open = tokens
            .get(..place)?
            .iter()
            .any(|token| token.depth == depth && ["use", "="].contains(&token.text.as_str()));
        (token.depth == depth && (token.text == ";" || token.text == "}" && !is_open)).then_some(place + 1)
    };
    let end = tokens.iter().enumerate().find_map(is_end).unwrap_or(tokens.len());
    tokens.split_at_checked(end)
}

/// Whether an item is for tests alone.
fn is_test(item: &[Token]) -> bool {
    let depth = item.first().map_or(0, |token| token.depth);
    tokens::attributes(item).any(|attribute| {
        attribute.first().is_some_and(|token| token.depth == depth + 1)
            && (tokens::begins(attribute, "cfg ( test )") || tokens::begins(attribute, "cfg ( all ( test"))
    })
}

/// Modules by their paths.
pub(super) fn by_path(modules: &[Module]) -> BTreeMap<&[String], &Module> {
    modules.iter().map(|module| (module.path.as_slice(), module)).collect()
}

//! The modules of every target: what each defines, what it imports, and every path that it names, tests apart.

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
                let child = Self { path, file: format!("{below}.rs"), ..Self::default() };
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

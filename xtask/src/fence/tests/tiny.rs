//! Small workspaces that real cargo reads: `tiny.txt` is one that passes, `cases.txt` holds the changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::workspace::{self, MEMBERS, Workspace};

/// The workspace before it is written out.
pub(super) struct Tiny {
    files: BTreeMap<String, String>,
    /// Crates of the registry, with what each depends on.
    crates: Vec<(String, String)>,
    /// What is changed in the answer of cargo.
    edits: Vec<String>,
}

/// One line of words, and the text below it.
#[derive(Default)]
struct Operation<'a> {
    words: Vec<&'a str>,
    /// What a replacement takes out.
    old: Vec<&'a str>,
    new: Vec<&'a str>,
}

/// The changes: the name of each, the rules that must fire, and how it is made.
pub(super) fn cases() -> Vec<(&'static str, Vec<&'static str>, &'static str)> {
    let cases = include_str!("cases.txt").split("\n== ").skip(1);
    cases
        .map(|case| {
            let (change, rest) = case.split_once("\nfires").expect("a case says what fires");
            let (rules, how) = rest.split_once('\n').expect("a line ends");
            (change, rules.split_whitespace().collect(), how)
        })
        .collect()
}

fn operations(text: &str) -> Vec<Operation<'_>> {
    let mut operations: Vec<Operation<'_>> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (mark, rest) = line.split_at(1);
        match (mark, operations.last_mut()) {
            ("|" | "+", Some(last)) => last.new.push(rest),
            ("-", Some(last)) => last.old.push(rest),
            _ => operations.push(Operation { words: line.split(' ').collect(), ..Operation::default() }),
        }
    }
    operations
}

impl Tiny {
    /// The workspace that passes, changed.
    pub(super) fn new(change: &str) -> Self {
        let mut tiny = Self { files: BTreeMap::new(), crates: Vec::new(), edits: Vec::new() };
        for text in [include_str!("tiny.txt"), change] {
            for operation in operations(text) {
                tiny.apply(&operation);
            }
        }
        tiny
    }

    fn apply(&mut self, operation: &Operation<'_>) {
        let text = operation.new.join("\n");
        match operation.words.as_slice() {
            ["write", path] => self.write(path, &text),
            ["each", path] => {
                for member in MEMBERS {
                    self.write(&format!("{member}/{path}"), &text);
                }
            }
            ["append", path] => {
                let file = self.files.entry((*path).to_owned()).or_default();
                file.extend(["\n", &text]);
            }
            ["replace", path] => {
                let file = self.files.get_mut(*path).expect("the file is there");
                let old = operation.old.join("\n");
                assert!(file.contains(&old), "{path} does not contain {old}");
                *file = file.replace(&old, &text);
            }
            ["remove", path] => assert!(self.files.remove(*path).is_some(), "{path} is not there"),
            ["member", name] => {
                let rest = format!("[lints]\nworkspace = true\n\n[dependencies]\n{text}");
                self.write(&format!("{name}/Cargo.toml"), &manifest(name, &rest));
            }
            ["package", folder, name] => {
                self.write(&format!("{folder}/Cargo.toml"), &manifest(name, ""));
                self.write(&format!("{folder}/src/lib.rs"), "");
            }
            ["crate", name, needs @ ..] => {
                let needs = needs.iter().map(|needs| format!("{needs} = \"1\"\n"));
                self.crates.push(((*name).to_owned(), needs.collect()));
            }
            ["edit", edit @ ..] => self.edits.push(edit.join(" ")),
            other => panic!("{other:?} is not an operation"),
        }
    }

    fn write(&mut self, path: &str, text: &str) {
        self.files.insert(path.to_owned(), text.to_owned());
    }

    /// Writes everything out, asks cargo, and reads it like the real one.
    pub(super) fn workspace(&self) -> (TempDir, Workspace) {
        let folder = TempDir::new().expect("a temporary folder");
        self.write_registry(folder.path());
        let root = folder.path().join("root");
        self.files.iter().for_each(|(path, text)| write(&root.join(path), text));
        let metadata = workspace::metadata(&root, &["--offline"]).expect("cargo reads it");
        let mut metadata = serde_json::to_value(metadata).expect("metadata is JSON");
        self.edits.iter().for_each(|words| edit(&mut metadata, words));
        let metadata = serde_json::from_value(metadata).expect("still metadata");
        (folder, Workspace::read(metadata).expect("the files are read"))
    }

    /// Stands in for crates.io: to cargo these packages come from there.
    fn write_registry(&self, folder: &Path) {
        let source =
            "[source.crates-io]\nreplace-with = \"vendored\"\n[source.vendored]\ndirectory = \"vendor\"\n";
        write(&folder.join(".cargo/config.toml"), source);
        for (name, needs) in &self.crates {
            let package = folder.join("vendor").join(name);
            write(&package.join("Cargo.toml"), &manifest(name, &format!("[dependencies]\n{needs}")));
            write(&package.join("src/lib.rs"), "");
            write(&package.join(".cargo-checksum.json"), r#"{"files":{},"package":null}"#);
        }
    }
}

/// Changes what cargo answered, as if it had resolved something else.
fn edit(metadata: &mut Value, words: &str) {
    let mut each = |path: &str, change: &mut dyn FnMut(&mut Value)| {
        let rows = metadata.pointer_mut(path).and_then(Value::as_array_mut);
        rows.expect("cargo resolved it").iter_mut().for_each(change);
    };
    match words.split(' ').collect::<Vec<_>>().as_slice() {
        ["unresolve", name] => each("/resolve/nodes", &mut |node| {
            node["deps"].as_array_mut().expect("deps").retain(|edge| edge["name"] != *name);
        }),
        ["source", name, source] => each("/packages", &mut |package| {
            if package["name"] == *name {
                package["source"] = json!(source);
            }
        }),
        ["feature", name, feature] => each("/resolve/nodes", &mut |node| {
            if node["id"].as_str().is_some_and(|id| id.contains(&format!("#{name}@"))) {
                node["features"] = json!([feature]);
            }
        }),
        other => panic!("{other:?} is not an edit"),
    }
}

fn manifest(name: &str, rest: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\npublish = false\n\n{rest}\n"
    )
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("not the root")).expect("folders can be made");
    fs::write(path, text).expect("files can be written");
}

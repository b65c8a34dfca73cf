//! Reads the recordings, and the committed tables of exceptions.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

/// One exchange that ended with status 200. `segments` is the path below `/api2/json`, without a query.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) name: String,
    method: String,
    segments: Vec<String>,
    pub(crate) body: String,
}

impl Recording {
    fn read(path: &Path) -> Option<Self> {
        let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let text = |pointer| file.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let path_and_query = text("/request/path").replacen("/api2/json", "", 1);
        (file["status"] == 200).then(|| Self {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            method: text("/request/method").to_owned(),
            segments: segments(path_and_query.split('?').next().unwrap()),
            body: text("/body").to_owned(),
        })
    }

    /// Whether its method and path are those of an endpoint. A last `{volume}` may hold slashes.
    pub(crate) fn is_of(&self, method: &str, template: &str) -> bool {
        let wanted = segments(template);
        let is_long = template.ends_with("{volume}") && self.segments.len() >= wanted.len();
        let mut pairs = self.segments.iter().zip(&wanted);
        self.method == method
            && (is_long || self.segments.len() == wanted.len())
            && pairs.all(|(sent, wanted)| wanted.starts_with('{') || sent == wanted)
    }
}

fn segments(path: &str) -> Vec<String> {
    path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
}

/// The recorded successes, by name.
pub(crate) fn successes() -> impl Iterator<Item = Recording> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths.into_iter().filter_map(|path| Recording::read(&path))
}

/// A committed table of exceptions: `what | reason`, one a line, `#` for comments. A line without a reason or one that
/// occurs twice is refused.
pub(crate) fn exceptions(table: &str) -> BTreeSet<String> {
    let mut exceptions = BTreeMap::new();
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (what, reason) = line.split_once(" | ").unwrap_or_else(|| panic!("no reason in {line:?}"));
        assert!(!reason.trim().is_empty(), "no reason in {line:?}");
        assert_eq!(exceptions.insert(what.to_owned(), reason), None, "{what:?} occurs twice");
    }
    exceptions.into_keys().collect()
}

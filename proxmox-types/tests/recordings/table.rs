//! Reads the committed tables of exceptions: `what | reason`, one a line, `#` for comments.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A table by its file name; a line without a reason or a line that occurs twice is refused.
pub(crate) fn read(file: &str) -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file);
    let mut table = BTreeMap::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (what, reason) =
            line.split_once(" | ").unwrap_or_else(|| panic!("{file}: no reason in {line:?}"));
        assert!(!reason.trim().is_empty(), "{file}: no reason in {line:?}");
        assert!(table.insert(what.to_owned(), reason.to_owned()).is_none(), "{file}: {what:?} occurs twice");
    }
    table
}

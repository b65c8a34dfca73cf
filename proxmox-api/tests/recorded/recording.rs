//! Reads the recordings, and the committed tables of exceptions.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proxmox_api::{Method, Response};
use serde::Deserialize;
use serde_json::Value;

/// One exchange.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) method: String,
    /// As it was sent, below `/api2/json`; nothing if it was sent elsewhere.
    pub(crate) path: Option<String>,
    /// What was sent, in the query or in the form.
    pub(crate) parameters: Value,
    /// Nothing if the server closed the connection without an answer.
    pub(crate) response: Option<Response>,
}

#[derive(Deserialize)]
struct File {
    request: Sent,
    status: Option<u16>,
    reason: Option<String>,
    body: Option<String>,
}

#[derive(Deserialize)]
struct Sent {
    method: String,
    path: String,
    query: Value,
    form: Value,
}

impl Recording {
    fn read(path: &Path) -> Self {
        let file: File = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let parameters = if file.request.form.is_null() { file.request.query } else { file.request.form };
        let response = file.status.map(|status| Response {
            status,
            reason: file.reason.unwrap_or_default(),
            date: None,
            body: file.body.unwrap_or_default().into(),
        });
        Self {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            method: file.request.method,
            path: file.request.path.strip_prefix("/api2/json").map(str::to_owned),
            parameters,
            response,
        }
    }

    /// The segments of the path, decoded.
    pub(crate) fn segments(&self) -> Vec<String> {
        let path = self.path.as_deref().unwrap_or_default();
        let decoded = |part: &str| percent_decoded(part);
        path.split('/').filter(|part| !part.is_empty()).map(decoded).collect()
    }

    pub(crate) fn method(&self) -> Option<Method> {
        let methods = [Method::Get, Method::Post, Method::Put, Method::Delete];
        methods.into_iter().find(|method| method.as_str() == self.method)
    }

    pub(crate) fn status(&self) -> Option<u16> {
        self.response.as_ref().map(|response| response.status)
    }
}

pub(crate) fn percent_decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../proxmox-types/fixtures")
}

/// All recordings, by name.
pub(crate) fn all() -> Vec<Recording> {
    let mut paths: Vec<_> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let recordings: Vec<Recording> = paths.iter().map(|path| Recording::read(path)).collect();
    assert!(recordings.len() > 800, "the recordings are not all there");
    recordings
}

/// One recording.
pub(crate) fn one(name: &str) -> Option<Recording> {
    let path = folder().join(format!("{name}.json"));
    path.exists().then(|| Recording::read(&path))
}

/// A committed table: `what | reason`, one a line, `#` for comments. Every line has a reason, and occurs once.
pub(crate) fn exceptions(text: &str) -> BTreeMap<String, String> {
    let mut table = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (what, reason) = line.split_once(" | ").unwrap_or_else(|| panic!("no reason in {line:?}"));
        assert!(table.insert(what.to_owned(), reason.to_owned()).is_none(), "{what:?} occurs twice");
    }
    table
}

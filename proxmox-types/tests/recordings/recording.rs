//! Reads the recordings.

use std::fs;
use std::path::Path;

use serde::Deserialize;

/// One exchange. `path` is as it was sent, without `/api2/json` and without a query.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: Option<u16>,
    pub(crate) body: String,
}

#[derive(Deserialize)]
struct File {
    request: Request,
    status: Option<u16>,
    body: Option<String>,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    path: String,
}

impl Recording {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let file: File = serde_json::from_str(&text).unwrap();
        let path_and_query = file.request.path.replacen("/api2/json", "", 1);
        Self {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            method: file.request.method,
            path: path_and_query.split('?').next().unwrap().to_owned(),
            status: file.status,
            body: file.body.unwrap_or_default(),
        }
    }

    /// Whether its method and path are those of an endpoint. A last `{volume}` may hold slashes.
    pub(crate) fn is_of(&self, method: &str, template: &str) -> bool {
        let split =
            |path: &'_ str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let (sent, wanted): (Vec<String>, Vec<String>) = (split(&self.path), split(template));
        let fits = match wanted.last().map(String::as_str) {
            Some("{volume}") => sent.len() >= wanted.len(),
            _ => sent.len() == wanted.len(),
        };
        let matches = |(sent, wanted): (&String, &String)| wanted.starts_with('{') || sent == wanted;
        self.method == method && fits && sent.iter().zip(&wanted).all(matches)
    }
}

/// All recordings, by name.
pub(crate) fn all() -> Vec<Recording> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths.iter().map(|path| Recording::read(path)).collect()
}

/// The recordings whose answer has the status 200.
pub(crate) fn successes() -> impl Iterator<Item = Recording> {
    all().into_iter().filter(|recording| recording.status == Some(200))
}

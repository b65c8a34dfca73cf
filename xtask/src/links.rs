//! The links of the documentation, and the paths that it names: each leads to something.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::{fs, iter};

use snafu::{ResultExt, Whatever};

/// What the repository holds.
struct Tree {
    /// Files, and the folders above them.
    paths: BTreeSet<String>,
    /// Texts of the Markdown files.
    pages: BTreeMap<String, String>,
}

/// One line for each link, anchor or path that leads nowhere.
pub(crate) fn broken() -> Result<Vec<String>, Whatever> {
    let listing =
        Command::new("git").args("ls-files --cached --others --exclude-standard".split(' ')).output();
    let listing = String::from_utf8(listing.whatever_context("cannot start git")?.stdout);
    let listing = listing.whatever_context("a path is not UTF-8")?;
    let files = listing.lines().filter(|path| Path::new(path).exists());
    let pages = files.clone().filter(|path| Path::new(path).extension().is_some_and(|end| end == "md"));
    let read = |path: &str| fs::read_to_string(path).map(|text| (path.to_owned(), text));
    let pages = pages.map(read).collect::<Result<_, _>>();
    let pages = pages.whatever_context("cannot read a page")?;
    let parents =
        |path: &str| Path::new(path).ancestors().map(|path| path.display().to_string()).collect::<Vec<_>>();
    Ok(Tree { paths: files.flat_map(parents).collect(), pages }.broken())
}

impl Tree {
    fn broken(&self) -> Vec<String> {
        let found = self.pages.iter().flat_map(|(page, text)| {
            let lines = prose(text);
            let broken = lines.into_iter().flat_map(move |(number, line)| {
                let targets = links(line).filter(|link| !self.leads(page, link));
                let paths = code(line).filter(|code| !self.names(code));
                let lost =
                    targets.chain(paths).map(move |lost| format!("{page}:{number}: {lost} is not there"));
                lost.collect::<Vec<_>>()
            });
            broken.collect::<Vec<_>>()
        });
        found.collect()
    }

    /// Whether a link of a page leads to a file or a heading; those to other places are not followed.
    fn leads(&self, page: &str, link: &str) -> bool {
        if link.contains("://") || link.starts_with("mailto:") {
            return true;
        }
        let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
        let target = if file.is_empty() { page.to_owned() } else { beside(page, file) };
        let has = |anchor| {
            self.pages
                .get(&target)
                .is_some_and(|text| prose(text).iter().any(|(_, line)| slug(line).as_deref() == Some(anchor)))
        };
        self.paths.contains(&target) && anchor.is_none_or(has)
    }

    /// Whether a text in code marks is there, if it is a path from the root; of a pattern the folder counts.
    fn names(&self, code: &str) -> bool {
        let is_path =
            code.split_once('/').is_some_and(|(root, _)| !root.is_empty() && self.paths.contains(root));
        if !is_path || code.contains([' ', '{', '<', '(']) {
            return true;
        }
        let pattern = ["*", "NAME"].iter().find_map(|mark| code.split_once(mark));
        let folder = pattern.and_then(|(before, _)| before.rsplit_once('/'));
        let path = folder.map_or(code, |(folder, _)| folder);
        let path = path.split_once(':').map_or(path, |(path, _)| path).trim_end_matches('/');
        self.paths.contains(path)
    }
}

/// The numbered lines outside of code blocks.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut is_code = false;
    let lines = (1..).zip(text.lines()).filter(|(_, line)| {
        let is_mark = line.trim_start().starts_with("```");
        is_code ^= is_mark;
        !is_code && !is_mark
    });
    lines.collect()
}

/// The targets of the links on a line, code apart.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    iter::from_fn(move || {
        let (_, after) = rest.split_once("](")?;
        let (target, after) = after.split_once(')')?;
        rest = after;
        Some(target)
    })
}

/// What stands in code marks on a line.
fn code(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// A path as seen from the folder of a page.
fn beside(page: &str, path: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// The anchor of a heading, as GitHub makes it.
fn slug(line: &str) -> Option<String> {
    let heading = line.starts_with('#').then(|| line.trim_start_matches('#').trim().to_lowercase())?;
    let letters = heading.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    Some(letters.map(|letter| if letter == ' ' { '-' } else { letter }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_or_a_path_that_leads_nowhere_is_found() {
        let cases = [
            ("[a](b.md#what-is-it) [c](../src/lib.rs) [d](https://example.org/x) [e](#top)", vec![]),
            ("[a](gone.md)", vec!["gone.md"]),
            ("[a](b.md#gone)", vec!["b.md#gone"]),
            ("[a](#gone) [b](../..)", vec!["#gone"]),
            (
                "`src/lib.rs` `src/` `src/lib.rs:3` `src/*.rs` `src/NAME.rs` `/src/gone` `other/gone` `GET /src/{node}`",
                vec![],
            ),
            ("`src/gone.rs` and `src/gone/*.rs`", vec!["src/gone.rs", "src/gone/*.rs"]),
            ("```\n[a](gone.md) `src/gone.rs`\n```", vec![]),
        ];
        for (text, expected) in cases {
            let pages =
                [("docs/a.md", format!("# Top\n{text}")), ("docs/b.md", "## What *is* it?".to_owned())];
            let pages = pages.map(|(path, text)| (path.to_owned(), text)).into();
            let paths = ["", "docs", "docs/a.md", "docs/b.md", "src", "src/lib.rs"].map(str::to_owned).into();
            let expected: Vec<_> =
                expected.iter().map(|lost| format!("docs/a.md:2: {lost} is not there")).collect();
            assert_eq!(Tree { paths, pages }.broken(), expected, "{text}");
        }
    }
}

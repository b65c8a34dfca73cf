//! The links of the documentation, and the paths that it names: each leads to something.

use std::fs;
use std::path::Path;
use std::process::Command;

use snafu::{OptionExt, ResultExt, Whatever};

/// One line for each link, anchor or path that leads nowhere.
pub(crate) fn broken() -> Result<Vec<String>, Whatever> {
    let pages =
        Command::new("git").args("ls-files --cached --others --exclude-standard *.md".split(' ')).output();
    let pages = String::from_utf8(pages.whatever_context("cannot start git")?.stdout);
    let pages = pages.whatever_context("a path is not UTF-8")?;
    let pages = pages.lines().filter(|page| Path::new(page).exists());
    let broken = pages
        .map(|page| broken_of(Path::new("."), page).with_whatever_context(|| format!("cannot read {page}")));
    Ok(broken.collect::<Result<Vec<_>, _>>()?.concat())
}

/// What leads nowhere on one page of a folder; nothing if the page cannot be read.
fn broken_of(root: &Path, page: &str) -> Option<Vec<String>> {
    let text = fs::read_to_string(root.join(page)).ok()?;
    let broken = prose(&text).flat_map(|(number, line)| {
        let links = line.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
        let links = links.filter(|link| !leads(root, page, link));
        let paths = line.split('`').skip(1).step_by(2).filter(|code| !is_there(root, code));
        links.chain(paths).map(|lost| format!("{page}:{number}: {lost} is not there")).collect::<Vec<_>>()
    });
    Some(broken.collect())
}

/// Whether a link of a page leads to a file or a heading; those to other places are not followed.
fn leads(root: &Path, page: &str, link: &str) -> bool {
    if link.contains("://") || link.starts_with("mailto:") {
        return true;
    }
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let page = root.join(page);
    let target = if file.is_empty() { page } else { page.with_file_name(file) };
    let has = |anchor| {
        let text = fs::read_to_string(&target).unwrap_or_default();
        prose(&text).any(|(_, line)| slug(line).as_deref() == Some(anchor))
    };
    target.exists() && anchor.is_none_or(has)
}

/// Whether a text in code marks is there, if it is a path from the root; of a pattern the folder counts.
fn is_there(root: &Path, code: &str) -> bool {
    let is_path =
        code.split_once('/').is_some_and(|(first, _)| !first.is_empty() && root.join(first).exists());
    if !is_path || code.starts_with("target/") || code.contains([' ', '{', '<', '(']) {
        return true;
    }
    let pattern = ["*", "NAME"].iter().find_map(|mark| code.split_once(mark));
    let folder = pattern.and_then(|(before, _)| before.rsplit_once('/'));
    let path = folder.map_or(code, |(folder, _)| folder);
    root.join(path.split_once(':').map_or(path, |(path, _)| path)).exists()
}

/// The numbered lines outside of code blocks.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let is_mark = line.trim_start().starts_with("```");
        is_code ^= is_mark;
        !is_code && !is_mark
    })
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
        let cases: [(&str, &[&str]); 7] = [
            ("[a](b.md#what-is-it) [c](../src/lib.rs) [d](https://example.org/x) [e](#top)", &[]),
            ("[a](gone.md)", &["gone.md"]),
            ("[a](b.md#gone)", &["b.md#gone"]),
            ("[a](#gone) [b](../gone)", &["#gone", "../gone"]),
            (
                "`src/lib.rs` `src/` `src/lib.rs:3` `src/*.rs` `src/NAME.rs` `/src/gone` `other/gone` `GET /src/{node}`",
                &[],
            ),
            ("`src/gone.rs` and `src/gone/*.rs`", &["src/gone.rs", "src/gone/*.rs"]),
            ("```\n[a](gone.md) `src/gone.rs`\n```", &[]),
        ];
        let root = tempfile::tempdir().expect("a folder");
        let write =
            |path: &str, text: &str| fs::write(root.path().join(path), text).expect("it can be written");
        fs::create_dir(root.path().join("docs")).expect("a folder");
        fs::create_dir(root.path().join("src")).expect("a folder");
        write("docs/b.md", "## What *is* it?");
        write("src/lib.rs", "");
        for (text, expected) in cases {
            write("docs/a.md", &format!("# Top\n{text}"));
            let expected: Vec<_> =
                expected.iter().map(|lost| format!("docs/a.md:2: {lost} is not there")).collect();
            assert_eq!(broken_of(root.path(), "docs/a.md"), Some(expected), "{text}");
        }
    }
}

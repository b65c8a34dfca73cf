//! The public API of the libraries as text, read from what rustdoc made: a change of it shows in the committed listing.

use std::collections::BTreeSet;
use std::process::Command;
use std::{fs, iter};

use snafu::{OptionExt, ResultExt, Whatever, ensure_whatever};

use crate::workspace::FENCED;

/// Documents the workspace, where a warning is an error, and lists each library: the page, and what it must hold.
pub(crate) fn listings() -> Result<Vec<(String, String)>, Whatever> {
    let mut cargo = Command::new("cargo");
    cargo.args("doc --quiet --workspace --no-deps --all-features --locked".split(' '));
    let status = cargo.env("RUSTDOCFLAGS", "-D warnings").status().whatever_context("cannot start cargo")?;
    ensure_whatever!(status.success(), "the documentation has errors");
    FENCED.iter().map(|name| Ok((format!("docs/api/{name}.txt"), listing(name)?))).collect()
}

fn listing(package: &str) -> Result<String, Whatever> {
    let folder = format!("target/doc/{}", package.replace('-', "_"));
    let index = read(&format!("{folder}/all.html"))?;
    let links = between(&index, "<li><a href=\"", "</a>").filter_map(|link| link.split_once("\">"));
    let links = links.filter(|(file, _)| !file.starts_with('#'));
    let items: BTreeSet<_> = links.map(|(file, name)| (text(name), file)).collect();
    let head = format!("{package}, all features, as rustdoc says it. Made by `cargo xtask docs`.\n");
    items.iter().try_fold(head, |listing, (name, file)| {
        let page = read(&format!("{folder}/{file}"))?;
        let item = item(name, &page).with_whatever_context(|| format!("{file} declares nothing"))?;
        Ok(listing + "\n" + &item)
    })
}

fn read(path: &str) -> Result<String, Whatever> {
    fs::read_to_string(path).with_whatever_context(|_| format!("cannot read {path}"))
}

/// One item: its path, its declaration, its own functions, and the traits that it implements by a line of their own.
fn item(path: &str, page: &str) -> Option<String> {
    let declaration = between(page, "item-decl\"><code>", "</code></pre>").next()?;
    let lines = text(declaration)
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .fold(format!("# {path}\n"), |lines, line| lines + line + "\n");
    let ends = ["synthetic-implementations", "blanket-implementations", "implementors", "foreign-impls"];
    let end = ends.iter().filter_map(|id| page.find(&format!("<h2 id=\"{id}\""))).min();
    let page = page.get(..end.unwrap_or(page.len()))?;
    let functions = between(page, "<h4 class=\"code-header\">", "</h4>").map(line);
    let functions: BTreeSet<_> = functions.filter(|function| function.starts_with("pub ")).collect();
    let name = path.rsplit("::").next()?;
    let implemented: BTreeSet<_> = between(page, "<h3 class=\"code-header\">", "</h3>")
        .map(line)
        .filter(|head| head.contains(" for ") && !head.contains("StructuralPartialEq"))
        .map(|head| of_this(&head, name).map_or_else(|| head.clone(), str::to_owned))
        .collect();
    let functions = functions.iter().fold(lines, |lines, function| lines + "    " + function + "\n");
    let implemented: Vec<_> = implemented.iter().map(String::as_str).collect();
    let end =
        if implemented.is_empty() { String::new() } else { format!("    is {}\n", implemented.join(", ")) };
    Some(functions + &end)
}

/// The trait of `impl Trait for Name`.
fn of_this<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let (implemented, target) = head.strip_prefix("impl")?.rsplit_once(" for ")?;
    let is_this = target == name || target.strip_prefix(name).is_some_and(|rest| rest.starts_with('<'));
    let implemented = implemented.trim_start();
    let bare = implemented
        .strip_prefix('<')
        .and_then(|rest| rest.split_once("> "))
        .map_or(implemented, |(_, rest)| rest);
    is_this.then_some(bare)
}

/// A text of HTML on one line.
fn line(html: &str) -> String {
    text(html).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// HTML without marks, and without the heads of what can be folded.
fn text(html: &str) -> String {
    let mut plain = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        plain.push_str(before);
        if after.starts_with("div class=\"where\"") {
            plain.push(' ');
        }
        if after.starts_with("/div") {
            plain.push('\n');
        }
        let end = if after.starts_with("summary") { "</summary>" } else { ">" };
        rest = after.split_once(end).map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    let marks = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    marks.iter().fold(plain, |plain, (mark, letter)| plain.replace(mark, letter))
}

/// Every stretch between two marks.
fn between<'a>(html: &'a str, start: &str, end: &str) -> impl Iterator<Item = &'a str> {
    let mut rest = html;
    iter::from_fn(move || {
        let (_, after) = rest.split_once(start)?;
        let (found, after) = after.split_once(end)?;
        rest = after;
        Some(found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_has_its_declaration_functions_and_traits() {
        let page = "<pre class=\"rust item-decl\"><code><div>#[x]</div>pub struct <b>A</b>&lt;'a&gt; {\n    <i>pub x</i>: u8,\n}</code></pre>\
                    <h3 class=\"code-header\">impl A&lt;'_&gt;</h3><h4 class=\"code-header\">pub fn f()<div class=\"where\">where X</div></h4>\
                    <h3 class=\"code-header\">impl&lt;'a&gt; Clone for A&lt;'a&gt;</h3><h4 class=\"code-header\">fn clone()</h4>\
                    <h3 class=\"code-header\">impl From&lt;A&gt; for u8</h3>\
                    <h2 id=\"blanket-implementations\"><h3 class=\"code-header\">impl Any for A</h3>";
        let expected = "# m::A\n#[x]\npub struct A<'a> {\n    pub x: u8,\n}\n    pub fn f() where X\n    is Clone, impl From<A> for u8\n";
        assert_eq!(item("m::A", page).as_deref(), Some(expected));
    }
}

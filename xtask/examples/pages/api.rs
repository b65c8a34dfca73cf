//! The public API of the libraries as text, read from what rustdoc made: a change of it shows in the committed listing.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use snafu::{OptionExt, ResultExt, Whatever, ensure_whatever};

/// The libraries, each in the folder of its name.
const LIBRARIES: [&str; 3] = ["proxmox-types", "proxmox-api", "proxmox-privileged"];

/// Documents the workspace, where a warning is an error, and lists each library: the page, and what it must hold.
pub(crate) fn listings() -> Result<Vec<(String, String)>, Whatever> {
    let mut cargo = Command::new("cargo");
    cargo.args("doc --quiet --workspace --no-deps --all-features --locked".split(' '));
    let status = cargo.env("RUSTDOCFLAGS", "-D warnings").status().whatever_context("cannot start cargo")?;
    ensure_whatever!(status.success(), "the documentation has errors");
    LIBRARIES.iter().map(|name| Ok((format!("docs/api/{name}.txt"), listing(name)?))).collect()
}

fn listing(package: &str) -> Result<String, Whatever> {
    let folder = format!("target/doc/{}", package.replace('-', "_"));
    let read = |file: &str| {
        let path = format!("{folder}/{file}");
        fs::read_to_string(&path).with_whatever_context(|_| format!("cannot read {path}"))
    };
    let index = read("all.html")?;
    let links = between(&index, "<li><a href=\"", "</a>").filter_map(|link| link.split_once("\">"));
    let links = links.filter(|(file, _)| !file.starts_with('#'));
    let items: BTreeSet<_> = links.map(|(file, name)| (text(name), file)).collect();
    let head = format!("{package}, all features, as rustdoc says it. Made by `cargo xtask docs`.\n");
    items.iter().try_fold(head, |listing, (name, file)| {
        let item = item(name, &read(file)?).with_whatever_context(|| format!("{file} declares nothing"))?;
        Ok(listing + "\n" + &item)
    })
}

/// One item: its path, its declaration, its own functions, and the traits that it implements by a line of their own.
fn item(path: &str, page: &str) -> Option<String> {
    let declaration = text(between(page, "item-decl\"><code>", "</code></pre>").next()?);
    let lines = declaration.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let mut item = lines.fold(format!("# {path}\n"), |item, line| item + line + "\n");
    let ends = ["synthetic-implementations", "blanket-implementations", "implementors", "foreign-impls"];
    let end = ends.iter().filter_map(|id| page.find(&format!("<h2 id=\"{id}\""))).min();
    let page = page.get(..end.unwrap_or(page.len()))?;
    let functions = between(page, "<h4 class=\"code-header\">", "</h4>").map(line);
    let functions: BTreeSet<_> = functions.filter(|function| function.starts_with("pub ")).collect();
    for function in &functions {
        item.extend(["    ", function, "\n"]);
    }
    let name = path.rsplit("::").next()?;
    let traits = between(page, "<h3 class=\"code-header\">", "</h3>").map(line);
    let traits = traits.filter(|head| head.contains(" for ") && !head.contains("StructuralPartialEq"));
    let traits = traits.map(|head| of_this(&head, name).map_or_else(|| head.clone(), str::to_owned));
    let traits: BTreeSet<_> = traits.collect();
    if !traits.is_empty() {
        item.extend(["    is ", &traits.into_iter().collect::<Vec<_>>().join(", "), "\n"]);
    }
    Some(item)
}

/// The trait of `impl Trait for Name`.
fn of_this<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let (implemented, target) = head.strip_prefix("impl")?.rsplit_once(" for ")?;
    let rest = target.strip_prefix(name).filter(|rest| rest.is_empty() || rest.starts_with('<'));
    let implemented = implemented.trim_start();
    let behind = |generics: &'a str| Some(generics.split_once("> ")?.1);
    rest.map(|_| implemented.strip_prefix('<').and_then(behind).unwrap_or(implemented))
}

/// A text of HTML on one line.
fn line(html: &str) -> String {
    text(html).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What HTML writes in another way.
const MARKS: [(&str, &str); 7] = [
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("&nbsp;", " "),
    ("&amp;", "&"),
];

/// HTML without marks, and without the heads of what can be folded.
fn text(html: &str) -> String {
    let mut plain = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        let is_where = after.starts_with("div class=\"where\"");
        let blank = if is_where {
            " "
        } else if after.starts_with("/div") {
            "\n"
        } else {
            ""
        };
        plain.extend([before, blank]);
        let end = if after.starts_with("summary") { "</summary>" } else { ">" };
        rest = after.split_once(end).map_or("", |(_, after)| after);
    }
    MARKS.iter().fold(plain + rest, |plain, (mark, letter)| plain.replace(mark, letter))
}

/// Every stretch between two marks.
fn between<'a>(html: &'a str, start: &str, end: &str) -> impl Iterator<Item = &'a str> {
    html.split(start).skip(1).filter_map(move |rest| Some(rest.split_once(end)?.0))
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

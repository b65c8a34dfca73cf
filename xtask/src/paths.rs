//! The paths into a crate that a source names, groups and all, however they are written.

use crate::tokens::{self, Token};

/// One path into a crate.
pub(crate) struct Path {
    /// `tokio::net::TcpStream`; a glob ends in `*`, and a crate that is named as a whole stands alone.
    pub(crate) text: String,
    /// What stands behind an `as`.
    alias: Option<String>,
    pub(crate) line: usize,
}

impl Path {
    /// The name that a `use` of it brings in.
    pub(crate) fn name(&self) -> &str {
        self.alias.as_deref().or_else(|| self.text.rsplit("::").next()).unwrap_or_default()
    }

    /// Whether it leads to `prefix` or below it.
    pub(crate) fn is_below(&self, prefix: &str) -> bool {
        self.text.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }
}

/// Every path that begins with the name of this crate.
pub(crate) fn into(tokens: &[Token], root: &str) -> Vec<Path> {
    let places = tokens::places(tokens).filter(|(_, rest)| tokens::begins(rest, root));
    places
        .filter_map(|(_, rest)| rest.split_first())
        .flat_map(|(first, rest)| follow(root, first.line, rest))
        .collect()
}

/// Every path of two names or more, wherever it begins.
pub(crate) fn all(tokens: &[Token]) -> Vec<Path> {
    let starts = tokens::places(tokens).filter(|(before, rest)| {
        rest.first().is_some_and(|token| is_name(&token.text))
            && rest.get(1).is_some_and(|token| token.text == ":")
            && rest.get(2).is_some_and(|token| token.text == ":")
            && !tokens::ends(before, ": :")
    });
    starts.flat_map(|(_, rest)| trees(rest)).collect()
}

/// The paths of a `use`, groups and all.
pub(crate) fn trees(tokens: &[Token]) -> Vec<Path> {
    let [first, rest @ ..] = tokens else { return Vec::new() };
    if first.text == "{" { group("", first.depth, rest) } else { follow(&first.text, first.line, rest) }
}

/// The paths that go on after `so_far`: one, or as many as the group behind it names.
fn follow(so_far: &str, line: usize, rest: &[Token]) -> Vec<Path> {
    let end = || vec![Path { text: so_far.to_owned(), alias: alias(rest), line }];
    let [first, second, next, below @ ..] = rest else { return end() };
    if first.text != ":" || second.text != ":" {
        return end();
    }
    match next.text.as_str() {
        "{" => group(so_far, next.depth, below),
        "*" => vec![Path { text: format!("{so_far}::*"), alias: None, line: next.line }],
        "self" => end(),
        text if is_name(text) => follow(&format!("{so_far}::{text}"), next.line, below),
        _ => end(),
    }
}

/// The paths of a group, whose bracket stands at this depth.
fn group(so_far: &str, depth: usize, inside: &[Token]) -> Vec<Path> {
    let end = inside.iter().position(|token| token.depth == depth).unwrap_or(inside.len());
    let inside = inside.get(..end).unwrap_or_default();
    let members = inside.split(|token| token.text == "," && token.depth == depth + 1);
    members.flat_map(|member| one(so_far, member)).collect()
}

fn one(so_far: &str, member: &[Token]) -> Vec<Path> {
    let Some((name, rest)) = member.split_first() else { return Vec::new() };
    match name.text.as_str() {
        "self" if !so_far.is_empty() => {
            vec![Path { text: so_far.to_owned(), alias: alias(rest), line: name.line }]
        }
        text if so_far.is_empty() => follow(text, name.line, rest),
        text => follow(&format!("{so_far}::{text}"), name.line, rest),
    }
}

fn alias(rest: &[Token]) -> Option<String> {
    let [word, name, ..] = rest else { return None };
    (word.text == "as").then(|| name.text.clone())
}

pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_however_it_is_written() {
        let cases: &[(&str, &[&str])] = &[
            ("use tokio::time::sleep;", &["tokio::time::sleep"]),
            (
                "use tokio::{net::{TcpStream, self}, time};",
                &["tokio::net::TcpStream", "tokio::net", "tokio::time"],
            ),
            ("use ::tokio::net as wire;", &["tokio::net"]),
            ("use tokio::net::*;", &["tokio::net::*"]),
            ("use tokio as other;", &["tokio"]),
            ("use {tokio, std::fs};", &["tokio"]),
            ("use tokio::{self};", &["tokio"]),
            ("use tokio::{*, time};", &["tokio::*", "tokio::time"]),
            ("fn f() { r#tokio::r#net::TcpSocket::new_v4(); }", &["tokio::net::TcpSocket::new_v4"]),
            ("call!(tokio net);", &["tokio"]),
            ("macro_rules! m { ($a:ident) => { tokio::$a::X } }", &["tokio"]),
            ("#[tokio::test] fn f() {}", &["tokio::test"]),
            ("type T = <tokio::net::TcpStream as Read>::X<u8>;", &["tokio::net::TcpStream"]),
            ("// tokio::net\nconst T: &str = \"tokio::net\";", &[]),
        ];
        for (text, expected) in cases {
            let tokens = tokens::read(text).expect("it is Rust");
            let found: Vec<_> = into(&tokens, "tokio").into_iter().map(|path| path.text).collect();
            assert_eq!(found, *expected, "{text}");
        }
    }
}

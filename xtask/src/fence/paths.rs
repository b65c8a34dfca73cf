//! The paths into a crate that a source names, groups and all, however they are written.

use super::tokens::{self, Token};

/// One path into a crate.
pub(super) struct Path {
    /// `tokio::net::TcpStream`; a glob ends in `*`, and a crate that is named as a whole stands alone.
    pub(super) text: String,
    pub(super) line: usize,
}

impl Path {
    /// Whether it leads to `prefix` or below it.
    pub(super) fn is_below(&self, prefix: &str) -> bool {
        self.text.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }
}

/// Every path that begins with the name of this crate.
pub(super) fn into(tokens: &[Token], root: &str) -> Vec<Path> {
    let places = tokens::places(tokens).filter(|(_, rest)| tokens::begins(rest, root));
    places
        .filter_map(|(_, rest)| rest.split_first())
        .flat_map(|(first, rest)| follow(root, first.line, rest))
        .collect()
}

/// The paths that go on after `so_far`: one, or as many as the group behind it names.
fn follow(so_far: &str, line: usize, rest: &[Token]) -> Vec<Path> {
    let end = || vec![Path { text: so_far.to_owned(), line }];
    let [first, second, next, below @ ..] = rest else { return end() };
    if first.text != ":" || second.text != ":" {
        return end();
    }
    match next.text.as_str() {
        "{" => group(so_far, next.depth, below),
        "*" => vec![Path { text: format!("{so_far}::*"), line: next.line }],
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
        "self" => vec![Path { text: so_far.to_owned(), line: name.line }],
        text => follow(&format!("{so_far}::{text}"), name.line, rest),
    }
}

fn is_name(text: &str) -> bool {
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

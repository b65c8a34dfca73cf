//! Rust source as a flat row of tokens, so that a rule is a pattern of words, and the paths that a row names.
//!
//! A real tokenizer, because text in a comment or a string is harmless and `r#std` is not. Bodies of macros are rows of
//! tokens like everything else.

use proc_macro2::{Delimiter, LexError, TokenStream, TokenTree};

/// One token.
pub(crate) struct SourceToken {
    /// As written, raw identifiers without their `r#`. Of `::` each colon is a token.
    pub(crate) text: String,
    pub(crate) line: usize,
    /// How many brackets are open around it; a bracket itself stands outside.
    pub(crate) depth: usize,
}

/// Takes a file apart.
pub(crate) fn read(text: &str) -> Result<Vec<SourceToken>, LexError> {
    let mut tokens = Vec::new();
    flatten(text.parse()?, 0, &mut tokens);
    Ok(tokens)
}

fn flatten(stream: TokenStream, depth: usize, tokens: &mut Vec<SourceToken>) {
    for tree in stream {
        let line = tree.span().start().line;
        let mut push = |text: &str, line| tokens.push(SourceToken { text: text.to_owned(), line, depth });
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                push(open, line);
                flatten(group.stream(), depth + 1, tokens);
                tokens.push(SourceToken {
                    text: close.to_owned(),
                    line: group.span_close().start().line,
                    depth,
                });
            }
            TokenTree::Ident(name) => push(name.to_string().trim_start_matches("r#"), line),
            TokenTree::Punct(mark) => push(&mark.to_string(), line),
            TokenTree::Literal(literal) => push(&literal.to_string(), line),
        }
    }
}

/// Every place in a row: what stands before it, and what begins there.
pub(crate) fn places(tokens: &[SourceToken]) -> impl Iterator<Item = (&[SourceToken], &[SourceToken])> {
    (0..tokens.len()).filter_map(|place| tokens.split_at_checked(place))
}

/// Whether a row begins with these words, which are separated by single blanks.
pub(crate) fn begins(tokens: &[SourceToken], words: &str) -> bool {
    let mut tokens = tokens.iter();
    words.split(' ').all(|word| tokens.next().is_some_and(|token| token.text == word))
}

/// Whether a row ends with these words.
pub(crate) fn ends(tokens: &[SourceToken], words: &str) -> bool {
    let mut tokens = tokens.iter().rev();
    words.rsplit(' ').all(|word| tokens.next().is_some_and(|token| token.text == word))
}

/// Whether these words stand anywhere in a row.
pub(crate) fn holds(tokens: &[SourceToken], words: &str) -> bool {
    places(tokens).any(|(_, rest)| begins(rest, words))
}

/// What stands between the brackets of every attribute, inner or outer.
pub(crate) fn attributes(tokens: &[SourceToken]) -> impl Iterator<Item = &[SourceToken]> {
    let starts = places(tokens)
        .filter(|(before, rest)| begins(rest, "[") && (ends(before, "#") || ends(before, "# !")));
    starts.filter_map(|(_, rest)| inside(rest))
}

/// What stands between the bracket that a row begins with and its partner.
pub(crate) fn inside(tokens: &[SourceToken]) -> Option<&[SourceToken]> {
    let (bracket, rest) = tokens.split_first()?;
    rest.get(..rest.iter().position(|token| token.depth == bracket.depth)?)
}

/// One path.
pub(crate) struct NamedPath {
    /// `tokio::net::TcpStream`; a glob ends in `*`, and a crate that is named as a whole stands alone.
    pub(crate) text: String,
    /// What stands behind an `as`.
    alias: Option<String>,
    pub(crate) line: usize,
}

impl NamedPath {
    /// The name that a `use` of it brings in.
    pub(crate) fn name(&self) -> &str {
        self.alias.as_deref().or_else(|| self.text.rsplit("::").next()).unwrap_or_default()
    }

    /// Whether it leads to `prefix` or below it.
    pub(crate) fn is_below(&self, prefix: &str) -> bool {
        self.text.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }
}

/// Every path that begins with the name of this crate, however it is written.
pub(crate) fn paths_into(tokens: &[SourceToken], root: &str) -> Vec<NamedPath> {
    places(tokens).filter(|(_, rest)| begins(rest, root)).flat_map(|(_, rest)| paths(rest)).collect()
}

/// Every path of two names or more, wherever it begins.
pub(crate) fn all_paths(tokens: &[SourceToken]) -> Vec<NamedPath> {
    let starts = places(tokens).filter(|(before, rest)| {
        rest.first().is_some_and(|token| is_name(&token.text))
            && rest.get(1..).is_some_and(|rest| begins(rest, ": :"))
            && !ends(before, ": :")
    });
    starts.flat_map(|(_, rest)| paths(rest)).collect()
}

/// The paths that a row begins with: one, or those of a group.
pub(crate) fn paths(tokens: &[SourceToken]) -> Vec<NamedPath> {
    tokens.first().map_or_else(Vec::new, |first| follow("", first.line, tokens))
}

/// The paths that go on after `so_far`: one, or as many as the group behind it names.
fn follow(so_far: &str, line: usize, tokens: &[SourceToken]) -> Vec<NamedPath> {
    let text = tokens.first().map_or("", |first| &first.text);
    let rest = tokens.get(1..).unwrap_or_default();
    let longer = if so_far.is_empty() { text.to_owned() } else { format!("{so_far}::{text}") };
    let line = tokens.first().filter(|_| text == "*" || is_name(text)).map_or(line, |first| first.line);
    match text {
        "{" => {
            let group = inside(tokens).unwrap_or(rest);
            let depth = group.first().map_or(0, |token| token.depth);
            let members = group.split(|token| token.text == "," && token.depth == depth);
            members
                .filter(|member| !member.is_empty())
                .flat_map(|member| follow(so_far, line, member))
                .collect()
        }
        "self" if !so_far.is_empty() => vec![NamedPath { text: so_far.to_owned(), alias: alias(rest), line }],
        "*" => vec![NamedPath { text: longer, alias: None, line }],
        _ if !is_name(text) => vec![NamedPath { text: so_far.to_owned(), alias: None, line }],
        _ if begins(rest, ": :") => follow(&longer, line, rest.get(2..).unwrap_or_default()),
        _ => vec![NamedPath { text: longer, alias: alias(rest), line }],
    }
}

fn alias(rest: &[SourceToken]) -> Option<String> {
    rest.get(1).filter(|_| begins(rest, "as")).map(|name| name.text.clone())
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
            let tokens = read(text).expect("it is Rust");
            let found: Vec<_> = paths_into(&tokens, "tokio").into_iter().map(|path| path.text).collect();
            assert_eq!(found, *expected, "{text}");
        }
    }
}

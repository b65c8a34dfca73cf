//! Rust source as a flat row of tokens, so that a rule is a pattern of words.
//!
//! A real tokenizer, because text in a comment or a string is harmless and `r#std` is not. Bodies of macros are rows of
//! tokens like everything else.

use proc_macro2::{Delimiter, LexError, TokenStream, TokenTree};

/// One token.
pub(crate) struct Token {
    /// As written, raw identifiers without their `r#`. Of `::` each colon is a token.
    pub(crate) text: String,
    pub(crate) line: usize,
    /// How many brackets are open around it; a bracket itself stands outside.
    pub(crate) depth: usize,
}

/// Takes a file apart.
pub(crate) fn read(text: &str) -> Result<Vec<Token>, LexError> {
    let mut tokens = Vec::new();
    flatten(text.parse()?, 0, &mut tokens);
    Ok(tokens)
}

fn flatten(stream: TokenStream, depth: usize, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        let mut push = |text: &str, line| tokens.push(Token { text: text.to_owned(), line, depth });
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = brackets(group.delimiter());
                push(open, line);
                flatten(group.stream(), depth + 1, tokens);
                tokens.push(Token { text: close.to_owned(), line: group.span_close().start().line, depth });
            }
            TokenTree::Ident(name) => push(name.to_string().trim_start_matches("r#"), line),
            TokenTree::Punct(mark) => push(&mark.to_string(), line),
            TokenTree::Literal(literal) => push(&literal.to_string(), line),
        }
    }
}

fn brackets(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

/// Every place in a row: what stands before it, and what begins there.
pub(crate) fn places(tokens: &[Token]) -> impl Iterator<Item = (&[Token], &[Token])> {
    (0..tokens.len()).filter_map(|place| tokens.split_at_checked(place))
}

/// Whether a row begins with these words, which are separated by single blanks.
pub(crate) fn begins(tokens: &[Token], words: &str) -> bool {
    let mut tokens = tokens.iter();
    words.split(' ').all(|word| tokens.next().is_some_and(|token| token.text == word))
}

/// Whether a row ends with these words.
pub(crate) fn ends(tokens: &[Token], words: &str) -> bool {
    let mut tokens = tokens.iter().rev();
    words.rsplit(' ').all(|word| tokens.next().is_some_and(|token| token.text == word))
}

/// Whether these words stand anywhere in a row.
pub(crate) fn holds(tokens: &[Token], words: &str) -> bool {
    places(tokens).any(|(_, rest)| begins(rest, words))
}

/// What stands between the brackets of every attribute, inner or outer.
pub(crate) fn attributes(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    places(tokens).filter_map(|(before, rest)| {
        let bracket = rest.first().filter(|token| token.text == "[")?;
        if !ends(before, "#") && !ends(before, "# !") {
            return None;
        }
        let inside = rest.get(1..)?;
        let end = inside.iter().position(|token| token.depth == bracket.depth)?;
        inside.get(..end)
    })
}

//! JSON as it was sent, read from front to back; one can go back to any place in it.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use core::cell::Cell;

use serde::de::Error as _;
use serde_json::{Error, Number};

use super::scalar::Token;

/// How deep arrays and objects may stand in each other.
const DEEPEST: usize = 128;

/// Longest text in an answer, in bytes. PVE's longest are descriptions and lines of logs; an error about a longer one
/// would hold it several times.
const LONGEST: usize = 1 << 20;

/// A place in a text.
pub(super) struct Cursor<'t> {
    text: &'t str,
    at: Cell<usize>,
    is_broken: Cell<bool>,
}

impl<'t> Cursor<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text, at: Cell::new(0), is_broken: Cell::new(false) }
    }

    pub(super) const fn at(&self) -> usize {
        self.at.get()
    }

    pub(super) fn go(&self, at: usize) {
        self.at.set(at);
    }

    /// Number of bytes that are not read yet.
    pub(super) const fn rest(&self) -> usize {
        self.text.len().saturating_sub(self.at.get())
    }

    /// Whether something was found that is not JSON. There is no going on then.
    pub(super) const fn is_broken(&self) -> bool {
        self.is_broken.get()
    }

    #[cold]
    fn broken(&self, reason: &str) -> Error {
        self.is_broken.set(true);
        Error::custom(format_args!("{reason} at byte {}", self.at()))
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or_default()
    }

    /// The next byte that is no blank; 0 at the end.
    pub(super) fn peek(&self) -> u8 {
        let mut at = self.at();
        while matches!(self.byte(at), b' ' | b'\n' | b'\t' | b'\r') {
            at += 1;
        }
        self.at.set(at);
        self.byte(at)
    }

    fn take(&self, wanted: u8) -> Result<(), Error> {
        if self.peek() != wanted {
            return Err(self.broken(&format!("expected `{}`", char::from(wanted))));
        }
        self.at.set(self.at() + 1);
        Ok(())
    }

    /// Whether all of the text is read.
    pub(super) fn finish(&self) -> Result<(), Error> {
        self.peek();
        if self.rest() == 0 { Ok(()) } else { Err(self.broken("trailing characters")) }
    }

    /// Reads a scalar, or the beginning of an array or an object that stands so deep.
    pub(super) fn token(&self, depth: usize) -> Result<Token<'t>, Error> {
        match self.peek() {
            b'"' => self.string().map(Token::Text),
            bracket @ (b'[' | b'{') => {
                if depth >= DEEPEST {
                    return Err(self.broken("recursion limit exceeded"));
                }
                self.take(bracket)?;
                Ok(if bracket == b'[' { Token::List } else { Token::Object })
            }
            b'n' => self.word("null", Token::Null),
            b't' => self.word("true", Token::Bool(true)),
            b'f' => self.word("false", Token::Bool(false)),
            _ => self.number(),
        }
    }

    fn word(&self, word: &str, token: Token<'t>) -> Result<Token<'t>, Error> {
        let end = self.at() + word.len();
        if self.slice(self.at(), end) != word {
            return Err(self.broken("expected value"));
        }
        self.at.set(end);
        Ok(token)
    }

    fn number(&self) -> Result<Token<'t>, Error> {
        let (start, mut end, mut number) = (self.at(), self.at(), 0_u64);
        while self.byte(end).is_ascii_digit() {
            number = number.wrapping_mul(10).wrapping_add((self.byte(end) - b'0').into());
            end += 1;
        }
        // A number of 19 digits fits.
        let is_plain = (1..20).contains(&(end - start)) && (self.byte(start) != b'0' || end == start + 1);
        if !is_plain || matches!(self.byte(end), b'.' | b'e' | b'E') {
            return self.odd_number();
        }
        self.at.set(end);
        Ok(Token::Unsigned(number))
    }

    /// Reads a number that is negative, has a point or an exponent, or is too large.
    fn odd_number(&self) -> Result<Token<'t>, Error> {
        let rest = self.slice(self.at(), self.text.len());
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let text = rest.split(|c| !is_part(c)).next().unwrap_or_default();
        let number: Number = serde_json::from_str(text).map_err(|_| self.broken("not a value"))?;
        self.at.set(self.at() + text.len());
        let integer = number.as_u64().map(Token::Unsigned).or_else(|| number.as_i64().map(Token::Signed));
        // `serde_json` rounds the last digit of some floats.
        Ok(integer.unwrap_or_else(|| Token::Float(text.parse().unwrap_or_default())))
    }

    /// Reads a text, which begins here.
    fn string(&self) -> Result<Cow<'t, str>, Error> {
        let start = self.at() + 1;
        let first = self.special(start);
        let mut end = first;
        while self.byte(end) == b'\\' {
            end = self.special(end + 2);
        }
        if self.byte(end) != b'"' {
            return Err(self.broken("a text does not end, or holds a control character"));
        }
        if end - start > LONGEST {
            return Err(self.broken(&format!("a text of more than {LONGEST} bytes")));
        }
        self.at.set(end + 1);
        if first == end {
            Ok(self.slice(start, end).into())
        } else {
            self.unescaped(start, end).map(Cow::Owned)
        }
    }

    fn slice(&self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// The next quote, backslash or control character, or the end. Looks at eight bytes at once.
    fn special(&self, mut at: usize) -> usize {
        const ONES: u64 = 0x0101_0101_0101_0101;
        let bytes = self.text.as_bytes();
        // The highest bit of the first byte that is below a bound; of those behind it, it means nothing.
        let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word;
        while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
            let word = u64::from_le_bytes(*chunk);
            let is_one = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
            let found = (below(word, 0x20) | is_one(b'"') | is_one(b'\\')) & (ONES << 7);
            if found != 0 {
                return at + usize::try_from(found.trailing_zeros() / 8).unwrap_or_default();
            }
            at += 8;
        }
        while !matches!(self.byte(at), 0..0x20 | b'"' | b'\\') {
            at += 1;
        }
        at
    }

    fn unescaped(&self, mut start: usize, end: usize) -> Result<String, Error> {
        let mut plain = String::with_capacity(end - start);
        loop {
            let escape = self.special(start);
            plain.push_str(self.slice(start, escape));
            if escape == end {
                return Ok(plain);
            }
            plain.push(match self.byte(escape + 1) {
                code @ (b'"' | b'/' | b'\\') => code.into(),
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                _ => {
                    let rest = format!("\"{}\"", self.slice(escape, end));
                    let rest: String =
                        serde_json::from_str(&rest).map_err(|_| self.broken("invalid escape"))?;
                    return Ok(plain + &rest);
                }
            });
            start = escape + 2;
        }
    }

    /// Goes to the next item of an array or an object; at its end, behind it.
    pub(super) fn another(&self, is_first: bool, closing: u8) -> Result<bool, Error> {
        let is_end = self.peek() == closing;
        if is_end || !is_first {
            self.take(if is_end { closing } else { b',' })?;
        }
        Ok(!is_end)
    }

    /// Reads a key and goes to its value.
    pub(super) fn key(&self) -> Result<Cow<'t, str>, Error> {
        if self.peek() != b'"' {
            return Err(self.broken("key must be a string"));
        }
        let key = self.string()?;
        self.take(b':')?;
        self.peek();
        Ok(key)
    }

    /// Reads over a value that stands so deep.
    pub(super) fn skip(&self, depth: usize) -> Result<(), Error> {
        match self.token(depth)? {
            Token::List => {}
            Token::Object => return self.entries(depth, &mut |_, _| ()),
            _ => return Ok(()),
        }
        let mut is_first = true;
        while self.another(is_first, b']')? {
            self.skip(depth + 1)?;
            is_first = false;
        }
        Ok(())
    }

    /// Reads over the entries of an object whose brace is read. Each is told, and may be read, before.
    pub(super) fn entries(
        &self,
        depth: usize,
        tell: &mut dyn FnMut(Cow<'t, str>, usize),
    ) -> Result<(), Error> {
        let mut is_first = true;
        while self.another(is_first, b'}')? {
            let (key, at) = (self.key()?, self.at());
            tell(key, at);
            self.go(at);
            self.skip(depth + 1)?;
            is_first = false;
        }
        Ok(())
    }
}

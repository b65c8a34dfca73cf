//! Reads the escapes of fstab, udev and blkid.

use alloc::string::String;
use alloc::vec::Vec;

/// A text with its escapes resolved to bytes. `escape` reads one where it stands, and gives what follows it.
pub(crate) fn unescaped(text: &[u8], escape: impl Fn(&[u8]) -> Option<(u8, &[u8])>) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, tail)) = rest.split_first() {
        let (byte, after) = escape(rest).unwrap_or((*plain, tail));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A text in which `\\x20` stands for a byte.
pub(crate) fn unhexed(text: &str) -> String {
    unescaped(text.as_bytes(), |rest| match rest {
        [b'\\', b'x', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
            Some((digit(*high) * 16 + digit(*low), tail))
        }
        _ => None,
    })
}

/// The value of a hexadecimal digit.
const fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        _ => byte.to_ascii_lowercase() - b'a' + 10,
    }
}

/// The text without the backslashes that quote the character after them.
pub(crate) fn unquoted(text: &str) -> String {
    let mut quoted = false;
    let keep = |c: &char| {
        quoted = *c == '\\' && !quoted;
        !quoted
    };
    text.chars().filter(keep).collect()
}

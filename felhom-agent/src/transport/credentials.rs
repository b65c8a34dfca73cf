//! Our own token in what a server says: a proxy may echo the header, and none of it is to be shown or kept.
//!
//! The token lives in the transport alone, so it is cut out here, before anything else sees an answer.

use std::iter::once;

use proxmox_api::{Body, Response, TransportError};
use proxmox_types::{ApiToken, Secret};

/// Shorter ones are no secrets, and would cut up ordinary words.
const SHORTEST: usize = 8;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The ways in which the secret may be written: as it is or with its characters escaped, in hex, and in base64, where it
/// may stand behind anything else.
pub(super) struct Credentials {
    forms: Vec<Secret>,
    /// Whether one of the forms may begin with a byte, for every byte: an answer may have many.
    beginnings: [bool; 256],
}

impl Credentials {
    pub(super) fn new(token: &ApiToken) -> Self {
        let secret = token.secret().expose();
        if secret.len() < SHORTEST {
            return Self { forms: Vec::new(), beginnings: [false; 256] };
        }
        let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        let encoded = (0..3).map(|before| base64(before, secret.as_bytes()));
        let forms: Vec<String> = once(secret.to_string()).chain(once(hex)).chain(encoded).collect();
        let first: Vec<u8> = forms.iter().filter_map(|form| form.bytes().next()).collect();
        let bytes: [u8; 256] = std::array::from_fn(|byte| u8::try_from(byte).unwrap_or_default());
        let may_begin = |byte: u8| b"%\\&".contains(&byte) || first.iter().any(|first| same(byte, *first));
        Self { forms: forms.into_iter().map(Secret::new).collect(), beginnings: bytes.map(may_begin) }
    }

    /// An answer without the secret. Stars take its place, so that JSON stays JSON.
    pub(super) fn cut_from(&self, mut response: Response) -> Response {
        if let Some(body) = self.cut(response.body.as_bytes()) {
            response.body = Body::from(body);
        }
        response.reason = self.cut_text(response.reason);
        response
    }

    /// A failure without the secret.
    pub(super) fn cut_from_error(&self, error: TransportError) -> TransportError {
        match error {
            TransportError::NotSent { stage, reason } => {
                TransportError::NotSent { stage, reason: self.cut_text(reason) }
            }
            TransportError::Unknown { reason } => TransportError::Unknown { reason: self.cut_text(reason) },
            other => other,
        }
    }

    fn cut_text(&self, text: String) -> String {
        match self.cut(text.as_bytes()) {
            Some(cut) => String::from_utf8_lossy(&cut).into_owned(),
            None => text,
        }
    }

    /// The bytes without the secret; nothing if they do not hold it.
    fn cut(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let is_beginning = |byte: u8| self.beginnings.get(usize::from(byte)).copied().unwrap_or(true);
        let (mut cut, mut done) = (Vec::new(), 0);
        for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| is_beginning(**byte)) {
            if at < done {
                continue;
            }
            let rest = bytes.get(at..).unwrap_or_default();
            if let Some(length) = self.forms.iter().find_map(|form| length_of(form.expose(), rest)) {
                cut.extend_from_slice(bytes.get(done..at).unwrap_or_default());
                cut.resize(cut.len() + length, b'*');
                done = at + length;
            }
        }
        if done == 0 {
            return None;
        }
        cut.extend_from_slice(bytes.get(done..).unwrap_or_default());
        Some(cut)
    }
}

/// The length of the secret with which the bytes begin, whatever of its characters is escaped.
fn length_of(secret: &str, bytes: &[u8]) -> Option<usize> {
    let mut length = 0;
    for wanted in secret.bytes() {
        let (byte, size) = unit(bytes.get(length..)?)?;
        if !same(byte, wanted) {
            return None;
        }
        length += size;
    }
    Some(length)
}

/// Whether two bytes are the same but for case and for the alphabet of base64 in addresses.
fn same(byte: u8, wanted: u8) -> bool {
    let byte = match byte {
        b'_' if wanted == b'/' => b'/',
        b'-' if wanted == b'+' => b'+',
        byte => byte,
    };
    byte.eq_ignore_ascii_case(&wanted)
}

/// The first character and how many bytes it takes: itself, `%61`, `\u0061` or `&#x61;`.
fn unit(bytes: &[u8]) -> Option<(u8, usize)> {
    if bytes.first().is_some_and(|byte| !b"%\\&".contains(byte)) {
        return bytes.first().map(|byte| (*byte, 1));
    }
    let notations: [(&[u8], &[u8]); 3] = [(b"%", b""), (b"\\u00", b""), (b"&#x", b";")];
    let escaped = notations.iter().find_map(|(before, after)| {
        let digits = bytes.strip_prefix(*before)?;
        let (digits, rest) = digits.split_at_checked(2)?;
        let byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
        rest.starts_with(after).then_some((byte, before.len() + 2 + after.len()))
    });
    escaped.or_else(|| bytes.first().map(|byte| (*byte, 1)))
}

/// What of the base64 of a text with this secret is the same whatever stands around it. `before` is how many bytes stand
/// before the secret in the group of three in which it begins.
fn base64(before: usize, secret: &[u8]) -> String {
    let bits: Vec<bool> = std::iter::repeat_n(&0_u8, before)
        .chain(secret)
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1))
        .collect();
    let sextets = bits.chunks_exact(6).skip((before * 8).div_ceil(6));
    let index = |bits: &[bool]| bits.iter().fold(0_usize, |index, bit| index * 2 + usize::from(*bit));
    sextets.filter_map(|bits| BASE64.get(index(bits))).map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "12345678-1234-1234-1234-123456789abc";

    fn cut(text: &str) -> Option<String> {
        let token = format!("felhom@pve!agent={SECRET}").parse().unwrap();
        Credentials::new(&token).cut(text.as_bytes()).map(|cut| String::from_utf8(cut).unwrap())
    }

    #[test]
    fn the_secret_is_cut_out_however_it_is_written() {
        let hex = SECRET.bytes().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat();
        let percent = SECRET.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        let json = SECRET.bytes().map(|byte| format!("\\u{byte:04x}")).collect::<Vec<_>>().concat();
        let html = SECRET.bytes().map(|byte| format!("&#x{byte:x};")).collect::<Vec<_>>().concat();
        let forms = [
            SECRET.to_string(),
            SECRET.to_uppercase(),
            SECRET.replace('-', "%2D"),
            SECRET.replace('1', "\\u0031"),
            hex,
            percent,
            json,
            html,
            // `felhom@pve!agent=SECRET`, `PVEAPIToken=...` and the secret alone, as `base64` writes them.
            "ZmVsaG9tQHB2ZSFhZ2VudD0xMjM0NTY3OC0xMjM0LTEyMzQtMTIzNC0xMjM0NTY3ODlhYmM=".into(),
            "UFZFQVBJVG9rZW49ZmVsaG9tQHB2ZSFhZ2VudD0xMjM0NTY3OC0xMjM0LTEyMzQtMTIzNC0xMjM0NTY3ODlhYmM=".into(),
            "MTIzNDU2NzgtMTIzNC0xMjM0LTEyMzQtMTIzNDU2Nzg5YWJj".into(),
        ];
        for form in forms {
            let said = cut(&format!("a {form} b {form}")).unwrap_or_else(|| panic!("{form}"));
            let stars = said.bytes().filter(|byte| *byte == b'*').count();
            assert!(
                said.starts_with("a ") && said.contains(" b ") && stars * 3 > form.len(),
                "{form}: {said}"
            );
            assert!(
                !said.contains("1234567") && !said.contains("MTIzNDU2Nz") && !said.contains("Y3OC0xMjM0"),
                "{said}"
            );
        }
    }

    #[test]
    fn nothing_else_is_touched() {
        let near = [
            "",
            "12345678-1234-1234-1234-123456789ab",
            "%",
            "\\u00",
            "&#x",
            "é%zz\\u00zz",
            "felhom@pve!agent",
        ];
        assert_eq!(near.map(cut), [const { None }; 7]);
        let short = Credentials::new(&"felhom@pve!agent=abc".parse().unwrap());
        assert_eq!(short.cut(b"abc"), None);
    }
}

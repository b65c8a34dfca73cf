//! Finds tokens that stand where they do not belong, and cuts their secrets out.

use alloc::borrow::Cow;
use alloc::string::String;
use core::ops::Range;

/// What stands in place of a secret.
const STARS: &str = "****";

/// How the characters of a token's grammar are written, in lower case: plain, in an address, in JSON, in HTML.
const AT: [&str; 4] = ["@", "%40", "\\u0040", "&#64;"];
const BANG: [&str; 5] = ["!", "%21", "\\u0021", "&#33;", "\\!"];
const EQUALS: [&str; 5] = ["=", "%3d", "\\u003d", "&#61;", "%253d"];
const COLON: [&str; 2] = [":", "%3a"];

/// The name of the header's scheme, in lower case.
const SCHEME: &str = "pveapitoken";

/// What the scheme and the signs begin with, and most of a text does not.
const FIRST: &[u8] = b"pP!%\\&=:";

/// Most characters of a user, a realm and a name that are looked at before and after the `!`.
const REACH: usize = 160;

/// Most characters between a token's name and a UUID that is taken for its secret.
const NEAR: usize = 40;

/// The text without the secrets of the tokens in it, whatever stands around them.
///
/// A token is known by its shape: `user@realm!name=secret`, also with quotes and blanks between its parts or with its
/// signs written as an address or JSON writes them, the value of `PVEAPIToken`, and a UUID next to a token's name.
///
/// ```
/// let said = proxmox_types::redact("node \"felhom@pve!agent=12345678-1234-1234-1234-123456789abc\" is unknown");
/// assert_eq!(said, "node \"felhom@pve!agent=****\" is unknown");
/// ```
pub fn redact(text: &str) -> Cow<'_, str> {
    cut(text, |rest, text, at| {
        FIRST.contains(rest.as_bytes().first()?).then_some(())?;
        after_scheme(rest, text, at).or_else(|| secret(rest, text, at))
    })
}

/// The same, and without every UUID: for text that holds nothing but what somebody mistyped.
///
/// ```
/// assert_eq!(proxmox_types::redact_strictly("tls=12345678-1234-1234-1234-123456789ABC"), "tls=****");
/// ```
pub fn redact_strictly(text: &str) -> Cow<'_, str> {
    let text = redact(text);
    match cut(&text, |rest, _, at| uuid(rest).map(|length| at..at.saturating_add(length))) {
        Cow::Borrowed(_) => text,
        Cow::Owned(cut) => Cow::Owned(cut),
    }
}

/// Cuts out what `find` finds, given the rest of the text, the text, and where the rest begins in it.
fn cut(text: &str, find: impl Fn(&str, &str, usize) -> Option<Range<usize>>) -> Cow<'_, str> {
    let (mut cut, mut done) = (String::new(), 0);
    for (at, _) in text.char_indices() {
        if at < done {
            continue;
        }
        let found = text.get(at..).and_then(|rest| find(rest, text, at));
        if let Some(range) = found.filter(|range| range.start >= done && !range.is_empty()) {
            cut.push_str(text.get(done..range.start).unwrap_or_default());
            cut.push_str(STARS);
            done = range.end;
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    cut.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(cut)
}

/// What follows the scheme of the header, unless it is a token, whose name may be shown.
fn after_scheme(rest: &str, text: &str, at: usize) -> Option<Range<usize>> {
    let after = strip(rest, &[SCHEME])?;
    let assigned = strip(after, &EQUALS);
    let value = assigned.or_else(|| strip(after, &COLON)).or_else(|| strip(after, &[" "]))?;
    let value = value.trim_start_matches(is_gap);
    let head = head(value);
    if holds(head.get(..value_length(head))?, &BANG) {
        return None;
    }
    let length = value_length(value);
    let is_word = value.get(..length)?.bytes().all(|byte| byte.is_ascii_alphabetic());
    let start = text.len().saturating_sub(value.len());
    (at < start && (assigned.is_some() || !is_word)).then(|| start..start.saturating_add(length))
}

/// The secret of the token whose `!`, or whose `=` if it has none, stands at the beginning of `rest`.
fn secret(rest: &str, text: &str, at: usize) -> Option<Range<usize>> {
    let before = text.get(..at)?;
    let range = |value: &str, length: usize| {
        let start = text.len().saturating_sub(value.len());
        start..start.saturating_add(length)
    };
    if let Some(after) = strip(rest, &BANG) {
        if let Some(length) = swapped(before) {
            return Some(length);
        }
        let name = name_length(after);
        let has_owner = ends_in_owner(before);
        return separated(after.get(name..)?, has_owner && name > 0)
            .or_else(|| has_owner.then(|| near(after)).flatten())
            .map(|(value, length)| range(value, length));
    }
    let value = strip(rest, &EQUALS).or_else(|| strip(rest, &COLON))?.trim_start_matches(is_gap);
    let length = uuid(value)?;
    holds(last_word(before), &AT).then(|| range(value, length))
}

/// The value after `=` or `:`; after a colon with a blank, which ends a sentence, only a UUID, and so where the token has
/// no owner.
fn separated(text: &str, has_owner: bool) -> Option<(&str, usize)> {
    let trimmed = text.trim_start_matches(is_gap);
    if let Some(value) = strip(text, &EQUALS).or_else(|| strip(trimmed, &EQUALS)) {
        let value = value.trim_start_matches(|c| is_gap(c) || c == '>' || c == '=');
        let length = if has_owner { value_length(value) } else { uuid(value)? };
        return Some((value, length));
    }
    let direct = strip(trimmed, &COLON)?;
    let value = direct.trim_start_matches(is_gap);
    let length = value_length(value.split('@').next()?);
    let is_joined = direct.len() == value.len() && has_owner;
    uuid(value).or_else(|| is_joined.then_some(length)).map(|length| (value, length))
}

/// A UUID that soon follows in the same line.
fn near(text: &str) -> Option<(&str, usize)> {
    let line = text.char_indices().take(NEAR).take_while(|(_, character)| *character != '\n');
    let mut places = line.filter_map(|(at, _)| text.get(at..));
    places.find_map(|rest| uuid(rest).map(|length| (rest, length)))
}

/// The secret before an owner, as in `UUID=user@realm!name`.
fn swapped(before: &str) -> Option<Range<usize>> {
    let word = last_word(before);
    let start = before.len().saturating_sub(word.len());
    let found = word.char_indices().find_map(|(at, _)| uuid(word.get(at..)?).map(|length| (at, length)));
    found.map(|(at, length)| start.saturating_add(at)..start.saturating_add(at).saturating_add(length))
}

/// Whether `user@realm` stands at the end, also with blanks around the `@`.
fn ends_in_owner(before: &str) -> bool {
    let before = tail(before).trim_end_matches(is_gap);
    let line = before.rsplit(['\n', '\r']).next().unwrap_or_default();
    let mut words = line.rsplit(is_between).filter(|word| !word.is_empty());
    words.next().is_some_and(|word| holds(word, &AT))
        || words.next().is_some_and(|word| AT.iter().any(|at| word.ends_with(at)))
}

/// The last word of a text, as far as a token can reach.
fn last_word(text: &str) -> &str {
    tail(text).trim_end_matches(['"', '\'']).rsplit(is_between).next().unwrap_or_default()
}

/// As much of the beginning as a token can reach: a server may say much, and each look must be short.
fn head(text: &str) -> &str {
    let end = text.char_indices().nth(REACH).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default()
}

/// As much of the end.
fn tail(text: &str) -> &str {
    let start = text.char_indices().rev().nth(REACH).map_or(0, |(at, _)| at);
    text.get(start..).unwrap_or_default()
}

/// The length of a token's name, with blanks before it.
fn name_length(text: &str) -> usize {
    let name = text.trim_start_matches(' ');
    let is_end = |c: char| is_gap(c) || (c.is_ascii() && !c.is_ascii_alphanumeric() && !"-_.".contains(c));
    let end = name.find(is_end).unwrap_or(name.len());
    text.len().saturating_sub(name.len()).saturating_add(end)
}

/// The length of a value that ends with a blank, a quote or a semicolon; what ends a sentence is left to it.
fn value_length(text: &str) -> usize {
    let is_end = |c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\'' | ';' | '<' | '>');
    let value = text.split(is_end).next().unwrap_or_default();
    let is_stop = |c: char| matches!(c, '.' | ',' | ':' | ')' | ']' | '}' | '`' | '\\' | '?');
    value.trim_end_matches(is_stop).len()
}

/// What may stand between the parts: blanks, quotes, and the backslash that hides a quote.
fn is_gap(character: char) -> bool {
    is_between(character) || character == '\\'
}

/// What ends a word: blanks and quotes.
fn is_between(character: char) -> bool {
    character.is_whitespace() || matches!(character, '"' | '\'' | '`' | '“' | '”' | '‘' | '’')
}

/// The text after one of these beginnings, which are in lower case.
fn strip<'t>(text: &'t str, beginnings: &[&str]) -> Option<&'t str> {
    let is_there = |beginning: &&str| {
        text.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
    };
    beginnings.iter().find(|beginning| is_there(beginning)).and_then(|beginning| text.get(beginning.len()..))
}

/// Whether one of these is somewhere in the text.
fn holds(text: &str, signs: &[&str]) -> bool {
    text.char_indices().any(|(at, _)| text.get(at..).is_some_and(|rest| strip(rest, signs).is_some()))
}

/// The length of the UUID at the beginning, which is not part of a longer word.
pub(crate) fn uuid(text: &str) -> Option<usize> {
    const LENGTH: usize = 36;
    let is_sign = |(place, byte): (usize, u8)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    (text.len() >= LENGTH && text.bytes().take(LENGTH).enumerate().all(is_sign)).then_some(LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "12345678-1234-1234-1234-123456789abc";

    #[test]
    fn no_sign_begins_with_a_byte_that_is_passed_over() {
        let signs = [&BANG[..], &EQUALS, &COLON, &[SCHEME, "PVE"]].concat();
        let is_seen = |sign: &&str| sign.bytes().next().is_some_and(|byte| FIRST.contains(&byte));
        assert!(signs.iter().all(is_seen), "{signs:?}");
    }

    /// `UUID` stands for the secret, `KEY` for one that is no UUID.
    fn redacted(text: &str) -> String {
        redact(&text.replace("UUID", UUID).replace("KEY", "hunter2/x,y")).into_owned()
    }

    const TOKENS: &[(&str, &str)] = &[
        ("felhom@pve!agent=UUID", "felhom@pve!agent=****"),
        ("felhom@pve!agent=KEY", "felhom@pve!agent=****"),
        ("`felhom@pve!agent=UUID`: not found", "`felhom@pve!agent=****`: not found"),
        ("token file /etc/felhom@pve!agent=KEY: no file", "token file /etc/felhom@pve!agent=****: no file"),
        ("PVEAPIToken=felhom@pve!agent=UUID", "PVEAPIToken=felhom@pve!agent=****"),
        (
            "authorization: pveapitoken felhom@pve!agent=KEY ok",
            "authorization: pveapitoken felhom@pve!agent=**** ok",
        ),
        ("PVEAPIToken=KEY", "PVEAPIToken=****"),
        ("PVEAPIToken=secret", "PVEAPIToken=****"),
        ("PVEAPIToken: UUID", "PVEAPIToken: ****"),
        ("felhom%40pve%21agent%3DUUID x=1", "felhom%40pve%21agent%3D**** x=1"),
        ("felhom%40pve%21agent%3dKEY", "felhom%40pve%21agent%3d****"),
        ("\"felhom@pve!agent\"=\"KEY\"", "\"felhom@pve!agent\"=\"****\""),
        ("felhom@pve!agent = 'UUID'.", "felhom@pve!agent = '****'."),
        ("felhom @ pve ! agent = KEY", "felhom @ pve ! agent = ****"),
        ("felhom@pve!agent UUID", "felhom@pve!agent ****"),
        (
            "{\"full-tokenid\":\"felhom@pve!agent\",\"value\":\"UUID\"}",
            "{\"full-tokenid\":\"felhom@pve!agent\",\"value\":\"****\"}",
        ),
        ("https://felhom@pve!agent:UUID@h:8006", "https://felhom@pve!agent:****@h:8006"),
        ("https://felhom@pve!agent=KEY@h:8006 x", "https://felhom@pve!agent=**** x"),
        ("https://felhom@pve!agent:KEY@h:8006", "https://felhom@pve!agent:****@h:8006"),
        ("UUID=felhom@pve!agent", "****=felhom@pve!agent"),
        ("felhom@pve=UUID and felhom!agent=UUID", "felhom@pve=**** and felhom!agent=****"),
        ("a@pve!aa=UUID b@pam!bb=UUID\nc@ldap!cc=KEY", "a@pve!aa=**** b@pam!bb=****\nc@ldap!cc=****"),
        ("me@example.com@ldap!agent=KEY", "me@example.com@ldap!agent=****"),
        ("\u{feff}felhom@pve!agent\u{200b}=\u{200b}KEY", "\u{feff}felhom@pve!agent\u{200b}=****"),
        ("felhom\\u0040pve\\u0021agent\\u003dKEY", "felhom\\u0040pve\\u0021agent\\u003d****"),
        ("jürgen@pve!wächter=KEY…", "jürgen@pve!wächter=****"),
        ("felhom@pve!UUID", "felhom@pve!****"),
    ];

    #[test]
    fn a_token_is_known_whatever_stands_around_it() {
        for (text, expected) in TOKENS {
            assert_eq!(redacted(text), expected.replace("UUID", UUID), "{text}");
        }
        let upper = alloc::format!("felhom@pve!agent: {}", UUID.to_uppercase());
        assert_eq!(redact(&upper), "felhom@pve!agent: ****");
    }

    #[test]
    fn what_is_no_token_stays() {
        let texts = [
            "the server refused felhom@pve!agent: No ticket",
            "pveum user token list 'felhom@pve' && pveum acl modify / --tokens 'felhom@pve!agent' --roles PVEAuditor",
            "UPID:pve1:00000001:00000002:6B052C47:vzsnapshot:300:felhom@pve!agent:",
            "UUID=UUID /mnt/a ext4 defaults 0 2",
            "usb: UUID is not plugged in!",
            "the token starts with `PVEAPIToken`, which is the header's name",
            "wrong! 1 = 2, and a@b != c",
            "felhom@pve!agent from token file /etc/felhom-agent/token",
            "",
        ];
        for text in texts {
            assert_eq!(redacted(text), text.replace("UUID", UUID), "{text}");
        }
    }

    #[test]
    fn a_long_text_is_looked_at_once() {
        for part in ["!", "a@b!", "pveapitoken=a@b!", "a@b!c:", "a@b!c= ", "\"", "@ ! "] {
            let text = part.repeat(5_000);
            assert!(redact(&text).len() <= text.len().saturating_mul(2), "{part}");
        }
    }

    #[test]
    fn every_uuid_goes_where_nothing_but_a_mistake_can_be() {
        let text = alloc::format!("\"{UUID}\" is not a pin; felhom={UUID}x");
        assert_eq!(redact_strictly(&text), "\"****\" is not a pin; felhom=****x");
        assert_eq!(redact_strictly("nothing"), "nothing");
    }
}

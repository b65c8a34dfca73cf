//! API tokens, `user@realm!name=secret`, and what must not be printed, logged or serialised.

use alloc::boxed::Box;
use core::fmt;
use core::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use snafu::Snafu;
use zeroize::Zeroizing;

use crate::shown::{Stray, first, first_invisible, uuid};

/// Which token it is, without its secret: `user@realm!name`. Safe to print.
///
/// ```
/// # use proxmox_types::TokenId;
/// let token: TokenId = "felhom@pve!agent".parse()?;
/// assert_eq!((token.user(), token.realm(), token.name()), ("felhom", "pve", "agent"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId {
    user: Box<str>,
    realm: Box<str>,
    name: Box<str>,
}

impl TokenId {
    /// The owner without the realm: `felhom` of `felhom@pve!agent`.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The realm: `pve` of `felhom@pve!agent`.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The token's own name: `agent` of `felhom@pve!agent`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The owner as PVE writes it: `felhom@pve`.
    pub fn owner(&self) -> alloc::string::String {
        alloc::format!("{}@{}", self.user, self.realm)
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}!{}", self.user, self.realm, self.name)
    }
}

impl FromStr for TokenId {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        seen(text)?;
        match text.matches('!').count() {
            0 => {
                return Err(if text.contains('@') {
                    TokenError::MissingName
                } else {
                    TokenError::MissingRealm
                });
            }
            1 => {}
            _ => return Err(TokenError::TwoNames),
        }
        let (owner, name) = text.split_once('!').ok_or(TokenError::MissingName)?;
        if name.contains('@') {
            return Err(TokenError::Swapped);
        }
        let (user, realm) = owner.rsplit_once('@').ok_or(TokenError::MissingRealm)?;
        check(is_user(user, owner), TokenError::User)?;
        check(is_identifier(realm), TokenError::Realm)?;
        check(is_identifier(name), TokenError::Name)?;
        Ok(Self { user: user.into(), realm: realm.into(), name: name.into() })
    }
}

/// An API token with its secret.
///
/// Grammar: pve-access-control `PVE/AccessControl.pm` (`verify_token`) and pve-http-server `Formatter.pm`, which
/// ends the header's value at `;` and decodes `%`.
///
/// ```
/// # use proxmox_types::ApiToken;
/// let token: ApiToken = "felhom@pve!agent=12345678-1234-1234-1234-123456789abc".parse()?;
/// assert_eq!(token.id().to_string(), "felhom@pve!agent");
/// # Ok::<(), proxmox_types::TokenError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    id: TokenId,
    secret: Secret,
}

impl ApiToken {
    /// Which token it is, without its secret.
    pub const fn id(&self) -> &TokenId {
        &self.id
    }

    /// The secret part.
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }
}

impl FromStr for ApiToken {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        check(!text.is_empty(), TokenError::Empty)?;
        seen(text)?;
        check(!text.starts_with(QUOTES) && !text.ends_with(QUOTES), TokenError::Quoted)?;
        check(!text.contains([' ', '\t', '\r', '\n']), TokenError::Blank)?;
        check(!text.starts_with("PVEAPIToken"), TokenError::Header)?;
        ascii_but_for_the_user(text)?;
        check(!is_uuid(text), TokenError::OnlySecret)?;
        let (id, secret) = text.rsplit_once('=').ok_or(TokenError::MissingSecret)?;
        check(!is_uuid(id) && !secret.contains(['@', '!']), TokenError::Swapped)?;
        check(!secret.is_empty(), TokenError::MissingSecret)?;
        check(
            secret.bytes().all(|byte| byte.is_ascii_graphic() && !b";%\"'".contains(&byte)),
            TokenError::Secret,
        )?;
        Ok(Self { id: id.parse()?, secret: Secret::new(secret) })
    }
}

/// Which part of a token is wrong. Never quotes the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Snafu)]
#[non_exhaustive]
pub enum TokenError {
    /// Nothing there.
    #[snafu(display("the token is empty"))]
    Empty,
    /// Quotes around it, from a shell or a JSON file.
    #[snafu(display("the token has quotes around it"))]
    Quoted,
    /// A blank, a tab or a newline inside or around it.
    #[snafu(display("the token holds a blank, a newline or a tab"))]
    Blank,
    /// A character that nobody sees: a byte order mark, a zero width space, a no-break space, a control character.
    #[snafu(display(
        "the token holds an invisible character: {stray}; type it anew, or copy it without that"
    ))]
    Invisible {
        /// Which one, and where.
        stray: Stray,
    },
    /// A character behind the user that PVE never puts there, as a word processor puts a long dash for a hyphen.
    #[snafu(display(
        "the token holds {stray}, which PVE never puts behind the user; after it there are ASCII characters only"
    ))]
    NotAscii {
        /// Which one, and where.
        stray: Stray,
    },
    /// The whole header instead of the token.
    #[snafu(display("the token starts with `PVEAPIToken`, which is the header's name and not part of it"))]
    Header,
    /// Only the UUID.
    #[snafu(display("the token is only the secret; `user@realm!name=` is missing before it"))]
    OnlySecret,
    /// No `=secret`.
    #[snafu(display("the token has no `=secret` at its end"))]
    MissingSecret,
    /// The secret stands where the name belongs, or the name before the user.
    #[snafu(display("the parts of the token are swapped; the order is `user@realm!name=secret`"))]
    Swapped,
    /// No `@realm`.
    #[snafu(display("the token has no `@realm` after the user; local PVE users have the realm `pve`"))]
    MissingRealm,
    /// No `!name`.
    #[snafu(display("the token has no `!name` after the realm"))]
    MissingName,
    /// More than one `!`.
    #[snafu(display("the token has more than one `!`"))]
    TwoNames,
    /// The user is malformed.
    #[snafu(display("the user of the token is empty, too long, or holds `:`, `/` or a blank"))]
    User,
    /// The realm is malformed.
    #[snafu(display(
        "the realm of the token is not 2 or more letters, digits, `.`, `-` and `_`, starting with a letter"
    ))]
    Realm,
    /// The token's name is malformed.
    #[snafu(display(
        "the name of the token is not 2 or more letters, digits, `.`, `-` and `_`, starting with a letter"
    ))]
    Name,
    /// The secret is malformed.
    #[snafu(display(
        "the secret of the token holds a character that PVE never puts there; it looks like a UUID"
    ))]
    Secret,
}

const fn check(holds: bool, error: TokenError) -> Result<(), TokenError> {
    if holds { Ok(()) } else { Err(error) }
}

/// Quotes of shells and JSON, and what word processors make of them.
const QUOTES: [char; 8] = ['"', '\'', '`', '“', '”', '„', '‘', '’'];

fn seen(text: &str) -> Result<(), TokenError> {
    first_invisible(text).map_or(Ok(()), |stray| Err(TokenError::Invisible { stray }))
}

/// PVE takes any letter in a user, and none but those of ASCII behind it.
fn ascii_but_for_the_user(text: &str) -> Result<(), TokenError> {
    let owner = text.split('!').next().unwrap_or_default();
    let user = owner.rsplit_once('@').map_or(owner, |(user, _)| user);
    let stray = first(text.get(user.len()..).unwrap_or_default(), |c| !c.is_ascii());
    stray.map_or(Ok(()), |stray| {
        let position = stray.position.saturating_add(user.chars().count());
        Err(TokenError::NotAscii { stray: Stray { position, ..stray } })
    })
}

/// `[^\s:/]+`, at most 64 bytes with the realm.
fn is_user(text: &str, owner: &str) -> bool {
    !text.is_empty() && owner.len() <= 64 && !text.contains([' ', '\t', '\r', '\n', ':', '/'])
}

/// `[A-Za-z][A-Za-z0-9.\-_]+`
fn is_identifier(text: &str) -> bool {
    text.len() >= 2
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

fn is_uuid(text: &str) -> bool {
    uuid(text) == Some(text.len())
}

/// A secret: `Debug` prints stars, there is no `Display` and no `Serialize`, and the memory is overwritten on drop.
///
/// An error that occurs while reading one never quotes the value, whatever its JSON type is.
///
/// ```
/// # use proxmox_types::Secret;
/// let secret = Secret::new("b9c1");
/// assert!(!format!("{secret:?}").contains("b9c1"));
/// assert_eq!(secret.expose(), "b9c1");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Box<str>>);

impl Secret {
    /// Wraps a secret text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The secret text. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not as a `String`: serde_json would quote a number in its own error.
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self::new(text)),
            _ => Err(D::Error::custom("invalid type: a secret must be a string")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "12345678-1234-1234-1234-123456789abc";

    #[test]
    fn a_token_has_four_parts() {
        let token: ApiToken = alloc::format!("felhom@pve!agent={UUID}").parse().unwrap();
        let id = token.id();
        assert_eq!(
            (id.user(), id.realm(), id.name(), token.secret().expose()),
            ("felhom", "pve", "agent", UUID)
        );
        assert_eq!(alloc::format!("{id}"), "felhom@pve!agent");
    }

    #[test]
    fn users_may_contain_an_at_sign() {
        let token: ApiToken = alloc::format!("me@example.com@ldap!agent={UUID}").parse().unwrap();
        assert_eq!((token.id().user(), token.id().realm()), ("me@example.com", "ldap"));
    }

    #[test]
    fn a_bad_token_says_which_part_is_wrong() {
        let cases = [
            ("", TokenError::Empty),
            ("\"felhom@pve!agent=UUID\"", TokenError::Quoted),
            ("'felhom@pve!agent=UUID'", TokenError::Quoted),
            ("felhom@pve!agent=UUID\n", TokenError::Blank),
            ("felhom@pve!agent = UUID", TokenError::Blank),
            ("PVEAPIToken=felhom@pve!agent=UUID", TokenError::Header),
            ("UUID", TokenError::OnlySecret),
            ("felhom@pve!agent", TokenError::MissingSecret),
            ("felhom@pve!agent=", TokenError::MissingSecret),
            ("UUID=felhom@pve!agent", TokenError::Swapped),
            ("agent!felhom@pve=UUID", TokenError::Swapped),
            ("felhom!agent=UUID", TokenError::MissingRealm),
            ("felhom=UUID", TokenError::MissingRealm),
            ("felhom@pve=UUID", TokenError::MissingName),
            ("felhom@pve!agent!two=UUID", TokenError::TwoNames),
            ("@pve!agent=UUID", TokenError::User),
            ("fel/hom@pve!agent=UUID", TokenError::User),
            ("felhom@p!agent=UUID", TokenError::Realm),
            ("felhom@pve!1=UUID", TokenError::Name),
            ("felhom@pve!agent=se;cret", TokenError::Secret),
            ("felhom@pve!agent=se%20cret", TokenError::Secret),
        ];
        for (text, expected) in cases {
            assert_eq!(text.replace("UUID", UUID).parse::<ApiToken>(), Err(expected), "{text}");
        }
    }

    #[test]
    fn what_nobody_sees_or_pve_never_writes_is_named() {
        let cases = [
            ("\u{feff}felhom@pve!agent=UUID", "invisible character: U+FEFF, as character 1"),
            ("felhom\u{200b}@pve!agent=UUID", "invisible character: U+200B, as character 7"),
            ("felhom@pve!agent=UUID\u{a0}", "invisible character: U+00A0, as character 54"),
            ("felhom@pve!ag\u{ad}ent=UUID", "invisible character: U+00AD, as character 14"),
            ("felhom@pve\u{202e}!agent=UUID", "invisible character: U+202E, as character 11"),
            ("felhom@pve!agent\u{2060}=UUID", "invisible character: U+2060, as character 17"),
            ("jürgen\u{200d}@pve!agent=UUID", "invisible character: U+200D, as character 7"),
            ("felhom@pve!agent=\u{1b}UUID", "invisible character: U+001B, as character 18"),
            ("felhom@pve!agent=1234\u{2013}5", "holds U+2013, as character 22"),
            ("felhom@pve!аgent=UUID", "holds U+0430, as character 12"),
            ("jürgen@pvé!agent=UUID", "holds U+00E9, as character 10"),
            ("“felhom@pve!agent=UUID”", "quotes around it"),
        ];
        for (text, expected) in cases {
            let said = alloc::format!("{}", text.replace("UUID", UUID).parse::<ApiToken>().unwrap_err());
            assert!(said.contains(expected) && !said.contains(UUID), "{text}: {said}");
        }
        let user =
            alloc::format!("jürgen@pve!agent={UUID}").parse::<ApiToken>().map(|token| token.id.owner());
        assert_eq!(user, Ok("jürgen@pve".into()));
        let id = "felhom\u{200b}@pve!agent".parse::<TokenId>();
        assert!(matches!(id, Err(TokenError::Invisible { .. })), "{id:?}");
    }

    #[test]
    fn neither_debug_nor_an_error_shows_the_secret() {
        let token: ApiToken = alloc::format!("felhom@pve!agent={UUID}").parse().unwrap();
        let error = alloc::format!("felhom@pve!agent!x={UUID}").parse::<ApiToken>().unwrap_err();
        let shown = alloc::format!("{token:?} {error} {error:?}");
        assert!(!shown.contains(UUID), "{shown}");
    }

    #[test]
    fn secrets_print_stars() {
        assert_eq!(alloc::format!("{:?}", Secret::new("hunter2")), "****");
    }

    #[test]
    fn an_error_never_quotes_the_value() {
        for json in ["12345678", "-12345678", "12345678.5", "true", "[\"12345678\"]", "{\"12345678\":1}"] {
            let error = alloc::format!("{}", serde_json::from_str::<Secret>(json).unwrap_err());
            assert!(!error.contains("12345678"), "{error}");
        }
    }
}

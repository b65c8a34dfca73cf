//! API tokens: `user@realm!name=secret`.

use alloc::boxed::Box;
use core::fmt;
use core::str::FromStr;

use snafu::Snafu;

use crate::Secret;

/// Which token it is, without its secret: `user@realm!name`. Safe to print.
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
        check(is_user(user), TokenError::User)?;
        check(is_identifier(realm), TokenError::Realm)?;
        check(is_identifier(name), TokenError::Name)?;
        Ok(Self { user: user.into(), realm: realm.into(), name: name.into() })
    }
}

/// An API token with its secret.
///
/// Grammar: pve-access-control `PVE/AccessControl.pm` (`verify_token`) and pve-http-server `Formatter.pm`, which
/// ends the header's value at `;` and decodes `%`.
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
        check(!text.starts_with(['"', '\'']) && !text.ends_with(['"', '\'']), TokenError::Quoted)?;
        check(!text.contains(|c: char| c.is_whitespace() || c.is_control()), TokenError::Blank)?;
        check(!text.starts_with("PVEAPIToken"), TokenError::Header)?;
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
    /// A blank, a newline or a control character inside or around it.
    #[snafu(display("the token holds a blank, a newline or a control character"))]
    Blank,
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

fn is_user(text: &str) -> bool {
    (1..=60).contains(&text.len()) && !text.contains(|c: char| c.is_whitespace() || matches!(c, ':' | '/'))
}

/// `[A-Za-z][A-Za-z0-9.\-_]+`
fn is_identifier(text: &str) -> bool {
    text.len() >= 2
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

fn is_uuid(text: &str) -> bool {
    text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
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
    fn neither_debug_nor_an_error_shows_the_secret() {
        let token: ApiToken = alloc::format!("felhom@pve!agent={UUID}").parse().unwrap();
        let error = alloc::format!("felhom@pve!agent!x={UUID}").parse::<ApiToken>().unwrap_err();
        let shown = alloc::format!("{token:?} {error} {error:?}");
        assert!(!shown.contains(UUID), "{shown}");
    }
}

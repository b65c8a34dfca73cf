//! The address of pveproxy: `https://host:port`, and what is said of one that is written otherwise.

use std::net::{Ipv4Addr, Ipv6Addr};

use proxmox_types::{LONGEST_SNIPPET, clean, first_invisible};

/// The port of pveproxy.
const PORT: u16 = 8006;

/// An address of the form `https://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Host name, or an IP address, which stands in brackets if it is one of version 6.
    pub host: String,
    /// Port; 8006 unless it is said.
    pub port: u16,
}

impl Url {
    /// Reads an address. A slash at its end is left out.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some(stray) = first_invisible(text) {
            return Err(format!("holds an invisible character: {stray}"));
        }
        if text.contains(char::is_whitespace) {
            return Err("holds a blank".into());
        }
        let rest = after_scheme(text)?;
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (place, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if place.contains('@') {
            return Err(
                "holds a user, which belongs into the token; only `host:port` may follow `https://`".into()
            );
        }
        let (host, port) = parts(place)?;
        let port = port.map_or(Ok(PORT), port_of)?;
        let host = host_of(host)?;
        if !["", "/"].contains(&path) {
            return Err(format!(
                "nothing may follow `{host}:{port}`, and there is `{}`",
                clean(path, LONGEST_SNIPPET)
            ));
        }
        Ok(Self { host: host.into(), port })
    }

    /// The host without brackets.
    pub fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "https://{}:{}", self.host, self.port)
    }
}

fn after_scheme(text: &str) -> Result<&str, String> {
    const SCHEME: &str = "https://";
    if text.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME)) {
        return Ok(text.get(SCHEME.len()..).unwrap_or_default());
    }
    let found = match text.split_once("://") {
        Some((scheme, _)) => format!(", and it starts with `{}://`", clean(scheme, LONGEST_SNIPPET)),
        None => String::new(),
    };
    Err(format!("must start with `https://`; pveproxy speaks nothing else{found}"))
}

/// The host and the text of the port.
fn parts(place: &str) -> Result<(&str, Option<&str>), String> {
    if place.starts_with('[') {
        let end = place.find(']').ok_or("`[` opens an address of version 6, and no `]` ends it")?;
        let (host, rest) = place.split_at_checked(end.saturating_add(1)).unwrap_or((place, ""));
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(format!("only `:port` may follow `{host}`")),
        };
    }
    match place.split_once(':') {
        Some((_, rest)) if rest.contains(':') => Err(if place.parse::<Ipv6Addr>().is_ok() {
            format!("an address of version 6 stands in brackets: `https://[{place}]:{PORT}`")
        } else {
            "has more than one `:`; it must be `https://host:port`".into()
        }),
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((place, None)),
    }
}

fn port_of(text: &str) -> Result<u16, String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| is_number && *port != 0);
    port.ok_or_else(|| match text {
        "" => "the port is missing after the `:`".into(),
        text => {
            format!("`{}` is not a port, which is a number from 1 to 65535", clean(text, LONGEST_SNIPPET))
        }
    })
}

fn host_of(host: &str) -> Result<&str, String> {
    if host.is_empty() {
        return Err("has no host".into());
    }
    if let Some(v6) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        let problem = if v6.contains('%') {
            "has a zone; name an address without one"
        } else {
            "is not an address of version 6"
        };
        return if v6.parse::<Ipv6Addr>().is_ok() {
            Ok(host)
        } else {
            Err(format!("`{}` {problem}", clean(v6, LONGEST_SNIPPET)))
        };
    }
    let is_number = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_number && host.parse::<Ipv4Addr>().is_err() {
        return Err(format!("`{}` is not an address of version 4", clean(host, LONGEST_SNIPPET)));
    }
    name_problem(host).map_or(Ok(host), |problem| {
        Err(format!("`{}` is no host name: {problem}", clean(host, LONGEST_SNIPPET)))
    })
}

/// Why it is no host name: labels of letters, digits and inner hyphens, at most 63 characters each.
fn name_problem(host: &str) -> Option<String> {
    let is_odd = |c: &char| !c.is_ascii_alphanumeric() && *c != '-' && *c != '.';
    if let Some(odd) = host.chars().find(is_odd) {
        let more = if odd == '_' { "; certificates are for names without, or use the address" } else { "" };
        return Some(format!("it holds `{odd}`, and a name has letters, digits, `-` and `.` only{more}"));
    }
    let labels = || host.split('.');
    if labels().any(str::is_empty) {
        return Some("nothing stands beside a `.`".into());
    }
    if labels().any(|label| label.starts_with('-') || label.ends_with('-')) {
        return Some("a `-` stands at the edge of a part".into());
    }
    let is_long = host.len() > 253 || labels().any(|label| label.len() > 63);
    is_long.then(|| "it is too long: 253 characters, 63 for each part, are the most".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_a_host_and_a_port_and_nothing_else() {
        let cases = [
            ("https://pve1", "https://pve1:8006"),
            ("https://pve1.lan:443/", "https://pve1.lan:443"),
            ("https://[::1]:8006", "https://[::1]:8006"),
            ("https://[2001:db8::7]/", "https://[2001:db8::7]:8006"),
            ("https://127.0.0.1", "https://127.0.0.1:8006"),
            ("HTTPS://PVE1:65535", "https://PVE1:65535"),
            ("https://1and1.example", "https://1and1.example:8006"),
        ];
        for (text, expected) in cases {
            assert_eq!(Url::parse(text).map(|url| url.to_string()), Ok(expected.into()), "{text}");
        }
    }

    const WRONG: &[(&str, &str)] = &[
        (
            "http://pve1",
            "must start with `https://`; pveproxy speaks nothing else, and it starts with `http://`",
        ),
        ("pve1:8006", "must start with `https://`; pveproxy speaks nothing else"),
        ("https:/pve1", "must start with `https://`; pveproxy speaks nothing else"),
        ("https://", "has no host"),
        ("https://:8006", "has no host"),
        ("https://pve1:", "the port is missing after the `:`"),
        ("https://pve1:/", "the port is missing after the `:`"),
        ("https://pve1:x", "`x` is not a port, which is a number from 1 to 65535"),
        ("https://pve1:0", "`0` is not a port, which is a number from 1 to 65535"),
        ("https://pve1:99999", "`99999` is not a port, which is a number from 1 to 65535"),
        ("https://pve1:+80", "`+80` is not a port, which is a number from 1 to 65535"),
        ("https://h:8006/api2/json", "nothing may follow `h:8006`, and there is `/api2/json`"),
        (
            "https://pve.example.org/api2/json",
            "nothing may follow `pve.example.org:8006`, and there is `/api2/json`",
        ),
        ("https://h:8006//", "nothing may follow `h:8006`, and there is `//`"),
        ("https://h?x=1", "nothing may follow `h:8006`, and there is `?x=1`"),
        ("https://h:8006/#v1:0:18", "nothing may follow `h:8006`, and there is `/#v1:0:18`"),
        ("https://[::1]:8006/api2", "nothing may follow `[::1]:8006`, and there is `/api2`"),
        (
            "https://root@h",
            "holds a user, which belongs into the token; only `host:port` may follow `https://`",
        ),
        ("https://h :8006", "holds a blank"),
        (" https://h", "holds a blank"),
        ("https://h\u{200b}:8006", "holds an invisible character: U+200B, as character 10"),
        ("https://[::g]", "`::g` is not an address of version 6"),
        ("https://[::1", "`[` opens an address of version 6, and no `]` ends it"),
        ("https://[::1]x", "only `:port` may follow `[::1]`"),
        ("https://[fe80::1%eth0]", "`fe80::1%eth0` has a zone; name an address without one"),
        ("https://::1", "an address of version 6 stands in brackets: `https://[::1]:8006`"),
        ("https://pve1:8006:8006", "has more than one `:`; it must be `https://host:port`"),
        ("https://300.0.2.1", "`300.0.2.1` is not an address of version 4"),
        ("https://a..b", "`a..b` is no host name: nothing stands beside a `.`"),
        ("https://-a", "`-a` is no host name: a `-` stands at the edge of a part"),
        (
            "https://pvé",
            "`pvé` is no host name: it holds `é`, and a name has letters, digits, `-` and `.` only",
        ),
        (
            "https://pve_1.lan:8006",
            "`pve_1.lan` is no host name: it holds `_`, and a name has letters, digits, `-` and `.` only; \
             certificates are for names without, or use the address",
        ),
    ];

    #[test]
    fn a_wrong_url_is_told_by_the_rule_that_it_breaks() {
        for (text, expected) in WRONG {
            assert_eq!(Url::parse(text), Err((*expected).into()), "{text}");
        }
        let long = format!("https://{}", "a".repeat(64));
        assert!(Url::parse(&long).unwrap_err().contains("it is too long"), "{long}");
    }
}

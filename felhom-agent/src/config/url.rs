//! The address of pveproxy: `https://host:port`.

use hyper::Uri;
use proxmox_types::{LONGEST_SNIPPET, clean, first_invisible};
use rustls::pki_types::ServerName;

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
        if !text.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://")) {
            return Err("must start with `https://`; pveproxy speaks nothing else".into());
        }
        let uri: Uri = text.parse().map_err(|error| {
            format!("must be `https://host:port`, with an address of version 6 in brackets: {error}")
        })?;
        let place = uri.authority().map_or("", |authority| authority.as_str());
        if place.contains('@') {
            return Err("holds a user, which belongs into the token".into());
        }
        let host = uri.host().unwrap_or_default();
        if ServerName::try_from(host.trim_matches(['[', ']'])).is_err() {
            return Err(format!("`{}` is not a host name or an address", clean(host, LONGEST_SNIPPET)));
        }
        let port = match place.get(host.len()..).unwrap_or_default().strip_prefix(':') {
            None => PORT,
            Some(port) => uri.port_u16().filter(|port| *port > 0).ok_or_else(|| {
                format!("`{}` is not a port: a number from 1 to 65535", clean(port, LONGEST_SNIPPET))
            })?,
        };
        match uri.path_and_query().map_or("/", |path| path.as_str()) {
            "/" => Ok(Self { host: host.into(), port }),
            path => Err(format!(
                "nothing may follow `{host}:{port}`, and there is `{}`",
                clean(path, LONGEST_SNIPPET)
            )),
        }
    }

    /// The host without brackets.
    pub fn bare_host(&self) -> &str {
        self.host.trim_matches(['[', ']'])
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "https://{}:{}", self.host, self.port)
    }
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
            // As the browser has it.
            ("https://h:8006/#v1:0:18", "https://h:8006"),
        ];
        for (text, expected) in cases {
            assert_eq!(Url::parse(text).map(|url| url.to_string()), Ok(expected.into()), "{text}");
        }
    }

    /// What an address must not be, by the rule that it breaks.
    const WRONG: &[(&str, &[&str])] = &[
        ("must start with `https://`", &["http://pve1", "pve1:8006", "https:/pve1", " https://h", ""]),
        ("must be `https://host:port`, ", &["https://", "https://h :8006", "https://[::1", "https://::1"]),
        ("must be `https://host:port`, ", &["https://a:1:2", "https://pvé"]),
        ("`` is not a host name", &["https://:8006"]),
        ("`300.0.2.1` is not a host name", &["https://300.0.2.1"]),
        ("`a..b` is not a host name", &["https://a..b"]),
        ("`-a` is not a host name", &["https://-a"]),
        ("`[fe80::1%eth0]` is not a host name", &["https://[fe80::1%eth0]"]),
        ("`[::g]` is not a host name", &["https://[::g]"]),
        ("`` is not a port", &["https://pve1:", "https://pve1:/"]),
        ("`x` is not a port", &["https://pve1:x"]),
        ("`0` is not a port", &["https://pve1:0"]),
        ("`99999` is not a port", &["https://pve1:99999"]),
        ("nothing may follow `h:8006`, and there is `/api2/json`", &["https://h:8006/api2/json"]),
        ("nothing may follow `h:8006`, and there is `//`", &["https://h:8006//"]),
        ("nothing may follow `h:8006`, and there is `?x=1`", &["https://h?x=1"]),
        ("nothing may follow `[::1]:8006`, and there is `/api2`", &["https://[::1]:8006/api2"]),
        ("holds a user", &["https://root@h"]),
        ("holds an invisible character: U+200B, as character 10", &["https://h\u{200b}:8006"]),
    ];

    #[test]
    fn a_wrong_url_is_told_by_the_rule_that_it_breaks() {
        for (expected, texts) in WRONG {
            for text in *texts {
                let problem = Url::parse(text).unwrap_err();
                assert!(problem.starts_with(expected), "{text}: {problem}");
            }
        }
        Url::parse(&format!("https://{}", "a".repeat(64))).unwrap_err();
    }
}

//! clippy's bans on process and socket types stand, and only the listed files are excepted.

use std::collections::{BTreeMap, BTreeSet};

use toml::Value;

use crate::list;
use crate::tokens::{self, Token};
use crate::workspace::{AGENT, FENCED, Source, Violation, Workspace};

/// Types that no fenced crate may use.
const FENCED_TYPES: &[&str] = &[
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::os::unix::net::UnixDatagram",
    "std::os::unix::net::UnixListener",
    "std::os::unix::net::UnixStream",
    "std::process::Command",
];
/// Types that the agent may use in its runner and in its transport.
const AGENT_TYPES: &[&str] = &[
    "hyper_util::client::legacy::connect::HttpConnector",
    "std::net::TcpStream",
    "std::os::unix::net::UnixStream",
    "std::process::Command",
    "tokio::net::TcpStream",
    "tokio::net::UnixStream",
    "tokio::process::Command",
];
const METHODS: &[&str] = &["std::net::ToSocketAddrs::to_socket_addrs", "std::process::exit"];

/// What the crate roots must say. A fenced crate cannot take its bans back anywhere; the agent can where it is listed.
const FENCED_ROOT: &str = "# ! [ forbid ( clippy : : disallowed_types , clippy : : disallowed_methods ) ]";
const AGENT_ROOT: &str = "# ! [ deny ( clippy : : disallowed_methods , clippy : : disallowed_types ) ]";

/// Lints and groups that switch the bans off when expected.
const SWITCHES: &[&str] =
    &["disallowed_types", "disallowed_methods", "clippy : : all", "clippy : : style", "warnings"];

/// The bans stand in every clippy.toml, the crate roots forbid their removal, and the excepted files are those listed.
pub(super) fn bans(workspace: &Workspace) -> Vec<Violation> {
    let fenced = FENCED.iter().flat_map(|member| standing(workspace, member, FENCED_TYPES, FENCED_ROOT));
    let agent = standing(workspace, AGENT, AGENT_TYPES, AGENT_ROOT);
    let exceptions = exceptions(workspace).unwrap_or_else(|violation| vec![violation]);
    fenced.chain(agent).chain(exceptions).collect()
}

fn standing(workspace: &Workspace, member: &str, types: &[&str], root: &str) -> Vec<Violation> {
    let path = format!("{member}/clippy.toml");
    let missing = workspace.toml(&path).map(|settings| {
        let types = lacking(&settings, "disallowed-types", types);
        let methods = lacking(&settings, "disallowed-methods", METHODS);
        types.chain(methods).map(|ban| Violation::new(format!("{path} does not ban {ban}"))).collect()
    });
    let lib = format!("{member}/src/lib.rs");
    let forbids = workspace.source(&lib).is_some_and(|source| tokens::holds(&source.tokens, root));
    let silent = (!forbids).then(|| Violation::new(format!("{lib} does not say {}", root.replace(' ', ""))));
    missing.unwrap_or_else(|violation| vec![violation]).into_iter().chain(silent).collect()
}

/// The paths that a table of bans lacks.
fn lacking<'a>(
    settings: &toml::Table,
    key: &str,
    required: &'a [&str],
) -> impl Iterator<Item = &'a str> + use<'a> {
    let entries = settings.get(key).and_then(Value::as_array).into_iter().flatten();
    let path = |entry: &Value| entry.as_str().or_else(|| entry.get("path")?.as_str()).map(str::to_owned);
    let banned: BTreeSet<_> = entries.filter_map(path).collect();
    required.iter().copied().filter(move |required| !banned.contains(*required))
}

/// The files of the agent that switch the bans off, against the list of those that may, once each.
fn exceptions(workspace: &Workspace) -> Result<Vec<Violation>, Violation> {
    let listed = list::read(workspace, AGENT)?;
    let sources = workspace.sources(&format!("{AGENT}/src"));
    let counts: BTreeMap<_, _> = sources.map(|source| (source.path.clone(), switches(source))).collect();
    let listing = |path: &String| usize::from(listed.contains(path));
    let astray = counts.iter().filter(|(path, count)| **count != listing(path));
    let astray = astray.map(|(path, count)| {
        format!("{path} switches the bans off, listed for {} and found {count}", listing(path))
    });
    let unused = listed.iter().filter(|path| !counts.contains_key(*path));
    let unused = unused.map(|path| format!("{path} may switch the bans off, but is not there"));
    Ok(astray.chain(unused).map(Violation::new).collect())
}

fn switches(source: &Source) -> usize {
    tokens::attributes(&source.tokens).filter(|attribute| is_switch(attribute)).count()
}

fn is_switch(attribute: &[Token]) -> bool {
    let expects = tokens::begins(attribute, "expect (") || tokens::begins(attribute, "cfg_attr");
    expects && SWITCHES.iter().any(|switch| tokens::holds(attribute, switch))
}

//! What a source may say: a fenced crate sees no std, no source that ships holds a word that goes around the fence,
//! clippy's bans stand but in the listed files, and what the agent names of the crates that have doors is listed.
//!
//! `std` does not exist in a fenced crate, so `std::process` cannot be named there. In the agent everything is allowed by
//! a line or not at all, so that a new way out is refused before anybody has heard of it.

use std::collections::{BTreeMap, BTreeSet};

use toml::Value;

use super::packages;
use crate::source::{self, SourceToken, begins, ends, holds, places};
use crate::workspace::{AGENT, FENCED, RustFile, Workspace};

/// Where a file matches, with what is wrong there.
fn found(
    source: &RustFile,
    what: &str,
    matches: impl Fn(&[SourceToken], &[SourceToken]) -> bool,
) -> Vec<String> {
    let places = places(&source.tokens).filter(|(before, rest)| matches(before, rest));
    places.filter_map(|(_, rest)| Some(line(source, rest.first()?, what))).collect()
}

/// Where an attribute matches, with what is wrong there.
pub(super) fn attributes(
    source: &RustFile,
    what: &str,
    matches: impl Fn(&[SourceToken]) -> bool,
) -> Vec<String> {
    let attributes = source::attributes(&source.tokens).filter(|attribute| matches(attribute));
    attributes.filter_map(|attribute| Some(line(source, attribute.first()?, what))).collect()
}

fn line(source: &RustFile, token: &SourceToken, what: &str) -> String {
    format!("{}:{}: {what}", source.path, token.line)
}

/// The simulated node, which alone may use some of std.
const SIM: &str = "proxmox-api/src/sim.rs";
const SIM_FOLDER: &str = "proxmox-api/src/sim/";
/// The modules of std that it may use.
const SIM_MAY_USE: [&str; 2] = ["std : : sync : :", "std : : time : :"];

/// Words, in code and in the bodies of macros alike, with why they are refused.
const REFUSED: &[(&str, &str)] = &[
    ("asm", "`asm`: assembly can make any system call"),
    ("global_asm", "`global_asm`: assembly can make any system call"),
    ("include", "`include`: takes in code that is not looked at here"),
    ("naked_asm", "`naked_asm`: assembly can make any system call"),
    ("unsafe", "`unsafe`: unsafe code can do anything"),
];

/// No assembly, no unsafe code, no source from elsewhere, no hidden item of a dependency, and of std only what the
/// simulated node needs.
pub(super) fn words(workspace: &Workspace) -> Vec<String> {
    let sources = FENCED.iter().flat_map(|member| workspace.sources(&format!("{member}/src")));
    sources.chain(workspace.shipped_sources()).flat_map(refused).collect()
}

fn refused(source: &RustFile) -> Vec<String> {
    let words = REFUSED.iter().flat_map(|(word, why)| found(source, why, |_, rest| begins(rest, word)));
    let moved = attributes(source, "#[path] takes in code from elsewhere", |attribute| {
        begins(attribute, "path =") || begins(attribute, "cfg_attr") && holds(attribute, ", path =")
    });
    let made = attributes(source, "an attribute made by a macro", |attribute| is_made(source, attribute));
    // Dependencies keep what their macros need, std included, behind two underscores.
    let hidden = found(source, "a hidden item of a dependency", |_, rest| {
        rest.first().is_some_and(|token| token.text.starts_with("__"))
    });
    let is_sim = source.path == SIM || source.path.starts_with(SIM_FOLDER);
    let std = found(source, "the simulated node may use std::sync and std::time only", |before, rest| {
        is_sim
            && begins(rest, "std")
            && !ends(before, "extern crate")
            && !SIM_MAY_USE.iter().any(|allowed| begins(rest, allowed))
    });
    words.chain(moved).chain(made).chain(hidden).chain(std).collect()
}

/// Whether a macro puts an attribute together, so that it is written nowhere.
///
/// Handing on what stands as an attribute where the macro is called is none: `$(#[$doc:meta])*` and `$(#[$doc])*`. Nor is
/// documentation, which is text and takes in no code: `#[doc = concat!("`", $path, "`")]`.
fn is_made(source: &RustFile, attribute: &[SourceToken]) -> bool {
    let words: Vec<_> = attribute.iter().map(|token| token.text.as_str()).collect();
    match words.as_slice() {
        ["doc", "=", ..] => false,
        ["$", name, ":", "meta"] => *name == "(",
        ["$", name] => !is_handed_on(source, name),
        words => words.contains(&"$"),
    }
}

/// Whether a variable of a macro stands for nothing but what is written in the brackets of an attribute.
fn is_handed_on(source: &RustFile, name: &str) -> bool {
    let binding = format!("$ {name} :");
    let bindings = places(&source.tokens).filter(|(_, rest)| begins(rest, &binding));
    let are_meta: Vec<_> = bindings
        .map(|(before, rest)| ends(before, "# [") && begins(rest, &format!("{binding} meta ]")))
        .collect();
    !are_meta.is_empty() && !are_meta.contains(&false)
}

/// Every fenced crate is `no_std`, and links only `alloc`, `std` in its tests, and `std` inside the simulated node.
///
/// A root-level `extern crate std` under a feature would open the whole crate to it; the one inside a module does not.
pub(super) fn no_std(workspace: &Workspace) -> Vec<String> {
    FENCED.iter().flat_map(|member| dressed(workspace, member)).collect()
}

fn dressed(workspace: &Workspace, member: &str) -> Vec<String> {
    let root = format!("{member}/src/lib.rs");
    let lib = workspace.source(&root);
    let is_bare =
        |(_, rest): (&[SourceToken], &[SourceToken])| begins(rest, "# ! [ no_std ]") && is_at_root(rest);
    let is_bare = lib.is_some_and(|lib| places(&lib.tokens).any(is_bare));
    let dressed = (!is_bare).then(|| format!("{root} does not say #![no_std]"));
    let gates = ["# [ cfg ( feature = \"sim\" ) ]", "# [ cfg ( feature = \"sim\" ) ] pub"];
    let sim = lib.into_iter().flat_map(|lib| {
        found(lib, "`mod sim` is not under #[cfg(feature = \"sim\")]", |before, rest| {
            begins(rest, "mod sim") && !gates.iter().any(|gate| ends(before, gate))
        })
    });
    let links = workspace.sources(&format!("{member}/src")).flat_map(|source| {
        found(source, "`extern` where it is not allowed", |before, rest| {
            begins(rest, "extern") && !(is_link(source, &root, before, rest) && is_at_root(rest))
        })
    });
    dressed.into_iter().chain(sim).chain(links).collect()
}

/// Whether a source may link what it links here.
fn is_link(source: &RustFile, root: &str, before: &[SourceToken], rest: &[SourceToken]) -> bool {
    let is_std = begins(rest, "extern crate std ;");
    let is_public = ends(before, "pub") || ends(before, ")");
    source.path == root && begins(rest, "extern crate alloc ;")
        || source.path == root && is_std && ends(before, "# [ cfg ( test ) ]")
        || source.path == SIM && is_std && !is_public
}

fn is_at_root(rest: &[SourceToken]) -> bool {
    rest.first().is_some_and(|token| token.depth == 0)
}

/// Types that no fenced crate may use.
const FENCED_TYPES: &str = "std::net::TcpListener std::net::TcpStream std::net::UdpSocket \
                            std::os::unix::net::UnixDatagram std::os::unix::net::UnixListener \
                            std::os::unix::net::UnixStream std::process::Command";
/// Types that the agent may use in its runner and in its transport.
const AGENT_TYPES: &str = "hyper_util::client::legacy::connect::HttpConnector std::net::TcpStream \
                           std::os::unix::net::UnixStream std::process::Command tokio::net::TcpStream \
                           tokio::net::UnixStream tokio::process::Command";
const METHODS: &str = "std::net::ToSocketAddrs::to_socket_addrs std::process::exit";

/// What the crate roots must say. A fenced crate cannot take its bans back anywhere; the agent can where it is listed.
const FENCED_ROOT: &str = "# ! [ forbid ( clippy : : disallowed_types , clippy : : disallowed_methods ) ]";
const AGENT_ROOT: &str = "# ! [ deny ( clippy : : disallowed_methods , clippy : : disallowed_types ) ]";

/// Lints and groups that switch the bans off when expected.
const SWITCHES: &[&str] =
    &["disallowed_types", "disallowed_methods", "clippy : : all", "clippy : : style", "warnings"];

/// The bans stand in every clippy.toml, the crate roots forbid their removal, and the excepted files are those listed.
pub(super) fn bans(workspace: &Workspace) -> Vec<String> {
    let fenced = FENCED.iter().flat_map(|member| standing(workspace, member, FENCED_TYPES, FENCED_ROOT));
    let agent = standing(workspace, AGENT, AGENT_TYPES, AGENT_ROOT);
    let exceptions = exceptions(workspace).unwrap_or_else(|violation| vec![violation]);
    fenced.chain(agent).chain(exceptions).collect()
}

fn standing(workspace: &Workspace, member: &str, types: &str, root: &str) -> Vec<String> {
    let path = format!("{member}/clippy.toml");
    let missing = workspace.toml(&path).map(|settings| {
        let lacking = [("disallowed-types", types), ("disallowed-methods", METHODS)].into_iter();
        let lacking = lacking.flat_map(|(key, required)| {
            let banned = banned(&settings, key);
            required.split(' ').filter(move |required| !banned.contains(required)).collect::<Vec<_>>()
        });
        lacking.map(|ban| format!("{path} does not ban {ban}")).collect()
    });
    let lib = format!("{member}/src/lib.rs");
    let is_said = workspace.source(&lib).is_some_and(|source| holds(&source.tokens, root));
    let silent = (!is_said).then(|| format!("{lib} does not say {}", root.replace(' ', "")));
    missing.unwrap_or_else(|violation| vec![violation]).into_iter().chain(silent).collect()
}

/// The paths of a table of bans.
fn banned<'a>(settings: &'a toml::Table, key: &str) -> BTreeSet<&'a str> {
    let entries = settings.get(key).and_then(Value::as_array).into_iter().flatten();
    entries.filter_map(|entry| entry.as_str().or_else(|| entry.get("path")?.as_str())).collect()
}

/// The files of the agent that switch the bans off, against the list of those that may, once each.
fn exceptions(workspace: &Workspace) -> Result<Vec<String>, String> {
    let listed = workspace.list(AGENT)?;
    let sources = workspace.sources(&format!("{AGENT}/src"));
    let counts: BTreeMap<_, _> = sources.map(|source| (&source.path, switches(source))).collect();
    let astray = counts.iter().filter_map(|(path, count)| {
        let allowed = usize::from(listed.contains(*path));
        let text = format!("{path} switches the bans off, listed for {allowed} and found {count}");
        (*count != allowed).then_some(text)
    });
    let unused = listed.iter().filter(|path| !counts.contains_key(*path));
    let unused = unused.map(|path| format!("{path} may switch the bans off, but is not there"));
    Ok(astray.chain(unused).collect())
}

fn switches(source: &RustFile) -> usize {
    let switches = |attribute: &[SourceToken]| {
        (begins(attribute, "expect (") || begins(attribute, "cfg_attr"))
            && SWITCHES.iter().any(|switch| holds(attribute, switch))
    };
    attributes(source, "", switches).len()
}

/// Every crate that the agent depends on is listed, as a whole or path by path; a line with a file is for that file alone.
pub(super) fn doors(workspace: &Workspace) -> Vec<String> {
    let lines = match workspace.list("felhom-agent.paths") {
        Ok(lines) => lines,
        Err(violation) => return vec![violation],
    };
    // Crates by the names that they have in sources; std is part of every program, though no dependency.
    let declared = workspace.member(AGENT).into_iter().flat_map(|agent| &agent.dependencies);
    let roots = declared.filter(|dependency| packages::ships(dependency)).map(packages::crate_name);
    let roots: BTreeSet<_> = roots.chain(["std".to_owned()]).collect();
    let mut needed = BTreeSet::new();
    let mut found = Vec::new();
    for root in roots {
        if let Some(whole) = lines.get(&root) {
            needed.insert(whole);
            continue;
        }
        for source in workspace.shipped_sources() {
            for path in source::paths_into(&source.tokens, &root) {
                match lines.iter().find(|line| allows(line, &path, source)) {
                    Some(line) => drop(needed.insert(line)),
                    None => found.push(format!(
                        "{}:{}: {} is not on the list of paths",
                        source.path, path.line, path.text
                    )),
                }
            }
        }
    }
    let unused = lines.iter().filter(|line| !needed.contains(line));
    found.extend(unused.map(|line| format!("felhom-agent.paths.list: nothing needs {line}")));
    found
}

/// Whether a line, `path` or `path@file`, allows a path in a file.
fn allows(line: &str, path: &source::NamedPath, source: &RustFile) -> bool {
    let (prefix, file) = line.split_once('@').map_or((line, None), |(prefix, file)| (prefix, Some(file)));
    path.is_below(prefix) && file.is_none_or(|file| file == source.path)
}

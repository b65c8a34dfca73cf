//! What a fenced crate would bring into a binary: no symbol of its closure starts a process or opens a socket.
//!
//! This sees what a macro of a dependency wrote into the crate, which no rule on sources can.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Message, PackageId};
use snafu::{ResultExt, Whatever, ensure_whatever};

use super::packages;
use crate::workspace::Workspace;

/// What the name of a Rust symbol may not contain. `std::process::abort` is harmless.
const RUST: &str = "std::process::Command std::process::Child std::process::exit std::sys::process:: std::net:: \
                    std::sys::net:: std::os::unix::net:: std::os::unix::process::";
/// Functions of C that may not be called.
const C: &str = "accept bind clone connect dlopen execl execle execlp execv execve execvp execvpe fexecve fork \
                 getaddrinfo listen popen posix_spawn posix_spawnp socket socketpair syscall system vfork";

/// Inline and unused functions as well; only generic ones stay unseen until somebody uses them.
const COMPILE_EVERYTHING: &str = "-C link-dead-code";

/// Builds each fenced crate on its own, with all features, and looks at the symbols of everything it reaches.
pub(super) fn link(workspace: &Workspace) -> Result<Vec<String>, Whatever> {
    let target = workspace.metadata.target_directory.join("fence-link");
    let mut violations = Vec::new();
    for package in workspace.fenced() {
        let reached = packages::shipped(workspace, package);
        for (id, library) in build(&package.name, &target)? {
            let built = workspace.metadata.packages.iter().find(|package| package.id == id);
            let name = built.map_or_else(|| id.to_string(), |built| built.name.to_string());
            let way = reached.iter().find(|reached| reached.name == name);
            let way = way.map_or(package.name.as_str(), |reached| &reached.way);
            let symbols = forbidden(library.as_std_path())?;
            let worst = symbols.first();
            violations.extend(
                worst.map(|symbol| format!("{name} holds {symbol}, one of {}\n        {way}", symbols.len())),
            );
        }
    }
    Ok(violations)
}

/// The libraries that building a member makes or uses.
fn build(member: &str, target: &Utf8Path) -> Result<Vec<(PackageId, Utf8PathBuf)>, Whatever> {
    let output = Command::new("cargo")
        .args("build --quiet --locked --lib --all-features --message-format=json --package".split(' '))
        .arg(member)
        .arg("--target-dir")
        .arg(target)
        .env("RUSTFLAGS", COMPILE_EVERYTHING)
        .stderr(Stdio::inherit())
        .output()
        .whatever_context("cannot start cargo")?;
    ensure_whatever!(output.status.success(), "{member} does not build on its own");
    let mut libraries = Vec::new();
    for message in Message::parse_stream(output.stdout.as_slice()) {
        if let Message::CompilerArtifact(artifact) = message.whatever_context("cargo does not speak JSON")? {
            let files = artifact.filenames.into_iter().filter(|file| file.extension() == Some("rlib"));
            libraries.extend(files.map(|file| (artifact.package_id.clone(), file)));
        }
    }
    Ok(libraries)
}

/// The symbols of a library that it must not define or ask for.
pub(super) fn forbidden(library: &Path) -> Result<BTreeSet<String>, Whatever> {
    let output = Command::new("nm").arg("-C").arg(library).output();
    let output = output.whatever_context("cannot start nm, which is in binutils")?;
    ensure_whatever!(output.status.success(), "nm cannot read {}", library.display());
    let complaints = String::from_utf8_lossy(&output.stderr);
    ensure_whatever!(
        !complaints.contains("bfd plugin"),
        "nm takes {} for another kind of file",
        library.display()
    );
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(symbol).filter(|symbol| is_forbidden(symbol)).map(str::to_owned).collect())
}

/// The name on a line of nm, which is `[address] type name`.
fn symbol(line: &str) -> Option<&str> {
    let (first, rest) = line.trim_start().split_once(' ')?;
    if first.len() == 1 { Some(rest) } else { rest.split_once(' ').map(|(_, name)| name) }
}

fn is_forbidden(symbol: &str) -> bool {
    C.split(' ').any(|name| symbol == name) || RUST.split(' ').any(|path| symbol.contains(path))
}

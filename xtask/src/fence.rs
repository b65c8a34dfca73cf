//! `fence-check`: no fenced crate can name a process or a socket, and nothing can change that unseen.
//!
//! Every rule is a function from what cargo resolved and what the files say to violations, with a stable id. The rules
//! repeat on purpose what the compiler and clippy enforce: they hold the configuration of those in place.

mod link;
mod packages;
mod settings;
mod sources;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

use clap::Args;
use snafu::Whatever;

use crate::workspace::Workspace;

/// What `cargo xtask fence-check` can be told.
#[derive(Debug, Args)]
pub(crate) struct FenceArguments {
    /// Also builds each fenced crate and looks at the symbols of everything it reaches (seconds instead of one)
    #[arg(long)]
    link: bool,
}

/// One thing that must hold: its stable name, for reports and tests; what holds when it finds nothing; what it finds.
type FenceRule = (&'static str, &'static str, fn(&Workspace) -> Vec<String>);

/// Every rule, from the graph to the words.
const RULES: &[FenceRule] = &[
    ("members", "the workspace is its five members and no other folder holds code", settings::members),
    ("closure", "a fenced crate reaches exactly the packages on its list", packages::closure),
    ("never", "no fenced crate reaches a package that starts processes or opens sockets", packages::never),
    ("sim-off", "nothing that ships turns the simulated node on", packages::sim_off),
    (
        "targets",
        "a fenced crate is one plain library, without build script, links or macros",
        packages::targets,
    ),
    (
        "lints",
        "every member takes the workspace lints, the table bites, no attribute turns one off",
        settings::lints,
    ),
    (
        "bans",
        "clippy bans process and socket types, except in the files that are listed for it",
        sources::bans,
    ),
    (
        "doors",
        "the agent names sockets, look-ups and processes in the files that are listed for it, and nowhere else",
        sources::doors,
    ),
    ("features", "crates with doors have exactly the listed features", packages::features),
    ("settings", "nothing in the repository changes what cargo, rustc or clippy do", settings::settings),
    ("no-std", "no fenced crate sees std outside its tests", sources::no_std),
    ("words", "no source that ships holds a word that goes around all this", sources::words),
];

/// Runs every rule and prints one line each, with what breaks it below.
pub(crate) fn run(arguments: &FenceArguments) -> Result<ExitCode, Whatever> {
    let workspace = Workspace::load(".")?;
    let mut passes = true;
    let mut tell = |id, claim, violations: &[String]| {
        print!("{}", report(id, claim, violations));
        passes &= violations.is_empty();
    };
    for (id, claim, check) in RULES {
        tell(id, claim, &check(&workspace));
    }
    tell("unused", "every dependency is named where it is asked for", &packages::unused(&workspace));
    if arguments.link {
        let claim = "no symbol that a fenced crate brings starts a process or opens a socket";
        tell("link", claim, &link::link(&workspace)?);
    }
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The lines about one rule.
fn report(id: &str, claim: &str, violations: &[String]) -> String {
    let verdict = if violations.is_empty() { "ok" } else { "FAILS" };
    let head = format!("{id:<10}  {verdict:<5}  {claim}\n");
    violations.iter().fold(head, |text, violation| text + "    " + violation + "\n")
}

//! `fence-check`: no fenced crate can name a process or a socket, and nothing can change that unseen.
//!
//! Every rule is a function from what cargo resolved and what the files say to violations, with a stable id. The rules
//! repeat on purpose what the compiler and clippy enforce: they hold the configuration of those in place.

mod bans;
mod closure;
mod doors;
mod graph;
mod link;
mod settings;
mod words;

#[cfg(test)]
mod tests;

use std::process::ExitCode;

use clap::Args;
use snafu::Whatever;

use crate::workspace::{Violation, Workspace};

/// What `cargo xtask fence-check` can be told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Also builds each fenced crate and looks at the symbols of everything it reaches (seconds instead of one)
    #[arg(long)]
    link: bool,
}

/// One thing that must hold.
struct Rule {
    /// Stable name, for reports and tests.
    id: &'static str,
    /// What holds when the rule finds nothing.
    claim: &'static str,
    check: fn(&Workspace) -> Vec<Violation>,
}

/// Every rule, from the graph to the words.
const RULES: &[Rule] = &[
    Rule {
        id: "members",
        claim: "the workspace is its five members and no other folder holds code",
        check: settings::members,
    },
    Rule {
        id: "closure",
        claim: "a fenced crate reaches exactly the packages on its list",
        check: closure::closure,
    },
    Rule {
        id: "never",
        claim: "no fenced crate reaches a package that starts processes or opens sockets",
        check: closure::never,
    },
    Rule { id: "sim-off", claim: "nothing that ships turns the simulated node on", check: closure::sim_off },
    Rule {
        id: "targets",
        claim: "a fenced crate is one plain library, without build script, links or macros",
        check: words::targets,
    },
    Rule {
        id: "lints",
        claim: "every member takes the workspace lints, the table bites, no attribute turns one off",
        check: settings::lints,
    },
    Rule {
        id: "bans",
        claim: "clippy bans process and socket types, except in the files that are listed for it",
        check: bans::bans,
    },
    Rule {
        id: "doors",
        claim: "the agent names sockets, look-ups and processes in the files that are listed for it, and nowhere else",
        check: doors::doors,
    },
    Rule {
        id: "features",
        claim: "crates with doors have exactly the listed features",
        check: doors::features,
    },
    Rule {
        id: "settings",
        claim: "nothing in the repository changes what cargo, rustc or clippy do",
        check: settings::settings,
    },
    Rule { id: "no-std", claim: "no fenced crate sees std outside its tests", check: words::no_std },
    Rule {
        id: "words",
        claim: "no source that ships holds a word that goes around all this",
        check: words::words,
    },
];

/// Runs every rule and prints one line each, with what breaks it below.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Whatever> {
    let workspace = Workspace::load(".")?;
    let mut passes = true;
    let mut tell = |id, claim, violations: &[Violation]| {
        print!("{}", report(id, claim, violations));
        passes &= violations.is_empty();
    };
    for rule in RULES {
        tell(rule.id, rule.claim, &(rule.check)(&workspace));
    }
    tell("unused", "every dependency is named where it is asked for", &closure::unused(&workspace));
    if arguments.link {
        tell(
            "link",
            "no symbol that a fenced crate brings starts a process or opens a socket",
            &link::link(&workspace)?,
        );
    }
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The lines about one rule.
fn report(id: &str, claim: &str, violations: &[Violation]) -> String {
    let verdict = if violations.is_empty() { "ok" } else { "FAILS" };
    let lines = violations.iter().map(|violation| format!("{violation}\n"));
    format!("{id:<10}  {verdict:<5}  {claim}\n{}", lines.collect::<String>())
}

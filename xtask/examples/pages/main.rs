//! `cargo xtask docs`: the pages that are made from data, written or compared, and the links of all pages.

mod api;
mod links;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::process::ExitCode;

use proxmox_api::endpoint::{CodeCheck, Endpoint, Returns, Shows};
use proxmox_api::scope;
use snafu::{Report, ResultExt, Whatever};

/// The page of all endpoints.
const ENDPOINTS: &str = "docs/endpoints.md";
/// The page with the table of all keys.
const CONFIGURATION: &str = "docs/configuration.md";

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("{}", Report::from_error(error));
        ExitCode::from(2)
    })
}

fn run() -> Result<ExitCode, Whatever> {
    let is_check = env::args().any(|argument| argument == "--check");
    let written = read(CONFIGURATION)?;
    let tables = [(ENDPOINTS, endpoints()), (CONFIGURATION, with_keys(&written))];
    let pages = tables.map(|(path, page)| (path.to_owned(), page)).into_iter().chain(api::listings()?);
    let mut exit = ExitCode::SUCCESS;
    for (path, wanted) in pages {
        if fs::read_to_string(&path).is_ok_and(|page| page == wanted) {
            println!("{path} is up to date");
        } else if is_check {
            println!("{path} is not what the code says; run `cargo xtask docs`");
            exit = ExitCode::FAILURE;
        } else {
            fs::write(&path, wanted).with_whatever_context(|_| format!("cannot write {path}"))?;
            println!("{path} is written");
        }
    }
    for lost in links::broken()? {
        println!("{lost}");
        exit = ExitCode::FAILURE;
    }
    Ok(exit)
}

fn read(path: &str) -> Result<String, Whatever> {
    fs::read_to_string(path).with_whatever_context(|_| format!("cannot read {path}"))
}

/// The page with the table of all keys in the place of the one that it has.
fn with_keys(page: &str) -> String {
    let (before, rest) = page.split_once("| Key |").unwrap_or((page, ""));
    let after = rest.split_once("\n\n").map_or("", |(_, after)| after);
    format!("{before}{}\n{after}", felhom_agent::config::table())
}

const HEAD: &str = "# Endpoints

<!-- Made by `cargo xtask docs` from proxmox-api/src/scope/. Do not edit. -->

What the client speaks to, below `/api2/json`.
*Declared* is what PVE's schema says; *in the code* is what PVE checks besides.
Of these checks some fail only in the task, and some leave rows out without saying so.
Every change is handed to pvedaemon, so its answer closes the connection.
";

/// A table for each part of the API, which is what stands before the dot.
fn endpoints() -> String {
    let mut page = HEAD.to_owned();
    let mut seen = BTreeSet::new();
    let group = |row: &Endpoint| row.operation.split('.').next().unwrap_or_default();
    for name in scope::all().map(group).filter(|name| seen.insert(*name)) {
        let lines: String = scope::all().filter(|row| group(row) == name).map(line).collect();
        let heading = "| Operation | Request | Declared | In the code | Returns |\n|---|---|---|---|---|";
        page.extend(["\n## ", name, "\n\n", heading, "\n", &lines]);
    }
    page + &format!("\n{} operations.\n", scope::all().count())
}

fn line(row: &Endpoint) -> String {
    let checks = row.code_checks().map(check).collect::<Vec<_>>().join("; ");
    let (Endpoint { operation, method, path, declared, .. }, returns) = (row, returns(row.returns));
    format!("| `{operation}` | `{method} {path}` | {declared} | {checks} | {returns} |\n")
}

fn check(check: &CodeCheck) -> String {
    let place = if check.shows == Shows::InTheTask { ", in the task" } else { "" };
    format!("{} ({}{place})", check.needs, check.when)
}

const fn returns(returns: Returns) -> &'static str {
    match returns {
        Returns::Object => "object",
        Returns::List => "list",
        Returns::Page => "list with total",
        Returns::Text => "text",
        Returns::Integer => "integer",
        Returns::Upid => "UPID",
        Returns::UpidOrOk => "UPID, or `OK` if nothing is to do here",
        Returns::UpidOrNull => "UPID, or null if it has ended",
        Returns::Null => "null",
        _ => "see the source",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_its_privileges_and_says_where_they_show() {
        let page = endpoints();
        let row = page.lines().find(|line| line.starts_with("| `backup.create` |")).expect("a row");
        let beginning = "| `backup.create` | `POST /nodes/{node}/vzdump` | any token | VM.Backup on";
        assert!(row.starts_with(beginning) && row.contains("are left out, in the task)"), "{row}");
    }

    #[test]
    fn create_and_restore_are_two_operations() {
        let page = endpoints();
        assert!(page.contains("| `lxc.create` |") && page.contains("| `lxc.restore` |"));
    }
}

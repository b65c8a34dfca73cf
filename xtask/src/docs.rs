//! `docs`: the pages that are made from data, written or compared.

use std::fs;
use std::process::ExitCode;

use clap::Args;
use proxmox_api::endpoint::{CodeCheck, Endpoint, Returns, Shows};
use proxmox_api::scope;
use snafu::{ResultExt, Whatever};

use crate::{api, links};

/// What `cargo xtask docs` can be told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Fails if a page is not up to date, and writes nothing
    #[arg(long)]
    check: bool,
}

/// The page of all endpoints.
const ENDPOINTS: &str = "docs/endpoints.md";

/// The page with the table of all keys.
const CONFIGURATION: &str = "docs/configuration.md";

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Whatever> {
    let written = read(CONFIGURATION)?;
    let tables = [(ENDPOINTS, endpoints(scope::all())), (CONFIGURATION, with_keys(&written))];
    let pages = tables.map(|(path, page)| (path.to_owned(), page)).into_iter().chain(api::listings()?);
    let mut exit = ExitCode::SUCCESS;
    for (path, wanted) in pages {
        if fs::read_to_string(&path).is_ok_and(|page| page == wanted) {
            println!("{path} is up to date");
        } else if arguments.check {
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

fn endpoints<'a>(rows: impl Iterator<Item = &'a Endpoint>) -> String {
    let mut page = String::from(
        "# Endpoints\n\n\
         <!-- Made by `cargo xtask docs` from proxmox-api/src/scope/. Do not edit. -->\n\n\
         What the client speaks to, below `/api2/json`.\n\
         *Declared* is what PVE's schema says; *in the code* is what PVE checks besides.\n\
         Of these checks some fail only in the task, and some leave rows out without saying so.\n\
         Every change is handed to pvedaemon, so its answer closes the connection.\n",
    );
    let rows: Vec<&Endpoint> = rows.collect();
    let mut groups: Vec<&str> = Vec::new();
    for row in &rows {
        if !groups.contains(&group(row)) {
            groups.push(group(row));
        }
    }
    for name in groups {
        let heading = "| Operation | Request | Declared | In the code | Returns |\n|---|---|---|---|---|";
        let lines: String = rows.iter().filter(|row| group(row) == name).map(|row| line(row)).collect();
        page.extend(["\n## ", name, "\n\n", heading, "\n", &lines]);
    }
    page + &format!("\n{} operations.\n", rows.len())
}

/// The part of the API: what stands before the dot.
fn group(row: &Endpoint) -> &'static str {
    row.operation.split('.').next().unwrap_or_default()
}

fn line(row: &Endpoint) -> String {
    let checks: Vec<String> = row.code_checks().map(check).collect();
    format!(
        "| `{}` | `{} {}` | {} | {} | {} |\n",
        row.operation,
        row.method,
        row.path,
        row.declared,
        checks.join("; "),
        returns(row.returns)
    )
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
        let row = scope::all().find(|row| row.operation == "backup.create").expect("a row");
        let line = line(row);
        assert!(
            line.starts_with("| `backup.create` | `POST /nodes/{node}/vzdump` | any token | VM.Backup on")
        );
        assert!(line.contains("are left out, in the task)"), "{line}");
    }

    #[test]
    fn create_and_restore_are_two_operations() {
        let page = endpoints(scope::all());
        assert!(page.contains("| `lxc.create` |") && page.contains("| `lxc.restore` |"));
        assert!(scope::all().count() >= 60);
    }
}

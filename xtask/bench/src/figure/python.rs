//! Clients in Python: from `PyPI`, into a folder of their own below `target`.

use std::path::Path;
use std::process::Command;

use super::Measured;
use crate::measure::median;
use crate::stack::BenchSite;
use crate::table::FigureRow;
use crate::{Res, target_folder};

const CLIENTS: [&str; 2] = ["proxmoxer", "aiohttp"];

const PROGRAM: &str = include_str!("../../peers.py");

/// Measures those that are there or can be had, beside what ours costs in microseconds.
pub(crate) fn measure(place: &BenchSite, ours: f64, measured: &mut Measured) {
    let folder = match install() {
        Ok(folder) => folder,
        Err(error) => return measured.notes.push(format!("F1: no client in Python: {error}")),
    };
    for client in CLIENTS {
        match cost(client, place, &folder) {
            Ok((version, cost)) => {
                let row = FigureRow::new("F1", format!("CPU per typed GET beside {client} {version}"));
                let row = row.peer(format!("{cost:.0} us"));
                measured.rows.push(row.ours(format!("{ours:.1} us, {:.2}x", ours / cost)));
            }
            Err(error) => measured.notes.push(format!("F1: {client} was not measured: {error}")),
        }
    }
}

fn install() -> Res<std::path::PathBuf> {
    let folder = target_folder()?.with_file_name("bench-venv");
    if !CLIENTS.iter().all(|client| folder.join(client).exists()) {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--root-user-action=ignore", "--target"]).arg(&folder);
        let said = pip.args(CLIENTS).arg("requests").output()?;
        if !said.status.success() {
            return Err("pip did not install it".into());
        }
    }
    Ok(folder)
}

/// Version, and microseconds of the processor per GET.
fn cost(client: &str, place: &BenchSite, folder: &Path) -> Res<(String, f64)> {
    let (mut version, mut costs) = (String::new(), Vec::new());
    for _ in 0..3 {
        let mut python = Command::new("python3");
        python.env("PYTHONPATH", folder).args(["-c", PROGRAM, client, "300", &place.port.to_string()]);
        let said = python.arg(&place.authority).args([&place.token, &place.upid]).output()?;
        if !said.status.success() {
            let error = String::from_utf8_lossy(&said.stderr);
            return Err(error.lines().last().unwrap_or_default().to_owned().into());
        }
        let cost;
        (version, cost) = serde_json::from_slice(&said.stdout)?;
        costs.push(cost);
    }
    Ok((version, median(&costs)))
}

//! The command `disks`: the health of every disk.

use clap::Args;
use proxmox_privileged::argument::Disk;
use proxmox_privileged::smart::{Smart, SmartError, SmartReport, smart};
use serde_json::{Value, json};

use super::output::{Common, Printed, stopped};
use super::session;
use super::table::{bytes, or_dash, table, worst};
use crate::config::Environment;
use crate::host::device::Devices;
use crate::host::health::{Judgement, disk as judge, rank};
use crate::report::chain;
use crate::report::exit::Exit;

/// Options of the command.
#[derive(Clone, Debug, Args)]
pub(super) struct DisksArguments {
    /// Only this disk: `/dev/sda`
    #[arg(value_name = "DEVICE")]
    device: Option<Disk>,
}

/// A disk and what it told.
struct DiskRow {
    disk: Disk,
    answer: Result<Smart, SmartError>,
    verdict: Judgement,
}

pub(super) fn run(common: &Common, arguments: &DisksArguments, environment: &Environment) -> Exit {
    let disks = arguments.device.clone().map_or_else(|| Devices::of_host().disks(), |disk| vec![disk]);
    session::run(common, environment, session::host, async |session| {
        let mut rows = Vec::new();
        for disk in disks {
            let answer = smart(&*session.runner, &disk).await;
            rows.push(DiskRow { disk, verdict: judge(&answer), answer });
        }
        rows.sort_by_key(|row| rank(row.verdict.0));
        if let Some(error) = unasked(&rows) {
            return Err(stopped(chain(error), Exit::Unchecked));
        }
        let disks: Value = rows.iter().map(DiskRow::json).collect();
        let document = json!({ "schema": "felhom.disks/1", "disks": disks });
        Ok(Printed::new(text(&rows), &document, worst(rows.iter().map(|row| row.verdict.0))))
    })
}

/// Why no disk at all could be asked, if so.
fn unasked(rows: &[DiskRow]) -> Option<&SmartError> {
    let errors = rows.iter().map(|row| match &row.answer {
        Err(error @ SmartError::NotRun { .. }) => Some(error),
        _ => None,
    });
    let errors: Option<Vec<&SmartError>> = errors.collect();
    errors?.first().copied()
}

fn text(rows: &[DiskRow]) -> String {
    if rows.is_empty() {
        return "there is no disk\n".into();
    }
    let heading = ["DISK", "STATE", "SIZE", "TEMP", "HOURS", "WORN", "MODEL", "WHY"];
    table(&heading, &rows.iter().map(DiskRow::cells).collect::<Vec<_>>())
}

impl DiskRow {
    fn report(&self) -> Option<&SmartReport> {
        match &self.answer {
            Ok(Smart::Report(report)) => Some(report),
            _ => None,
        }
    }

    fn cells(&self) -> Vec<String> {
        let report = self.report();
        let (status, why) = &self.verdict;
        vec![
            self.disk.to_string(),
            status.label().into(),
            report.and_then(|report| report.capacity_bytes).map_or_else(|| "-".into(), bytes),
            or_dash(report.and_then(|report| report.temperature_celsius), " °C"),
            or_dash(report.and_then(|report| report.power_on_hours), ""),
            or_dash(report.and_then(|report| report.wear_percent), " %"),
            or_dash(report.and_then(|report| report.model.as_deref()), ""),
            why.clone(),
        ]
    }

    fn json(&self) -> Value {
        let (status, why) = &self.verdict;
        let mode = match &self.answer {
            Ok(Smart::Asleep { mode }) => Some(mode),
            _ => None,
        };
        json!({ "disk": self.disk, "status": status, "why": why, "asleep": mode, "report": self.report() })
    }
}

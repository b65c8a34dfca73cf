//! Root exception 3: read the health of a disk.
//!
//! **Why not the API.** SMART through the PVE API (`disks/smart`) exists but has no temperature, no self-test log and no
//! machine-readable form for NVMe and SAS, and swallows errors as `UNKNOWN`.
//!
//! **What runs.** `smartctl -a -j -n standby DISK`, as root. `-n standby` leaves a sleeping disk asleep.
//!
//! **What success is.** A document with something in it about the health of the disk. The exit status is a mask of
//! eight bits and comes second: smartctl exits 4 for a healthy SCSI disk that lacks one log. Every key can be missing,
//! numbers may be strings, and what is not understood is left out here and kept in [`SmartReport::document`].
//!
//! Source: `smartctl(8)`, "EXIT STATUS"; recordings of smartctl 7.3 in `fixtures/host/smartctl`.

mod json;
mod read;
mod report;
mod self_test;
mod wear;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use serde::Serialize;
use serde_json::Value;
use snafu::{ResultExt, Snafu};

use crate::command::argument::Disk;
use crate::command::shape::Part::Text;
use crate::command::shape::{Shape, slot};
use crate::command::{Privilege, Program};
use crate::{CommandEnd, CommandOutput, RunError, Runner};

pub use report::{Protocol, SelfTest, SmartBit, SmartBits, SmartReport};

impl Program {
    /// smartmontools' `smartctl`.
    pub const SMARTCTL: Self = Self::new("/usr/sbin/smartctl", "smartmontools");
}

/// `smartctl`, leaving a sleeping disk asleep.
pub(crate) static SMARTCTL: Shape<Disk> = Shape {
    program: Program::SMARTCTL,
    privilege: Privilege::RootAlone,
    changes: false,
    seconds: 60,
    purpose: "read the health of a disk without waking it; no test, no setting",
    words: &[
        &[Text("-a")],
        &[Text("-j")],
        &[Text("-n")],
        &[Text("standby")],
        &[slot::<Disk, _>(|disk| disk)],
    ],
};

/// What a disk answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Smart {
    /// It told its health.
    Report(Box<SmartReport>),
    /// It sleeps, and was left asleep.
    Asleep {
        /// In smartctl's words: `STANDBY`, `SLEEP`, `STANDBY (OS)`.
        mode: String,
    },
}

/// Why a disk told no health.
#[derive(Debug, Snafu)]
#[non_exhaustive]
pub enum SmartError {
    /// smartctl could not be run.
    #[snafu(display("{disk} was not asked"))]
    NotRun {
        /// The disk.
        disk: Disk,
        /// What happened.
        source: RunError,
    },
    /// smartctl printed no JSON, or only the beginning of it.
    #[snafu(display("{disk}: smartctl printed no JSON: {text}"))]
    NoJson {
        /// The disk.
        disk: Disk,
        /// Its error text, or its exit status.
        text: String,
        /// Where the JSON goes wrong.
        source: serde_json::Error,
    },
    /// smartctl printed JSON without any health.
    #[snafu(display("{disk}: {text}{}", version.as_ref().map(|version| format!(" (smartctl {version})")).unwrap_or_default()))]
    NoHealth {
        /// The disk.
        disk: Disk,
        /// What it comes down to.
        reason: SmartReason,
        /// smartctl's own words.
        text: String,
        /// What smartctl's exit status says.
        bits: SmartBits,
        /// Version of smartctl: `7.3`.
        version: Option<String>,
    },
}

/// Why there is no health.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum SmartReason {
    /// The caller may not open the disk.
    PermissionDenied,
    /// There is no such disk.
    NoSuchDevice,
    /// smartctl knows no way to talk to it: a virtual disk, an unknown controller. It says the same to a caller without
    /// root.
    UnknownDeviceType,
    /// The disk hangs behind a USB bridge that smartctl does not know.
    UnknownUsbBridge,
    /// The disk did not answer, or not in a way that can be read.
    InputOutput,
    /// Something else; the text says what.
    Other,
}

/// Asks a disk for its health, unless it sleeps.
pub async fn smart(runner: &dyn Runner, disk: &Disk) -> Result<Smart, SmartError> {
    let output =
        runner.run(&SMARTCTL.command(disk)).await.with_context(|_| NotRunSnafu { disk: disk.clone() })?;
    judged(disk, &output)
}

/// What the output of smartctl comes down to.
fn judged(disk: &Disk, output: &CommandOutput) -> Result<Smart, SmartError> {
    // A model may be named in any bytes.
    let document: Value = serde_json::from_str(&String::from_utf8_lossy(&output.stdout))
        .with_context(|_| NoJsonSnafu { disk: disk.clone(), text: output.last_words() })?;
    if let Some(mode) = read::sleep_mode(&document) {
        return Ok(Smart::Asleep { mode });
    }
    let bits = read::bits(&document).unwrap_or_else(|| match output.end {
        CommandEnd::Exit(status) => SmartBits::from_status(status),
        CommandEnd::Signal(_) => SmartBits::default(),
    });
    if read::has_health(&document) {
        return Ok(Smart::Report(Box::new(read::report(document, bits))));
    }
    let text = json::messages(&document).unwrap_or_else(|| output.last_words());
    // smartctl mostly begins with the device, which the error names as well.
    let text = text.strip_prefix(&alloc::format!("{disk}: ")).map_or_else(|| text.clone(), Into::into);
    let reason =
        REASONS.iter().find(|(known, _)| text.contains(known)).map_or(SmartReason::Other, |row| row.1);
    let version = read::version(&document);
    NoHealthSnafu { disk: disk.clone(), reason, text, bits, version }.fail()
}

/// Texts of smartctl and what they mean. Recordings: `local73__*`, `smart__dev_sdc`.
const REASONS: [(&str, SmartReason); 7] = [
    ("Permission denied", SmartReason::PermissionDenied),
    ("No such device", SmartReason::NoSuchDevice),
    ("No such file or directory", SmartReason::NoSuchDevice),
    ("Unable to detect device type", SmartReason::UnknownDeviceType),
    ("Unknown device type", SmartReason::UnknownDeviceType),
    ("Unknown USB bridge", SmartReason::UnknownUsbBridge),
    ("Input/output error", SmartReason::InputOutput),
];

#[cfg(test)]
mod tests;

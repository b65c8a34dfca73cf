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

mod read;
mod self_test;
mod status;
mod wear;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use serde::Serialize;
use serde_json::Value;
use snafu::{ResultExt, Snafu};

use crate::argument::Disk;
use crate::command::{Privilege, Program};
use crate::shape::Part::Text;
use crate::shape::{Shape, slot};
use crate::{End, Output, RunError, Runner};

pub use status::{SmartBit, SmartBits};

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

/// The health of a disk. A value that the disk does not tell is `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SmartReport {
    /// The language it speaks.
    pub protocol: Option<Protocol>,
    /// Model.
    pub model: Option<String>,
    /// Serial number.
    pub serial: Option<String>,
    /// Capacity in bytes.
    pub capacity_bytes: Option<u64>,
    /// The disk's own verdict. `false` means that it expects to fail.
    pub is_passed: Option<bool>,
    /// Whether it has SMART at all.
    pub is_available: Option<bool>,
    /// Whether its SMART is switched on.
    pub is_enabled: Option<bool>,
    /// What NVMe warns of: a mask, whose bits are in the NVMe base specification, "SMART / Health Information".
    pub critical_warning: Option<u64>,
    /// Temperature in degrees Celsius.
    pub temperature_celsius: Option<i64>,
    /// Hours that it was powered on.
    pub power_on_hours: Option<u64>,
    /// How much of its rated life is used up, in percent. Can exceed 100.
    pub wear_percent: Option<u64>,
    /// Sectors that were replaced (ATA attribute 5, SCSI grown defects).
    pub reallocated_sectors: Option<u64>,
    /// Sectors that wait to be replaced (ATA attribute 197).
    pub pending_sectors: Option<u64>,
    /// Sectors that cannot be read (ATA attribute 198), or the sum of SCSI's uncorrected errors.
    pub uncorrectable_sectors: Option<u64>,
    /// Errors that NVMe found in its memory.
    pub media_errors: Option<u64>,
    /// The self-test that runs, else the latest.
    pub self_test: Option<SelfTest>,
    /// What smartctl's exit status says.
    pub bits: SmartBits,
    /// Everything that smartctl printed.
    pub document: Value,
}

/// The language of a disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Protocol {
    /// ATA, perhaps behind a USB bridge.
    Ata,
    /// NVMe.
    Nvme,
    /// SCSI: SAS, virtual disks and USB sticks.
    Scsi,
    /// Another, by smartctl's name.
    Other(String),
}

impl SmartReport {
    /// What smartctl had to say besides, in its own words.
    pub fn messages(&self) -> Option<String> {
        read::messages(&self.document)
    }
}

/// A self-test that a disk made, or is making.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SelfTest {
    /// What was tested: `Short offline`, `Extended`.
    pub kind: Option<String>,
    /// How it went, in smartctl's words.
    pub result: Option<String>,
    /// Whether it found nothing; `None` if it was aborted or is not over.
    pub is_passed: Option<bool>,
    /// Whether it is not over.
    pub is_running: bool,
    /// How much of it is still to be done, in percent.
    pub remaining_percent: Option<u64>,
    /// Power-on hours at its end.
    pub at_hours: Option<u64>,
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
fn judged(disk: &Disk, output: &Output) -> Result<Smart, SmartError> {
    // A model may be named in any bytes.
    let document: Value = serde_json::from_str(&String::from_utf8_lossy(&output.stdout))
        .with_context(|_| NoJsonSnafu { disk: disk.clone(), text: output.last_words() })?;
    if let Some(mode) = read::sleep_mode(&document) {
        return Ok(Smart::Asleep { mode });
    }
    let bits = read::bits(&document).unwrap_or_else(|| match output.end {
        End::Exit(status) => SmartBits::from_status(status),
        End::Signal(_) => SmartBits::default(),
    });
    if read::has_health(&document) {
        return Ok(Smart::Report(Box::new(read::report(document, bits))));
    }
    let text = read::messages(&document).unwrap_or_else(|| output.last_words());
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

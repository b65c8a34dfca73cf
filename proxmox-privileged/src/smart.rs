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
mod report;
mod self_test;
mod wear;

use alloc::borrow::ToOwned;
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

use json::{attributes, each_message, first, raw};
use self_test::self_test;
use wear::wear;

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
///
/// ```
/// # mod now { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/now.rs")); }
/// # use now::now;
/// # use proxmox_privileged::{Command, CommandOutput, smart::{Smart, smart}};
/// let recorded = r#"{"model_name": "QEMU HARDDISK", "smart_status": {"passed": true}}"#;
/// let runner = |_: &Command| Ok(CommandOutput::from(recorded));
/// let Smart::Report(report) = now(smart(&runner, &"/dev/sda".parse()?))? else { panic!("it sleeps") };
/// assert_eq!((report.is_passed, report.temperature_celsius), (Some(true), None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    if let Some(mode) = sleep_mode(&document) {
        return Ok(Smart::Asleep { mode });
    }
    let bits = bits(&document).unwrap_or_else(|| match output.end {
        CommandEnd::Exit(status) => SmartBits::from_status(status),
        CommandEnd::Signal(_) => SmartBits::default(),
    });
    if has_health(&document) {
        return Ok(Smart::Report(Box::new(read(document, bits))));
    }
    let text = json::messages(&document).unwrap_or_else(|| output.last_words());
    // smartctl mostly begins with the device, which the error names as well.
    let text = text.strip_prefix(&format!("{disk}: ")).map_or_else(|| text.clone(), Into::into);
    let reason =
        REASONS.iter().find(|(known, _)| text.contains(known)).map_or(SmartReason::Other, |row| row.1);
    let version = version(&document);
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

/// Any one of these is a word about the disk itself. `device` alone is not: a sleeping disk has it too.
const HEALTH: [&str; 7] = [
    "/smart_status/passed",
    "/smart_support",
    "/temperature/current",
    "/ata_smart_attributes",
    "/nvme_smart_health_information_log",
    "/model_name",
    "/scsi_model_name",
];

fn has_health(document: &Value) -> bool {
    HEALTH.iter().any(|pointer| document.pointer(pointer).is_some())
}

/// The power mode of a disk that was left asleep. Also exit status 2, like a disk that could not be opened.
fn sleep_mode(document: &Value) -> Option<String> {
    let mode = |text: &str| {
        let (_, rest) = text.split_once("Device is in ")?;
        rest.split_once(" mode, exit(").map(|(mode, _)| mode.to_owned())
    };
    each_message(document).find_map(mode)
}

/// The version of smartctl, which says it as two numbers.
fn version(document: &Value) -> Option<String> {
    let part = |pointer: &str| first::<u64>(document, &[pointer]);
    Some(format!("{}.{}", part("/smartctl/version/0")?, part("/smartctl/version/1")?))
}

/// The mask of eight bits; another number is none.
fn bits(document: &Value) -> Option<SmartBits> {
    let status: Option<u8> = first(document, &["/smartctl/exit_status"]);
    status.map(|status| SmartBits::from_status(status.into()))
}

fn read(document: Value, bits: SmartBits) -> SmartReport {
    let doc = &document;
    SmartReport {
        protocol: first(doc, &["/device/protocol"]).map(protocol),
        model: first(doc, &["/model_name", "/scsi_model_name"]),
        serial: first(doc, &["/serial_number"]),
        capacity_bytes: first(doc, &["/user_capacity/bytes", "/nvme_total_capacity"]),
        is_passed: first(doc, &["/smart_status/passed"]),
        is_available: first(doc, &["/smart_support/available"]),
        is_enabled: first(doc, &["/smart_support/enabled"]),
        critical_warning: first(
            doc,
            &["/nvme_smart_health_information_log/critical_warning", "/smart_status/nvme/value"],
        ),
        temperature_celsius: temperature(doc),
        power_on_hours: first(
            doc,
            &["/power_on_time/hours", "/nvme_smart_health_information_log/power_on_hours"],
        ),
        wear_percent: wear(doc),
        reallocated_sectors: counted(doc, 5).or_else(|| first(doc, &["/scsi_grown_defect_list"])),
        pending_sectors: counted(doc, 197),
        uncorrectable_sectors: counted(doc, 198).or_else(|| uncorrected(doc)),
        media_errors: first(doc, &["/nvme_smart_health_information_log/media_errors"]),
        self_test: self_test(doc),
        bits,
        document,
    }
}

fn protocol(name: String) -> Protocol {
    match name.as_str() {
        "ATA" => Protocol::Ata,
        "NVMe" => Protocol::Nvme,
        "SCSI" => Protocol::Scsi,
        _ => Protocol::Other(name),
    }
}

/// The raw value of the attribute with this id.
fn counted(document: &Value, id: u64) -> Option<u64> {
    attributes(document).find(|attribute| first(attribute, &["/id"]) == Some(id)).and_then(raw)
}

/// The first temperature that a disk can have. Below absolute zero and 255 stand for none, and so does 0, which volumes of
/// RAID controllers and virtual disks say.
fn temperature(document: &Value) -> Option<i64> {
    let places = ["/temperature/current", "/nvme_smart_health_information_log/temperature"];
    let told = places.iter().filter_map(|place| first(document, &[place]));
    told.filter(|degrees| *degrees != 0).find(|degrees| (-60..=126).contains(degrees))
}

/// The sum of what SCSI could not correct while it read, wrote and verified.
fn uncorrected(document: &Value) -> Option<u64> {
    let counters = ["read", "write", "verify"].iter().filter_map(|way| {
        first(document, &[format!("/scsi_error_counter_log/{way}/total_uncorrected_errors").as_str()])
    });
    counters.reduce(u64::saturating_add)
}

#[cfg(test)]
mod tests;

//! Reads smartctl's JSON: every key optional, every number also as a string.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use proxmox_types::scalar::LooseScalar;
use serde_json::Value;

use super::{Protocol, SelfTest, SmartBits, SmartReport};

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

/// Names of the ATA attributes whose normalised value is the life that is left, in percent.
///
/// Source: smartmontools `drivedb.h`.
const LIFE_LEFT: [&str; 6] = [
    "Media_Wearout_Indicator",
    "Percent_Lifetime_Remain",
    "Percent_Life_Remaining",
    "Remaining_Lifetime_Perc",
    "SSD_Life_Left",
    "Wear_Leveling_Count",
];

pub(super) fn has_health(document: &Value) -> bool {
    HEALTH.iter().any(|pointer| document.pointer(pointer).is_some())
}

/// The power mode of a disk that was left asleep. Also exit status 2, like a disk that could not be opened.
pub(super) fn sleep_mode(document: &Value) -> Option<String> {
    let mode = |text: &str| {
        let (_, rest) = text.split_once("Device is in ")?;
        rest.split_once(" mode, exit(").map(|(mode, _)| mode.to_owned())
    };
    each_message(document).find_map(mode)
}

/// What smartctl had to say, joined.
pub(super) fn messages(document: &Value) -> Option<String> {
    let messages: Vec<_> = each_message(document).collect();
    (!messages.is_empty()).then(|| messages.join("; "))
}

/// The version of smartctl, which says it as two numbers.
pub(super) fn version(document: &Value) -> Option<String> {
    let part = |pointer: &str| first::<u64>(document, &[pointer]);
    Some(format!("{}.{}", part("/smartctl/version/0")?, part("/smartctl/version/1")?))
}

pub(super) fn bits(document: &Value) -> Option<SmartBits> {
    first(document, &["/smartctl/exit_status"])
        .and_then(|status: i64| i32::try_from(status).ok())
        .map(SmartBits::from_status)
}

pub(super) fn report(document: Value, bits: SmartBits) -> SmartReport {
    let doc = &document;
    SmartReport {
        protocol: first(doc, &["/device/protocol"]).map(protocol),
        model: first(doc, &["/model_name", "/scsi_model_name"]),
        serial: first(doc, &["/serial_number"]),
        capacity_bytes: first(doc, &["/user_capacity/bytes", "/nvme_total_capacity"]),
        is_passed: first(doc, &["/smart_status/passed"]),
        temperature_celsius: first(
            doc,
            &["/temperature/current", "/nvme_smart_health_information_log/temperature"],
        ),
        power_on_hours: first(
            doc,
            &["/power_on_time/hours", "/nvme_smart_health_information_log/power_on_hours"],
        ),
        wear_percent: wear(doc),
        reallocated_sectors: raw(doc, 5).or_else(|| first(doc, &["/scsi_grown_defect_list"])),
        pending_sectors: raw(doc, 197),
        uncorrectable_sectors: raw(doc, 198).or_else(|| uncorrected(doc)),
        media_errors: first(doc, &["/nvme_smart_health_information_log/media_errors"]),
        self_test: ata_self_test(doc).or_else(|| nvme_self_test(doc)).or_else(|| scsi_self_test(doc)),
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

fn each_message(document: &Value) -> impl Iterator<Item = &str> {
    let messages = document.pointer("/smartctl/messages").and_then(Value::as_array);
    messages.into_iter().flatten().filter_map(|message| message.get("string")?.as_str())
}

fn wear(document: &Value) -> Option<u64> {
    let used = [
        "/nvme_smart_health_information_log/percentage_used",
        "/endurance_used/current_percent",
        "/scsi_percentage_used_endurance_indicator",
    ];
    let is_life = |name: &Value| name.as_str().is_some_and(|name| LIFE_LEFT.contains(&name));
    let left = || {
        let attribute = attributes(document).find(|attribute| attribute.get("name").is_some_and(is_life))?;
        100_u64.checked_sub(first(attribute, &["/value"])?)
    };
    first(document, &used).or_else(left)
}

/// The raw value of an ATA attribute. The text is in the format that the disk's vendor uses, the number is all 48 bits
/// of it at once (`31 (Min/Max 31/31)` is 522125343), so the text comes first.
fn raw(document: &Value, id: u64) -> Option<u64> {
    let attribute = attributes(document).find(|attribute| first(attribute, &["/id"]) == Some(id))?;
    let text: Option<String> = first(attribute, &["/raw/string"]);
    let number = text.as_deref().and_then(|text| text.split([' ', '/', '(']).next()?.parse().ok());
    number.or_else(|| first(attribute, &["/raw/value"]))
}

fn attributes(document: &Value) -> impl Iterator<Item = &Value> {
    document.pointer("/ata_smart_attributes/table").and_then(Value::as_array).into_iter().flatten()
}

/// The sum of what SCSI could not correct while it read, wrote and verified.
fn uncorrected(document: &Value) -> Option<u64> {
    let counters = ["read", "write", "verify"].iter().filter_map(|way| {
        first(document, &[format!("/scsi_error_counter_log/{way}/total_uncorrected_errors").as_str()])
    });
    counters.reduce(u64::saturating_add)
}

fn ata_self_test(document: &Value) -> Option<SelfTest> {
    let logged = document
        .pointer("/ata_smart_self_test_log/extended/table/0")
        .or_else(|| document.pointer("/ata_smart_self_test_log/standard/table/0"))?;
    Some(SelfTest {
        kind: first(logged, &["/type/string"]),
        result: first(logged, &["/status/string"]),
        is_passed: first(logged, &["/status/passed"]),
        at_hours: first(logged, &["/lifetime_hours"]),
    })
}

/// Source: NVMe base specification, "Device Self-test" log: 0 is without error, 5 to 7 are failures, the rest aborted.
fn nvme_self_test(document: &Value) -> Option<SelfTest> {
    let logged = document.pointer("/nvme_self_test_log/table/0")?;
    Some(SelfTest {
        kind: first(logged, &["/self_test_code/string"]),
        result: first(logged, &["/self_test_result/string"]),
        is_passed: verdict(first(logged, &["/self_test_result/value"]), 5),
        at_hours: first(logged, &["/power_on_hours"]),
    })
}

/// Source: SPC-3, "Self-Test Results log page": 0 is without error, 3 to 7 are failures, the rest aborted or running.
fn scsi_self_test(document: &Value) -> Option<SelfTest> {
    let logged = document.get("scsi_self_test_0")?;
    Some(SelfTest {
        kind: first(logged, &["/code/string"]),
        result: first(logged, &["/result/string"]),
        is_passed: verdict(first(logged, &["/result/value"]), 3),
        at_hours: first(logged, &["/power_on_time/hours"]),
    })
}

fn verdict(result: Option<u64>, first_failure: u64) -> Option<bool> {
    match result? {
        0 => Some(true),
        result if (first_failure..=7).contains(&result) => Some(false),
        _ => None,
    }
}

/// The first of the places that holds such a value, in whichever scalar it is written.
fn first<T: LooseScalar>(document: &Value, pointers: &[&str]) -> Option<T> {
    pointers.iter().filter_map(|pointer| document.pointer(pointer)).find_map(scalar)
}

fn scalar<T: LooseScalar>(value: &Value) -> Option<T> {
    match value {
        Value::Bool(value) => T::from_bool(*value),
        Value::String(text) => T::from_text(text),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => T::from_u64(number),
            (None, Some(number)) => T::from_i64(number),
            (None, None) => T::from_f64(number.as_f64()?),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

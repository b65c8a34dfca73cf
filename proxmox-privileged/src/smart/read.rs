//! Makes a report of what smartctl printed.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use serde_json::Value;

use super::json::{attributes, each_message, first, raw};
use super::report::{Protocol, SmartBits, SmartReport};
use super::self_test::self_test;
use super::wear::wear;

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

/// The version of smartctl, which says it as two numbers.
pub(super) fn version(document: &Value) -> Option<String> {
    let part = |pointer: &str| first::<u64>(document, &[pointer]);
    Some(format!("{}.{}", part("/smartctl/version/0")?, part("/smartctl/version/1")?))
}

/// The mask of eight bits; another number is none.
pub(super) fn bits(document: &Value) -> Option<SmartBits> {
    let status: Option<u8> = first(document, &["/smartctl/exit_status"]);
    status.map(|status| SmartBits::from_status(status.into()))
}

pub(super) fn report(document: Value, bits: SmartBits) -> SmartReport {
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
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_temperature_that_no_disk_has_is_none() {
        let told = |current: Value, log: Value| {
            let nvme = json!({"temperature": log});
            let current = json!({"current": current, "drive_trip": 0});
            temperature(&json!({"temperature": current, "nvme_smart_health_information_log": nvme}))
        };
        let none = [0, -273, 255, 127, -128, 65262].map(|current| told(json!(current), json!(null)));
        let odd = [json!("warm"), json!({}), json!(null), json!([30])];
        assert_eq!((none, odd.map(|current| told(current, json!(null)))), ([None; 6], [None; 4]));
        let some = [(json!(0), json!(38)), (json!("-3"), json!(0)), (json!(71.0), json!(9))];
        assert_eq!(some.map(|(current, log)| told(current, log)), [Some(38), Some(-3), Some(71)]);
    }
}

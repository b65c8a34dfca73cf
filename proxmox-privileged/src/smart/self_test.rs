//! The self-test that a disk makes, or else the latest that it made.

use alloc::string::String;

use serde_json::Value;

use super::json::first;
use super::report::SelfTest;

pub(super) fn self_test(document: &Value) -> Option<SelfTest> {
    let running = || ata_running(document).or_else(|| nvme_running(document));
    let logged = || ata(document).or_else(|| nvme(document)).or_else(|| scsi(document));
    running().or_else(logged)
}

/// Source: ATA8-ACS, "Self-test execution status byte": 15 in the upper half runs, the lower half is what remains in steps of
/// 10 %.
fn ata_running(document: &Value) -> Option<SelfTest> {
    let status = document.pointer("/ata_smart_data/self_test/status")?;
    let value: Option<u64> = first(status, &["/value"]).filter(|value| *value <= 255);
    let remaining = first(status, &["/remaining_percent"]);
    let is_running = match value {
        Some(value) => value >= 240,
        None => remaining.is_some(),
    };
    let steps = value.map(|value| value % 16 * 10);
    is_running.then(|| running(None, first(status, &["/string"]), percent(remaining.or(steps))))
}

/// Source: NVMe base specification, "Device Self-test" log: operation 0 is none, 1 short, 2 extended.
fn nvme_running(document: &Value) -> Option<SelfTest> {
    let log = document.get("nvme_self_test_log")?;
    let operation: u64 = first(log, &["/current_self_test_operation/value"])?;
    let kind = match operation {
        1 => Some("Short".into()),
        2 => Some("Extended".into()),
        _ => None,
    };
    let done = percent(first(log, &["/current_self_test_completion_percent"]));
    let remaining = done.and_then(|done| 100_u64.checked_sub(done));
    (operation > 0).then(|| running(kind, first(log, &["/current_self_test_operation/string"]), remaining))
}

fn running(kind: Option<String>, result: Option<String>, remaining_percent: Option<u64>) -> SelfTest {
    SelfTest { kind, result, is_passed: None, is_running: true, remaining_percent, at_hours: None }
}

fn percent(value: Option<u64>) -> Option<u64> {
    value.filter(|value| *value <= 100)
}

fn ata(document: &Value) -> Option<SelfTest> {
    let logged = document
        .pointer("/ata_smart_self_test_log/extended/table/0")
        .or_else(|| document.pointer("/ata_smart_self_test_log/standard/table/0"))?;
    Some(SelfTest {
        kind: first(logged, &["/type/string"]),
        result: first(logged, &["/status/string"]),
        is_passed: first(logged, &["/status/passed"]),
        is_running: first(logged, &["/status/value"]).is_some_and(|value: u64| (240..256).contains(&value)),
        remaining_percent: percent(first(logged, &["/status/remaining_percent"])),
        at_hours: first(logged, &["/lifetime_hours"]),
    })
}

/// Source: NVMe base specification, "Device Self-test" log: 0 is without error, 5 to 7 are failures, the rest aborted.
fn nvme(document: &Value) -> Option<SelfTest> {
    let logged = document.pointer("/nvme_self_test_log/table/0")?;
    Some(SelfTest {
        kind: first(logged, &["/self_test_code/string"]),
        result: first(logged, &["/self_test_result/string"]),
        is_passed: verdict(first(logged, &["/self_test_result/value"]), 5),
        is_running: false,
        remaining_percent: None,
        at_hours: first(logged, &["/power_on_hours"]),
    })
}

/// Source: SPC-3, "Self-Test Results log page": 0 is without error, 3 to 7 are failures, 15 runs, the rest was aborted.
fn scsi(document: &Value) -> Option<SelfTest> {
    let logged = document.get("scsi_self_test_0")?;
    let result = first(logged, &["/result/value"]);
    Some(SelfTest {
        kind: first(logged, &["/code/string"]),
        result: first(logged, &["/result/string"]),
        is_passed: verdict(result, 3),
        is_running: result == Some(15) || first(logged, &["/self_test_in_progress"]) == Some(true),
        remaining_percent: None,
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

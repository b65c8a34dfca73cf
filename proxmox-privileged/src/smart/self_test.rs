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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A log in which the latest test found nothing.
    fn logged() -> Value {
        json!({
            "ata_smart_self_test_log": {"standard": {"table": [{
                "type": {"value": 1, "string": "Short offline"},
                "status": {"value": 0, "string": "Completed without error", "passed": true}, "lifetime_hours": 1708,
            }]}},
        })
    }

    fn with(key: &str, value: Value) -> Value {
        let mut document = logged();
        document[key] = value;
        document
    }

    fn of(result: &str, remaining_percent: Option<u64>) -> SelfTest {
        running(None, Some(result.into()), remaining_percent)
    }

    #[test]
    fn a_running_test_comes_before_an_older_result() {
        let ata = |status| with("ata_smart_data", json!({"self_test": {"status": status}}));
        let nvme = |log| with("nvme_self_test_log", log);
        let rows = [
            (
                ata(json!({"value": 241, "string": "in progress, 10% remaining", "remaining_percent": 10})),
                of("in progress, 10% remaining", Some(10)),
            ),
            (ata(json!({"value": 249, "string": "x"})), of("x", Some(90))),
            (ata(json!({"value": 240, "string": "x", "remaining_percent": "0"})), of("x", Some(0))),
            (ata(json!({"value": 255, "string": "x"})), of("x", None)),
            (ata(json!({"string": "x", "remaining_percent": 40})), of("x", Some(40))),
            (
                nvme(json!({
                    "current_self_test_operation": {"value": 2, "string": "Extended self-test in progress"},
                    "current_self_test_completion_percent": 30,
                    "table": [{"self_test_code": {"value": 1}, "self_test_result": {"value": 0, "string": "y"}}],
                })),
                SelfTest { kind: Some("Extended".into()), ..of("Extended self-test in progress", Some(70)) },
            ),
            (
                nvme(json!({"current_self_test_operation": {"value": "1", "string": "x"}})),
                SelfTest { kind: Some("Short".into()), ..of("x", None) },
            ),
            (
                nvme(json!({"current_self_test_operation": {"value": 14, "string": "Vendor"}})),
                of("Vendor", None),
            ),
        ];
        for (document, expected) in rows {
            assert_eq!(self_test(&document), Some(expected), "{document}");
        }
    }

    #[test]
    fn a_test_that_does_not_run_leaves_the_latest_result() {
        let ata = |status| with("ata_smart_data", json!({"self_test": {"status": status}}));
        let documents = [
            logged(),
            ata(json!({"value": 0, "string": "completed without error", "passed": true})),
            ata(json!({"value": 25, "string": "was aborted by the host"})),
            ata(json!({"value": 496})),
            ata(json!({"value": "soon"})),
            with("ata_smart_data", json!([240])),
            with(
                "nvme_self_test_log",
                json!({"current_self_test_operation": {"value": 0, "string": "No self-test"}}),
            ),
            with("nvme_self_test_log", json!({"current_self_test_operation": "Short"})),
        ];
        let latest = SelfTest {
            kind: Some("Short offline".into()),
            result: Some("Completed without error".into()),
            is_passed: Some(true),
            is_running: false,
            remaining_percent: None,
            at_hours: Some(1708),
        };
        for document in documents {
            assert_eq!(self_test(&document).as_ref(), Some(&latest), "{document}");
        }
    }

    #[test]
    fn a_sas_disk_says_in_its_log_that_a_test_runs() {
        let test = |value: Value| {
            let document = json!({"scsi_self_test_0": {
                "code": {"value": 2, "string": "Background long"}, "result": value, "self_test_in_progress": false,
            }});
            self_test(&document).map(|test| (test.is_running, test.is_passed))
        };
        let results = [15, 0, 4, 2].map(|value| test(json!({"value": value, "string": "x"})));
        let expected = [(true, None), (false, Some(true)), (false, Some(false)), (false, None)].map(Some);
        assert_eq!((results, test(json!("odd"))), (expected, Some((false, None))));
    }

    #[test]
    fn an_nvme_self_test_can_be_aborted() {
        let test = |result: u8| {
            let log = json!({"nvme_self_test_log": {"table": [{
                "self_test_code": {"value": 1, "string": "Short"},
                "self_test_result": {"value": result, "string": "x"},
                "power_on_hours": "77",
            }]}});
            self_test(&log).unwrap()
        };
        let expected = |is_passed| SelfTest {
            kind: Some("Short".into()),
            result: Some("x".into()),
            is_passed,
            is_running: false,
            remaining_percent: None,
            at_hours: Some(77),
        };
        assert_eq!([0, 2, 6, 9].map(test), [Some(true), None, Some(false), None].map(expected));
    }
}

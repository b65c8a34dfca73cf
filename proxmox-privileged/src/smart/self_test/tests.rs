//! Tests that run, and that have run, of each kind of disk.

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
        (nvme(json!({"current_self_test_operation": {"value": 14, "string": "Vendor"}})), of("Vendor", None)),
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

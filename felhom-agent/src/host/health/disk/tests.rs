//! Recordings of smartctl, and what other disks answered.

use proxmox_privileged::smart::smart;
use proxmox_privileged::{Command, CommandOutput};
use serde_json::{Value, json};

use super::*;

/// The verdict as a person reads it.
fn told_of(stdout: &[u8]) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let answer = |_: &Command| Ok(CommandOutput { stdout: stdout.to_vec(), ..CommandOutput::from("") });
    let (status, why) = disk(&runtime.block_on(smart(&answer, &"/dev/sda".parse().unwrap())));
    format!("{} {why}", status.label())
}

fn told(document: &Value) -> String {
    told_of(document.to_string().as_bytes())
}

fn recorded(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../proxmox-privileged/fixtures/host/smartctl");
    std::fs::read(format!("{folder}/{name}.json")).unwrap()
}

/// A disk that is well, but for these keys.
fn with(changes: Value) -> Value {
    let mut document: Value = serde_json::from_slice(&recorded("smart__dev_sda")).unwrap();
    let (Value::Object(document_keys), Value::Object(changes)) = (&mut document, changes) else {
        panic!("objects")
    };
    document_keys.extend(changes);
    document
}

fn said(words: &str, status: u8) -> Value {
    json!({"smartctl": {"version": [7, 4], "messages": [{"string": words, "severity": "error"}], "exit_status": status}})
}

#[test]
fn every_recorded_disk_is_judged_by_what_it_tells() {
    let unasked = "skip smartctl knows no way to ask it: a virtual disk, or an unknown controller";
    let denied = "skip /dev/sda: Smartctl open device: /dev/vda failed: Permission denied (smartctl 7.3)";
    let rows = [
        ("smart__dev_sda", "ok well"),
        ("smart__dev_nvme0", "ok well"),
        ("smart__dev_nvme0n1", "ok well"),
        ("smart__dev_sdb", "ok well"),
        ("local73__virtio_vda", unasked),
        ("local73__standby", unasked),
        ("local73__permission_denied_scsi", denied),
        (
            "local73__sat",
            "skip /dev/sda: Smartctl open device: /dev/vda [SAT] failed: Operation not permitted (smartctl 7.3)",
        ),
        (
            "smart__dev_sdc",
            "warn /dev/sda: Smartctl open device: /dev/sdc failed: No such device (smartctl 7.3)",
        ),
    ];
    for (name, expected) in rows {
        assert_eq!(told_of(&recorded(name)), expected, "{name}");
    }
}

#[test]
fn a_disk_that_cannot_be_asked_is_no_failed_disk_whatever_smartctl_says() {
    let words = [
        "Smartctl open device: /dev/sda failed: DELL or MegaRaid controller, please try adding '-d megaraid,N'",
        "Read Device Identity failed: scsi error unsupported scsi opcode",
        "Read Device Identity failed: scsi error badly formed scsi parameters",
        "Device open changed type from 'scsi' to 'sat'",
        "Smartctl open device: /dev/sda failed: No such file or directory",
        "Read Device Identity failed: Input/output error",
        "SMART Disabled. Use option -s with argument 'on' to enable it.",
        "A mandatory SMART command failed: exiting. To continue, add one or more '-T permissive' options.",
        "words of a version to come: FAILED!",
    ];
    for words in words {
        let told = told(&said(words, 2));
        assert!(told.starts_with("skip ") || told.starts_with("warn "), "{told}");
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn an_answer_that_is_no_report_is_no_failed_disk() {
    let nonsense = "warn /dev/sda: smartctl printed no JSON: exit status 0: ";
    for stdout in [&b"{\"smart_status\": {"[..], b"", b"\xff\xfe", b"Segmentation fault"] {
        let told = told_of(stdout);
        assert!(told.starts_with(nonsense), "{told}");
    }
    let documents =
        [json!(null), json!([]), json!({}), json!({"smartctl": []}), json!({"smartctl": {"messages": "x"}})];
    for document in documents {
        assert_eq!(told(&document), "skip /dev/sda: exit status 0");
    }
}

#[test]
fn a_usb_bridge_that_smartctl_does_not_know_is_named() {
    let text = "/dev/sda: Unknown USB bridge [0x0bda:0x9210 (0x2100)]";
    let expected =
        "skip smartctl does not know its USB bridge 0x0bda:0x9210 (0x2100), so its health stays unknown";
    assert_eq!(told(&said(text, 1)), expected);
}

#[test]
fn a_sleeping_disk_is_not_called_well() {
    assert_eq!(told(&said("Device is in STANDBY mode, exit(2)", 2)), "skip asleep (STANDBY), and left so");
}

#[test]
fn a_disk_that_says_nothing_of_its_health_is_not_called_well() {
    // Recorded: a volume of an Intel RAID controller.
    let raid = json!({
        "smartctl": {"version": [7, 0], "exit_status": 4},
        "device": {"name": "/dev/sdb", "type": "scsi", "protocol": "SCSI"},
        "model_name": "Intel Raid 1 Volume",
        "temperature": {"current": 0, "drive_trip": 0},
    });
    let nothing = "skip it tells nothing of its health";
    let rows = [
        (raid, nothing),
        (with(json!({"smart_status": null})), nothing),
        (with(json!({"smart_status": {"passed": "perhaps"}})), nothing),
        (with(json!({"smart_status": {"passed": -1}})), nothing),
        (with(json!({"smart_status": {"passed": ""}})), nothing),
        (with(json!({"smart_status": {"passed": []}, "smartctl": {"exit_status": -1}})), nothing),
        (
            with(json!({"smart_support": {"available": true, "enabled": false}})),
            "skip its SMART is switched off",
        ),
        (with(json!({"smart_support": {"available": false}, "smart_status": null})), "skip it has no SMART"),
        (
            with(
                json!({"smart_status": [], "smartctl": {"messages": [{"string": "SMART Status not supported"}]}}),
            ),
            "skip it tells nothing of its health: SMART Status not supported",
        ),
        (
            with(json!({"smart_status": null, "scsi_grown_defect_list": 3, "ata_smart_attributes": null})),
            "warn 3 sectors were replaced, it tells nothing of its health",
        ),
    ];
    for (document, expected) in rows {
        assert_eq!(told(&document), expected);
    }
}

#[test]
fn only_what_proves_a_failure_is_one() {
    let nvme = |mask: Value| with(json!({"nvme_smart_health_information_log": {"critical_warning": mask}}));
    let bits = |status: i64| with(json!({"smartctl": {"exit_status": status}}));
    let rows = [
        (with(json!({"smart_status": {"passed": false}})), "FAIL it expects to fail: replace it"),
        (bits(8), "FAIL it expects to fail: replace it"),
        (nvme(json!(1)), "FAIL its spare blocks run out"),
        (nvme(json!(4 + 8)), "FAIL its memory is not reliable any more, it can only be read"),
        (nvme(json!("2")), "FAIL its temperature is beyond its limit"),
        (
            with(json!({"smart_status": {"nvme": {"value": 16}}})),
            "FAIL the backup of its volatile memory failed",
        ),
        (nvme(json!(64)), "warn it warns of something unknown"),
        (nvme(json!(0)), "ok well"),
        (nvme(json!(-1)), "ok well"),
        (bits(4), "ok well"),
        (bits(-1), "ok well"),
        (bits(256 + 8), "ok well"),
        (bits(16), "warn an attribute is below its threshold"),
        (bits(32 + 64), "warn an attribute was below its threshold, its error log has entries"),
        (bits(128), "warn a self-test failed"),
        (
            with(json!({"smart_status": {"passed": null}, "smartctl": {"exit_status": 1 + 2}})),
            "skip it tells nothing of its health",
        ),
    ];
    for (document, expected) in rows {
        assert_eq!(told(&document), expected);
    }
}

#[test]
fn a_disk_that_wears_out_is_told() {
    let log = json!({"percentage_used": 134, "media_errors": 2, "critical_warning": 0});
    let attributes = json!({"table": [{"id": 197, "name": "Current_Pending_Sector", "raw": {"value": 8}}]});
    let worn = with(json!({"nvme_smart_health_information_log": log, "ata_smart_attributes": attributes}));
    assert_eq!(told(&worn), "warn 8 sectors wait to be replaced, 2 errors in its memory, 134 % worn");
}

#[test]
fn a_self_test_that_runs_is_told() {
    let test = |status| with(json!({"ata_smart_data": {"self_test": {"status": status}}}));
    let rows = [
        (
            test(json!({"value": 241, "remaining_percent": 10})),
            "ok well, a self-test is running, 10 % remaining",
        ),
        (
            with(json!({"nvme_self_test_log": {"current_self_test_operation": {"value": 1}}})),
            "ok well, a self-test is running",
        ),
        (
            with(json!({"scsi_self_test_0": {"result": {"value": 15}}, "smart_status": null})),
            "skip it tells nothing of its health, a self-test is running",
        ),
        (with(json!({"scsi_self_test_0": {"result": {"value": 4}}})), "warn a self-test failed"),
    ];
    for (document, expected) in rows {
        assert_eq!(told(&document), expected);
    }
}

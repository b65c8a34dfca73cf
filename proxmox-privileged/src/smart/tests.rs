//! Every recording of smartctl, and what real disks answer besides.

use alloc::string::ToString;
use alloc::vec;

use serde_json::json;

use super::*;
use crate::script::{exited, now, recording, scripted};

fn disk() -> Disk {
    "/dev/sda".parse().unwrap()
}

fn asked(output: CommandOutput) -> Result<Smart, SmartError> {
    now(smart(&scripted(vec![("/usr/sbin/smartctl -a -j -n standby /dev/sda", Ok(output))]), &disk()))
}

fn recorded(name: &str) -> Value {
    serde_json::from_str(&recording(&alloc::format!("host/smartctl/{name}.json"))).unwrap()
}

/// What a recording comes down to. The exit status is in it.
fn answer(name: &str) -> Result<Smart, SmartError> {
    let document = recorded(name);
    let status = document.pointer("/smartctl/exit_status").unwrap().as_i64().unwrap();
    asked(exited(status.try_into().unwrap(), &document.to_string(), ""))
}

fn report(document: &Value) -> SmartReport {
    match asked(exited(0, &document.to_string(), "")).unwrap() {
        Smart::Report(report) => *report,
        asleep @ Smart::Asleep { .. } => panic!("{asleep:?}"),
    }
}

/// A report in which nothing is known.
fn blank(name: &str) -> SmartReport {
    SmartReport {
        protocol: None,
        model: None,
        serial: None,
        capacity_bytes: None,
        is_passed: None,
        is_available: None,
        is_enabled: None,
        critical_warning: None,
        temperature_celsius: None,
        power_on_hours: None,
        wear_percent: None,
        reallocated_sectors: None,
        pending_sectors: None,
        uncorrectable_sectors: None,
        media_errors: None,
        self_test: None,
        bits: SmartBits::default(),
        document: recorded(name),
    }
}

#[test]
fn an_ata_disk_tells_its_health() {
    let health = SmartReport {
        protocol: Some(Protocol::Ata),
        model: Some("QEMU HARDDISK".into()),
        serial: Some("QATA0001".into()),
        capacity_bytes: Some(67_108_864),
        is_passed: Some(true),
        is_available: Some(true),
        is_enabled: Some(true),
        temperature_celsius: Some(31),
        power_on_hours: Some(1),
        reallocated_sectors: Some(0),
        ..blank("smart__dev_sda")
    };
    assert_eq!(answer("smart__dev_sda").unwrap(), Smart::Report(Box::new(health)));
}

#[test]
fn an_nvme_disk_tells_its_health() {
    let health = |name| SmartReport {
        protocol: Some(Protocol::Nvme),
        model: Some("QEMU NVMe Ctrl".into()),
        serial: Some("QNVME0001".into()),
        is_passed: Some(true),
        is_available: Some(true),
        is_enabled: Some(true),
        critical_warning: Some(0),
        temperature_celsius: Some(50),
        power_on_hours: Some(0),
        wear_percent: Some(0),
        media_errors: Some(0),
        ..blank(name)
    };
    let namespace = SmartReport { capacity_bytes: Some(67_108_864), ..health("smart__dev_nvme0n1") };
    assert_eq!(
        [answer("smart__dev_nvme0").unwrap(), answer("smart__dev_nvme0n1").unwrap()],
        [health("smart__dev_nvme0"), namespace].map(|health| Smart::Report(Box::new(health)))
    );
}

#[test]
fn a_scsi_disk_is_healthy_although_smartctl_exits_4() {
    let health = SmartReport {
        protocol: Some(Protocol::Scsi),
        model: Some("Linux scsi_debug".into()),
        serial: Some("14000".into()),
        capacity_bytes: Some(8_388_608),
        is_passed: Some(true),
        is_available: Some(true),
        is_enabled: Some(false),
        temperature_celsius: Some(38),
        bits: SmartBits::from_status(4),
        ..blank("smart__dev_sdb")
    };
    assert_eq!(answer("smart__dev_sdb").unwrap(), Smart::Report(Box::new(health)));
}

/// As smartctl 7.3 says it; no such bridge was at hand.
#[test]
fn an_unknown_usb_bridge_is_told() {
    let text = "Unknown USB bridge [0x0bda:0x9210 (0x2100)]";
    let document = serde_json::json!({
        "smartctl": {
            "exit_status": 1, "messages": [{ "string": alloc::format!("/dev/sda: {text}"), "severity": "error" }],
        },
    });
    let error = judged(&"/dev/sda".parse().unwrap(), &exited(1, &document.to_string(), "")).unwrap_err();
    let SmartError::NoHealth { reason, text: told, .. } = error else { panic!("{error:?}") };
    assert_eq!((reason, told.as_str()), (SmartReason::UnknownUsbBridge, text));
}

#[test]
fn every_recording_without_health_tells_why() {
    use SmartReason::{NoSuchDevice, Other, PermissionDenied, UnknownDeviceType};
    let rows = [
        ("smart__dev_sdc", NoSuchDevice, "Smartctl open device: /dev/sdc failed: No such device", 2),
        ("local73__nosuch", NoSuchDevice, "Smartctl open device: /dev/nosuch failed: No such device", 2),
        ("local73__notblock", UnknownDeviceType, "/etc/hostname: Unable to detect device type", 1),
        ("local73__permission_denied", UnknownDeviceType, "/dev/vda: Unable to detect device type", 1),
        ("local73__standby", UnknownDeviceType, "/dev/vda: Unable to detect device type", 1),
        ("local74__standby_vda", UnknownDeviceType, "/dev/vda: Unable to detect device type", 1),
        ("local73__virtio_vda", UnknownDeviceType, "/dev/vda: Unable to detect device type", 1),
        (
            "local73__permission_denied_nvme",
            PermissionDenied,
            "Smartctl open device: /dev/vda failed: Permission denied",
            2,
        ),
        (
            "local73__permission_denied_sat",
            PermissionDenied,
            "Smartctl open device: /dev/vda [SAT] failed: Permission denied",
            2,
        ),
        (
            "local73__permission_denied_scsi",
            PermissionDenied,
            "Smartctl open device: /dev/vda failed: Permission denied",
            2,
        ),
        ("local73__sat", Other, "Smartctl open device: /dev/vda [SAT] failed: Operation not permitted", 2),
        ("local73__scan", Other, "exit status 0", 0),
    ];
    for (name, expected, words, status) in rows {
        let SmartError::NoHealth { reason, text, bits, .. } = answer(name).unwrap_err() else {
            panic!("{name}")
        };
        assert_eq!(
            (reason, text.as_str(), bits),
            (expected, words, SmartBits::from_status(status)),
            "{name}"
        );
    }
}

#[test]
fn an_error_names_the_version_of_smartctl() {
    let told = ["smart__dev_sdc", "local74__standby_vda"].map(|name| answer(name).unwrap_err().to_string());
    assert_eq!(
        told,
        [
            "/dev/sda: Smartctl open device: /dev/sdc failed: No such device (smartctl 7.3)",
            "/dev/sda: /dev/vda: Unable to detect device type (smartctl 7.4)",
        ]
    );
}

#[test]
fn a_bad_argument_is_told_in_full() {
    let error = answer("local73__badarg").unwrap_err().to_string();
    assert!(
        error.starts_with(
            "/dev/sda: /dev/vda: Unknown device type 'bogus'; =======> VALID ARGUMENTS ARE: ata, "
        )
    );
}

#[test]
fn a_sleeping_disk_is_neither_healthy_nor_broken() {
    let asleep = ["STANDBY", "SLEEP", "STANDBY (OS)"].map(|mode| {
        let document = json!({
            "smartctl": {
                "messages": [{"string": alloc::format!("Device is in {mode} mode, exit(2)"), "severity": "information"}],
                "exit_status": 2,
            },
            "device": {"name": "/dev/sda", "info_name": "/dev/sda [SAT]", "type": "sat", "protocol": "ATA"},
        });
        asked(exited(2, &document.to_string(), "")).unwrap()
    });
    assert_eq!(asleep, ["STANDBY", "SLEEP", "STANDBY (OS)"].map(|mode| Smart::Asleep { mode: mode.into() }));
}

#[test]
fn a_failing_ata_disk_tells_its_sectors_its_wear_and_its_self_test() {
    let attribute = |id, name, value, raw: Value| json!({"id": id, "name": name, "value": value, "raw": raw});
    let read = report(&json!({
        "smartctl": {"exit_status": 0b1100_1000},
        "smart_status": {"passed": false},
        "ata_smart_attributes": {"table": [
            attribute(5, "Reallocated_Sector_Ct", 90, json!({"value": 281_479_271_677_952_u64, "string": "8 (0 4)"})),
            attribute(197, "Current_Pending_Sector", 100, json!({"value": 3, "string": "3"})),
            attribute(198, "Offline_Uncorrectable", 100, json!({"value": "2"})),
            attribute(233, "Media_Wearout_Indicator", 15, json!({"value": 0, "string": "0"})),
        ]},
        "ata_smart_self_test_log": {"standard": {"table": [
            {"type": {"value": 2, "string": "Extended offline"},
             "status": {"value": 121, "string": "Completed: read failure", "passed": false}, "lifetime_hours": 12345},
            {"type": {"string": "Short offline"}, "status": {"passed": true}},
        ]}},
    }));
    assert_eq!(
        (
            read.is_passed,
            read.reallocated_sectors,
            read.pending_sectors,
            read.uncorrectable_sectors,
            read.wear_percent
        ),
        (Some(false), Some(8), Some(3), Some(2), Some(85))
    );
    assert_eq!(
        (read.self_test, read.bits),
        (
            Some(SelfTest {
                kind: Some("Extended offline".into()),
                result: Some("Completed: read failure".into()),
                is_passed: Some(false),
                is_running: false,
                remaining_percent: None,
                at_hours: Some(12345)
            }),
            SmartBits::from_status(200)
        )
    );
}

#[test]
fn a_sas_disk_tells_its_defects_its_errors_and_its_self_test() {
    let read = report(&json!({
        "smart_status": {"passed": true},
        "scsi_grown_defect_list": 260,
        "scsi_percentage_used_endurance_indicator": 7,
        "scsi_error_counter_log": {
            "read": {"total_uncorrected_errors": 1}, "write": {"total_uncorrected_errors": "535"},
        },
        "scsi_self_test_0": {
            "code": {"value": 2, "string": "Background long"},
            "result": {"value": 4, "string": "Failed in segment -->"},
            "power_on_time": {"hours": 9},
        },
    }));
    let self_test = SelfTest {
        kind: Some("Background long".into()),
        result: Some("Failed in segment -->".into()),
        is_passed: Some(false),
        is_running: false,
        remaining_percent: None,
        at_hours: Some(9),
    };
    assert_eq!(
        (read.reallocated_sectors, read.wear_percent, read.uncorrectable_sectors, read.self_test),
        (Some(260), Some(7), Some(536), Some(self_test))
    );
}

#[test]
fn numbers_may_be_strings_large_or_nonsense() {
    let read = report(&json!({
        "smart_status": {"passed": "1"},
        "temperature": {"current": "-3"},
        "power_on_time": {"hours": [1]},
        "user_capacity": {"bytes": 18_000_207_937_536_000_000_u64},
        "nvme_smart_health_information_log": {
            "media_errors": 18_446_744_073_709_551_615_u64, "percentage_used": 1e2, "power_on_hours": "812"},
        "ata_smart_attributes": {"table": [{"id": 5, "raw": {"value": 281_474_976_710_655_u64, "string": "0xffff"}}, 7]},
        "model_name": {"x": 1},
    }));
    assert_eq!(
        (
            read.is_passed,
            read.temperature_celsius,
            read.power_on_hours,
            read.capacity_bytes,
            read.model.clone()
        ),
        (Some(true), Some(-3), Some(812), Some(18_000_207_937_536_000_000), None)
    );
    assert_eq!(
        (read.media_errors, read.wear_percent, read.reallocated_sectors),
        (Some(u64::MAX), Some(100), Some(281_474_976_710_655))
    );
}

#[test]
fn a_usb_stick_without_smart_is_a_report_without_a_verdict() {
    let document = json!({"device": {"protocol": "SCSI"}, "smart_support": {"available": false}});
    let read = report(&document);
    assert_eq!((read.is_passed, read.is_available, read.protocol), (None, Some(false), Some(Protocol::Scsi)));
}

#[test]
fn a_model_in_another_encoding_hides_nothing() {
    let mut output = exited(0, "", "");
    output.stdout =
        b"{\"model_name\": \"Festplatte f\xfcr B\xfcro\", \"smart_status\": {\"passed\": true}}".to_vec();
    let Smart::Report(read) = asked(output).unwrap() else { panic!("asleep") };
    assert_eq!(
        (read.model.as_deref(), read.is_passed),
        (Some("Festplatte f\u{fffd}r B\u{fffd}ro"), Some(true))
    );
}

#[test]
fn a_disk_that_does_not_answer_is_told_from_one_that_cannot_be_asked() {
    use SmartReason::{InputOutput, NoSuchDevice, Other, PermissionDenied, UnknownDeviceType};
    let rows = [
        ("Read Device Identity failed: Input/output error", InputOutput),
        ("Read Device Identity failed: scsi error unsupported scsi opcode", Other),
        (
            "Smartctl open device: /dev/sda failed: DELL or MegaRaid controller, please try adding '-d megaraid,N'",
            Other,
        ),
        ("Smartctl open device: /dev/sda failed: INQUIRY failed", Other),
        ("Smartctl open device: /dev/sda failed: Operation not permitted", Other),
        ("Smartctl open device: /dev/sda failed: No such device or address", NoSuchDevice),
        ("Smartctl open device: /dev/sda failed: Permission denied", PermissionDenied),
        ("Unable to detect device type", UnknownDeviceType),
        ("words of a version to come", Other),
    ];
    for (words, expected) in rows {
        let document =
            json!({"smartctl": {"messages": [{"string": words}, 5, {"string": 7}]}, "device": null});
        let SmartError::NoHealth { reason, text, .. } =
            asked(exited(2, &document.to_string(), "")).unwrap_err()
        else {
            panic!("{words}")
        };
        assert_eq!((reason, text.as_str()), (expected, words));
    }
}

#[test]
fn the_exit_status_of_the_process_counts_if_the_document_has_none() {
    let output = exited(8, "{\"smart_status\": {\"passed\": false}}", "");
    let Smart::Report(read) = asked(output).unwrap() else { panic!("asleep") };
    assert_eq!(read.bits.iter().collect::<vec::Vec<_>>(), [SmartBit::Failing]);
}

#[test]
fn text_instead_of_json_is_told() {
    let errors = [exited(1, "", "smartctl: not found\n"), exited(0, "{\"smart_status\": {", "")]
        .map(|output| asked(output).unwrap_err().to_string());
    assert_eq!(
        errors,
        [
            "/dev/sda: smartctl printed no JSON: smartctl: not found",
            "/dev/sda: smartctl printed no JSON: exit status 0"
        ]
    );
}

#[test]
fn a_disk_that_was_not_asked_is_told() {
    let line = "/usr/sbin/smartctl -a -j -n standby /dev/sda";
    let error = now(smart(&scripted(vec![(line, Err(RunError::PasswordWanted))]), &disk())).unwrap_err();
    assert_eq!(
        snafu::Report::from_error(error).to_string(),
        "/dev/sda was not asked\n\nCaused by this error:\n  1: sudo asks for a password\n"
    );
}

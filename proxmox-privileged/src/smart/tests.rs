//! Every recording of smartctl, and what real disks answer besides: `fixtures/smart.txt`.

use alloc::string::ToString;
use alloc::vec;

use super::*;
use crate::script::{assert_cases, exited, now, recording, scripted};

const LINE: &str = "/usr/sbin/smartctl -a -j -n standby /dev/sda";

fn asked(end: Result<CommandOutput, RunError>) -> Result<Smart, SmartError> {
    now(smart(&scripted(vec![(LINE, end)]), &"/dev/sda".parse().unwrap()))
}

/// What an answer comes down to: all that is known of the disk, or why it is not.
fn told(answer: Result<Smart, SmartError>) -> String {
    match answer {
        Ok(Smart::Report(report)) => {
            let mut known = serde_json::to_value(report).unwrap();
            known.as_object_mut().unwrap().remove("document");
            without_null(&mut known);
            known.to_string()
        }
        Ok(Smart::Asleep { mode }) => format!("asleep: {mode}"),
        Err(error @ SmartError::NoHealth { reason, bits, .. }) => format!("{reason:?} {bits:?} {error}"),
        Err(error) => error.to_string(),
    }
}

fn without_null(value: &mut Value) {
    if let Value::Object(keys) = value {
        keys.retain(|_, value| !value.is_null());
        keys.values_mut().for_each(without_null);
    }
}

#[test]
fn every_answer_comes_down_to_what_is_known() {
    assert_cases("smart.txt", |answer| {
        let text = match answer.strip_prefix('@') {
            Some(name) => recording(&format!("host/smartctl/{name}.json")),
            None => answer.into(),
        };
        let (before, rest) = text.split_once(' ').unwrap_or_default();
        let given = before.parse().ok().map(|status| (status, rest.to_string()));
        let document: Option<Value> = serde_json::from_str(&text).ok();
        let status = document.and_then(|document| document.pointer("/smartctl/exit_status")?.as_i64());
        let (status, text) =
            given.unwrap_or_else(|| (status.unwrap_or_default().try_into().unwrap(), text.clone()));
        let is_json = text.starts_with('{');
        told(asked(Ok(if is_json { exited(status, &text, "") } else { exited(status, "", &text) })))
    });
}

#[test]
fn a_model_in_another_encoding_hides_nothing() {
    let stdout = b"{\"model_name\": \"f\xfcr B\xfcro\", \"smart_status\": {\"passed\": true}}".to_vec();
    let known = told(asked(Ok(CommandOutput { stdout, ..exited(0, "", "") })));
    assert_eq!(known, "{\"bits\":[],\"is_passed\":true,\"model\":\"f\u{fffd}r B\u{fffd}ro\"}");
}

#[test]
fn a_disk_that_was_not_asked_is_told() {
    let error = asked(Err(RunError::PasswordWanted)).unwrap_err();
    assert_eq!(
        snafu::Report::from_error(error).to_string(),
        "/dev/sda was not asked\n\nCaused by this error:\n  1: sudo asks for a password\n"
    );
}

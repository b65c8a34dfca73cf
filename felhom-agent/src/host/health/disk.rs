//! How well a disk is, by what smartctl tells of it. Only what proves a failure is one.

use proxmox_privileged::smart::{Protocol, SelfTest, Smart, SmartBit, SmartError, SmartReason, SmartReport};

use super::Judgement;
use crate::report::chain;
use crate::report::finding::Status;

/// Life that may be used up before somebody should think of another disk, in percent.
const WORN: u64 = 90;

/// Judges what a disk answered.
pub fn disk(answer: &Result<Smart, SmartError>) -> Judgement {
    match answer {
        Ok(Smart::Report(report)) => reported(report),
        Ok(Smart::Asleep { mode }) => (Status::Skip, format!("asleep ({mode}), and left so")),
        Err(error) => not_told(error),
    }
}

/// A disk that could not be asked is no bad disk. One that should be there and is not, or answers nonsense, is to be looked at.
fn not_told(error: &SmartError) -> Judgement {
    match error {
        SmartError::NoHealth { reason: SmartReason::UnknownUsbBridge, text, .. } => {
            let number = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
            let number = number.map(|(number, _)| format!(" {number}")).unwrap_or_default();
            (
                Status::Skip,
                format!("smartctl does not know its USB bridge{number}, so its health stays unknown"),
            )
        }
        SmartError::NoHealth { reason: SmartReason::UnknownDeviceType, .. } => {
            let text = "smartctl knows no way to ask it: a virtual disk, or an unknown controller";
            (Status::Skip, text.into())
        }
        SmartError::NoHealth { reason: SmartReason::NoSuchDevice | SmartReason::InputOutput, .. }
        | SmartError::NoJson { .. } => (Status::Warn, chain(error)),
        _ => (Status::Skip, chain(error)),
    }
}

fn reported(report: &SmartReport) -> Judgement {
    if let Some(proof) = proof(report) {
        return (Status::Fail, proof);
    }
    let running = report.self_test.as_ref().filter(|test| test.is_running).map(running);
    let (worries, unknown) = (worries(report), unknown(report));
    let status = match (worries.is_empty(), &unknown) {
        (false, _) => Status::Warn,
        (true, Some(_)) => Status::Skip,
        (true, None) => Status::Ok,
    };
    let well = (status == Status::Ok).then(|| "well".to_owned());
    let why: Vec<String> = worries.into_iter().chain(unknown).chain(well).chain(running).collect();
    (status, why.join(", "))
}

/// Bits of a critical warning; the others are reserved.
///
/// Source: base specification of NVM Express, "SMART / Health Information", "Critical Warning".
const WARNINGS: [(u64, &str); 6] = [
    (1, "its spare blocks run out"),
    (1 << 1, "its temperature is beyond its limit"),
    (1 << 2, "its memory is not reliable any more"),
    (1 << 3, "it can only be read"),
    (1 << 4, "the backup of its volatile memory failed"),
    (1 << 5, "its persistent memory region can only be read"),
];

/// Why the disk fails, if that is proved.
fn proof(report: &SmartReport) -> Option<String> {
    let mask = report.critical_warning.filter(|mask| mask >> WARNINGS.len() == 0).unwrap_or_default();
    let warned: Vec<&str> =
        WARNINGS.into_iter().filter(|(bit, _)| mask & bit != 0).map(|(_, what)| what).collect();
    let fails = report.is_passed == Some(false) || has(report, SmartBit::Failing);
    match (warned.is_empty(), fails) {
        (false, _) => Some(warned.join(", ")),
        (true, true) => Some("it expects to fail: replace it".into()),
        (true, false) => None,
    }
}

fn has(report: &SmartReport, bit: SmartBit) -> bool {
    report.bits.iter().any(|set| set == bit)
}

/// What is no failure yet.
fn worries(report: &SmartReport) -> Vec<String> {
    let counted = [
        (report.reallocated_sectors, "sectors were replaced"),
        (report.pending_sectors, "sectors wait to be replaced"),
        (report.uncorrectable_sectors, "sectors cannot be read"),
        (report.media_errors, "errors in its memory"),
    ];
    let counted =
        counted.into_iter().filter_map(|(count, what)| count.filter(|count| *count > 0).map(|c| (c, what)));
    let mut why: Vec<String> = counted.map(|(count, what)| format!("{count} {what}")).collect();
    why.extend(report.wear_percent.filter(|worn| *worn >= WORN).map(|worn| format!("{worn} % worn")));
    let failed = report.self_test.as_ref().is_some_and(|test| test.is_passed == Some(false));
    let set = [
        (has(report, SmartBit::PrefailNow), "an attribute is below its threshold"),
        (has(report, SmartBit::PrefailPast), "an attribute was below its threshold"),
        (has(report, SmartBit::ErrorLog), "its error log has entries"),
        (has(report, SmartBit::SelfTestLog) || failed, "a self-test failed"),
        (report.critical_warning > Some(0), "it warns of something unknown"),
    ];
    why.extend(set.into_iter().filter(|(is_set, _)| *is_set).map(|(_, what)| what.into()));
    why
}

/// Why the disk has not said that it is well, if so.
///
/// SCSI disks pass also while they are told not to report failures, which smartctl calls disabled. Recording:
/// `smart__dev_sdb`.
fn unknown(report: &SmartReport) -> Option<String> {
    let is_off = report.is_enabled == Some(false) && report.protocol != Some(Protocol::Scsi);
    let is_well = report.is_passed == Some(true) || report.critical_warning == Some(0);
    let why = match (report.is_available, is_off) {
        (Some(false), _) => "it has no SMART",
        (_, true) => "its SMART is switched off",
        _ if is_well => return None,
        _ => "it tells nothing of its health",
    };
    Some(report.messages().map_or_else(|| why.into(), |text| format!("{why}: {text}")))
}

fn running(test: &SelfTest) -> String {
    let remaining = test.remaining_percent.map(|percent| format!(", {percent} % remaining"));
    format!("a self-test is running{}", remaining.unwrap_or_default())
}

#[cfg(test)]
mod tests;

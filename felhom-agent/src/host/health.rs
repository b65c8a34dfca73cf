//! How well a disk or a sensor is, by what it tells.

use proxmox_privileged::sensors::{Feature, FeatureKind};
use proxmox_privileged::smart::{Smart, SmartBit, SmartError, SmartReason, SmartReport};

use crate::chain::chain;
use crate::finding::Status;

/// A verdict, and why.
pub type Verdict = (Status, String);

/// Life that may be used up before somebody should think of another disk, in percent.
const WORN: u64 = 90;

/// Judges what a disk answered.
pub fn disk(answer: &Result<Smart, SmartError>) -> Verdict {
    match answer {
        Ok(Smart::Report(report)) => reported(report),
        Ok(Smart::Asleep { mode }) => (Status::Ok, format!("asleep ({mode}), and left so")),
        Err(error) => not_told(error),
    }
}

/// A disk that could not be asked is no bad disk; one that is not there, or answers nonsense, is.
fn not_told(error: &SmartError) -> Verdict {
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
        SmartError::NotRun { .. } => (Status::Skip, chain(error)),
        _ => (Status::Fail, chain(error)),
    }
}

fn reported(report: &SmartReport) -> Verdict {
    let has = |bit| report.bits.iter().any(|set| set == bit);
    if report.is_passed == Some(false) || has(SmartBit::Failing) {
        return (Status::Fail, "it expects to fail: replace it".into());
    }
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
    let bits = [
        (SmartBit::PrefailNow, "an attribute is below its threshold"),
        (SmartBit::PrefailPast, "an attribute was below its threshold"),
        (SmartBit::ErrorLog, "its error log has entries"),
        (SmartBit::SelfTestLog, "a self-test failed"),
    ];
    why.extend(bits.into_iter().filter(|(bit, _)| has(*bit)).map(|(_, what)| what.into()));
    if why.is_empty() { (Status::Ok, "well".into()) } else { (Status::Warn, why.join(", ")) }
}

/// Judges what a sensor measures, by its own limits.
pub fn sensor(feature: &Feature) -> Verdict {
    let Some(value) = feature.value() else { return (Status::Skip, "no value".into()) };
    let limit = |name: &str| {
        let reading = feature.readings.iter().find(|reading| reading.name.ends_with(name));
        reading.and_then(|reading| reading.value)
    };
    let is_hot = feature.kind == FeatureKind::Temperature;
    match (limit("_crit"), limit("_max"), limit("_min"), limit("_alarm")) {
        (Some(crit), ..) if is_hot && value >= crit => {
            (Status::Fail, format!("at its critical limit of {crit}"))
        }
        (_, Some(max), ..) if max > 0.0 && value > max => (Status::Warn, format!("above its limit of {max}")),
        (.., Some(min), _) if value < min => (Status::Warn, format!("below its limit of {min}")),
        (.., Some(alarm)) if alarm > 0.0 => (Status::Warn, "its alarm is on".into()),
        _ => (Status::Ok, String::new()),
    }
}

/// The unit in which a kind is measured.
pub const fn unit(kind: FeatureKind) -> &'static str {
    match kind {
        FeatureKind::Temperature => "°C",
        FeatureKind::Fan => "RPM",
        FeatureKind::Voltage => "V",
        FeatureKind::Current => "A",
        FeatureKind::Power => "W",
        FeatureKind::Energy => "J",
        FeatureKind::Humidity => "%",
        _ => "",
    }
}

/// The order in which a person wants to read verdicts: worst first.
pub const fn rank(status: Status) -> u8 {
    match status {
        Status::Fail => 0,
        Status::Warn => 1,
        Status::Skip => 2,
        Status::Ok => 3,
    }
}

#[cfg(test)]
mod tests {
    use proxmox_privileged::sensors::Reading;
    use proxmox_privileged::smart::{SmartBits, smart};
    use proxmox_privileged::{BoxFuture, Command, End, Output, RunError, Runner};

    use super::*;

    /// Answers every command with a recording of smartctl.
    struct Recorded(&'static str);

    impl Runner for Recorded {
        fn run(&self, _: &Command) -> BoxFuture<'_, Result<Output, RunError>> {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../proxmox-privileged/fixtures/host/smartctl");
            let stdout = std::fs::read(format!("{folder}/{}", self.0)).unwrap();
            let output = Output {
                end: End::Exit(0),
                stdout,
                stderr: Vec::new(),
                stdout_truncated: false,
                stderr_truncated: false,
            };
            Box::pin(std::future::ready(Ok(output)))
        }
    }

    fn asked(recording: &'static str) -> Result<Smart, SmartError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(smart(&Recorded(recording), &"/dev/sda".parse().unwrap()))
    }

    fn judged(recording: &'static str) -> Verdict {
        disk(&asked(recording))
    }

    fn feature(kind: FeatureKind, readings: &[(&str, f64)]) -> Feature {
        let reading = |(name, value): &(&str, f64)| Reading { name: (*name).into(), value: Some(*value) };
        Feature { label: "x".into(), kind, readings: readings.iter().map(reading).collect() }
    }

    #[test]
    fn a_disk_is_judged_by_what_it_tells() {
        let healthy = ["smart__dev_sda.json", "smart__dev_nvme0.json", "smart__dev_sdb.json"].map(judged);
        assert_eq!(healthy, [(); 3].map(|()| (Status::Ok, "well".to_string())));
        assert_eq!(judged("local73__virtio_vda.json").0, Status::Skip);
        let bad = ["local73__permission_denied_sat.json", "local73__nosuch.json"].map(|name| judged(name).0);
        assert_eq!(bad, [Status::Fail, Status::Fail]);
    }

    #[test]
    fn a_usb_bridge_that_smartctl_does_not_know_is_named() {
        let error = SmartError::NoHealth {
            disk: "/dev/sdb".parse().unwrap(),
            reason: SmartReason::UnknownUsbBridge,
            text: "/dev/sdb: Unknown USB bridge [0x0bda:0x9210 (0x2100)]; Please specify device type".into(),
            bits: SmartBits::default(),
            version: None,
        };
        let text =
            "smartctl does not know its USB bridge 0x0bda:0x9210 (0x2100), so its health stays unknown";
        assert_eq!(disk(&Err(error)), (Status::Skip, text.into()));
    }

    #[test]
    fn a_disk_that_expects_to_fail_or_wears_out_is_told() {
        let with = |change: &dyn Fn(&mut SmartReport)| {
            let Ok(Smart::Report(mut report)) = asked("smart__dev_sda.json") else { panic!("a report") };
            change(&mut report);
            reported(&report)
        };
        let failing = with(&|report| report.is_passed = Some(false));
        let worn = with(&|report| (report.wear_percent, report.pending_sectors) = (Some(97), Some(8)));
        assert_eq!(failing.0, Status::Fail);
        assert_eq!(worn, (Status::Warn, "8 sectors wait to be replaced, 97 % worn".into()));
    }

    #[test]
    fn a_sensor_is_judged_by_its_own_limits() {
        use FeatureKind::{Fan, Temperature, Voltage};
        let verdicts = [
            feature(Temperature, &[("temp1_input", 50.0), ("temp1_max", 80.0), ("temp1_crit", 100.0)]),
            feature(Temperature, &[("temp1_input", 90.0), ("temp1_max", 80.0), ("temp1_crit", 100.0)]),
            feature(Temperature, &[("temp1_input", 100.0), ("temp1_max", 80.0), ("temp1_crit", 100.0)]),
            feature(Temperature, &[("temp1_input", 60.0), ("temp1_max", 0.0)]),
            feature(Fan, &[("fan1_input", 0.0), ("fan1_min", 300.0)]),
            feature(Voltage, &[("in0_input", 1.0), ("in0_alarm", 1.0)]),
            feature(Voltage, &[]),
        ]
        .map(|feature| sensor(&feature).0);
        assert_eq!(verdicts.map(Status::label), ["ok", "warn", "FAIL", "ok", "warn", "warn", "skip"]);
    }
}

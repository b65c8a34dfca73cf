//! How well a sensor is, by its own limits and alarms. What nobody has set, or no part can mean, does not count.

use proxmox_privileged::sensors::{FeatureKind, SensorFeature};

use super::Judgement;
use crate::report::finding::Status;

/// A limit of a sensor.
struct Limit {
    /// Its name behind the number: `crit` of `temp1_crit`.
    name: &'static str,
    /// The limit that is set along with it, on the other side.
    partner: &'static str,
    /// Whether the value may not fall below it. Else it may not rise above it.
    is_low: bool,
    /// What it means to be there.
    status: Status,
    /// How that is said, with the limit behind it.
    text: &'static str,
    /// How its alarm is said.
    alarm: &'static str,
}

/// Source: Linux `Documentation/hwmon/sysfs-interface.rst`.
const LIMITS: [Limit; 5] = [
    Limit {
        name: "emergency",
        partner: "",
        is_low: false,
        status: Status::Fail,
        text: "at its emergency limit of",
        alarm: "its emergency alarm is on",
    },
    Limit {
        name: "crit",
        partner: "lcrit",
        is_low: false,
        status: Status::Fail,
        text: "at its critical limit of",
        alarm: "its critical alarm is on",
    },
    Limit {
        name: "lcrit",
        partner: "crit",
        is_low: true,
        status: Status::Fail,
        text: "at its lower critical limit of",
        alarm: "its lower critical alarm is on",
    },
    Limit {
        name: "max",
        partner: "min",
        is_low: false,
        status: Status::Warn,
        text: "above its limit of",
        alarm: ALARM,
    },
    Limit {
        name: "min",
        partner: "max",
        is_low: true,
        status: Status::Warn,
        text: "below its limit of",
        alarm: ALARM,
    },
];

const ALARM: &str = "its alarm is on";

/// Judges what a sensor measures.
pub fn sensor(feature: &SensorFeature) -> Judgement {
    if let Some(why) = silent(feature) {
        return (Status::Skip, why);
    }
    let reasons: Vec<Judgement> = exceeded(feature).into_iter().chain(alarms(feature)).collect();
    let worst = reasons.iter().map(|(status, _)| *status).min_by_key(|status| super::rank(*status));
    match (worst, feature.value()) {
        (Some(worst), _) => {
            let told = reasons.iter().filter(|(status, _)| *status == worst);
            let mut told: Vec<&str> = told.map(|(_, text)| text.as_str()).collect();
            told.dedup();
            (worst, told.join(", "))
        }
        (None, None) => (Status::Skip, "no value".into()),
        (None, Some(_)) => (Status::Ok, String::new()),
    }
}

/// Why the sensor measures nothing, if so.
fn silent(feature: &SensorFeature) -> Option<String> {
    let is = |name: &str, wanted: fn(f64) -> bool| feature.reading(name).is_some_and(wanted);
    let is_off = |name: &str| is(name, |value| value == 0.0);
    let senseless = feature.value().filter(|value| !is_possible(feature.kind, *value));
    match senseless {
        _ if feature.kind == FeatureKind::Other => Some("no value".into()),
        _ if is("fault", |value| value > 0.0) => Some("broken, or not connected".into()),
        _ if is_off("enable") || is_off("type") => Some("switched off".into()),
        Some(_) => Some("no sensor measures that: broken, or not connected".into()),
        None => None,
    }
}

/// Whether a part of this kind can mean the value. Chips without a sensor say 127, 127.875, -128, -62 or 65261.85.
fn is_possible(kind: FeatureKind, value: f64) -> bool {
    let (lowest, highest) = match kind {
        FeatureKind::Temperature => (-45.0, 126.0),
        FeatureKind::Fan => (0.0, 50_000.0),
        FeatureKind::Voltage | FeatureKind::Current => (-1000.0, 1000.0),
        FeatureKind::Power => (-100_000.0, 100_000.0),
        FeatureKind::Humidity => (0.0, 100.0),
        _ => (f64::MIN, f64::MAX),
    };
    (lowest..=highest).contains(&value)
}

impl Limit {
    /// The limit, if somebody has set it.
    fn of(&self, feature: &SensorFeature) -> Option<f64> {
        let limit = self.sensible(feature)?;
        let others = LIMITS.iter().filter(|other| other.is_low != self.is_low);
        let mut others =
            others.filter_map(|other| other.sensible(feature)).chain(feature.reading(self.partner));
        others.all(|other| if self.is_low { limit < other } else { other < limit }).then_some(limit)
    }

    /// The limit, if it is one by itself.
    fn sensible(&self, feature: &SensorFeature) -> Option<f64> {
        let is_frost = |limit: f64| feature.kind == FeatureKind::Temperature && limit < 0.0;
        let can_be = |limit: &f64| *limit != 0.0 && is_possible(feature.kind, *limit);
        feature.reading(self.name).filter(can_be).filter(|limit| self.is_low || !is_frost(*limit))
    }

    /// Whether the limit is there, and nobody has set it.
    fn is_unset(&self, feature: &SensorFeature) -> bool {
        feature.reading(self.name).is_some() && self.of(feature).is_none()
    }

    /// Whether the value is beyond the limit.
    fn is_exceeded(&self, value: f64, limit: f64) -> bool {
        match (self.status == Status::Fail, self.is_low) {
            (true, false) => value >= limit,
            (true, true) => value <= limit,
            (false, false) => value > limit,
            (false, true) => value < limit,
        }
    }
}

/// The limits that the value is beyond.
fn exceeded(feature: &SensorFeature) -> Vec<Judgement> {
    let Some(value) = feature.value() else { return Vec::new() };
    let set = LIMITS.iter().filter_map(|limit| limit.of(feature).map(|at| (limit, at)));
    set.filter(|(limit, at)| limit.is_exceeded(value, *at))
        .map(|(limit, at)| (limit.status, format!("{} {at}", limit.text)))
        .collect()
}

/// The alarms that are on, but for those that follow from limits that nobody has set.
fn alarms(feature: &SensorFeature) -> Vec<Judgement> {
    let on = feature.readings.iter().filter(|reading| reading.value.is_some_and(|value| value > 0.0));
    on.filter_map(|reading| reading.what().strip_suffix("alarm"))
        .filter_map(|name| match LIMITS.iter().find(|limit| name.strip_suffix('_') == Some(limit.name)) {
            Some(limit) => (!limit.is_unset(feature)).then_some((limit.status, limit.alarm)),
            None => (!follows_from_unset(feature)).then_some((Status::Warn, ALARM)),
        })
        // What cannot be read proves nothing.
        .map(|(status, text)| (feature.value().map_or(Status::Warn, |_| status), text.into()))
        .collect()
}

/// Whether an alarm for any of the limits is one for those that nobody has set.
fn follows_from_unset(feature: &SensorFeature) -> bool {
    let there: Vec<&Limit> = LIMITS.iter().filter(|limit| feature.reading(limit.name).is_some()).collect();
    let unset: Vec<&Limit> = there.iter().copied().filter(|limit| limit.is_unset(feature)).collect();
    let is_beyond = |limit: &&Limit| {
        let both = feature.value().zip(feature.reading(limit.name));
        both.is_some_and(|(value, at)| limit.is_exceeded(value, at))
    };
    !there.is_empty() && (unset.len() == there.len() || unset.iter().any(is_beyond))
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

#[cfg(test)]
mod tests;

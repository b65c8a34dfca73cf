//! Sensors as they were recorded, and limits of every kind.

use proxmox_privileged::sensors::Reading;

use super::*;
use FeatureKind::{Current, Fan, Other, Power, Temperature, Voltage};

/// A feature of which these readings are known by their names behind the number.
fn feature(kind: FeatureKind, readings: &[(&str, f64)]) -> SensorFeature {
    let reading = |(name, value): &(&str, f64)| Reading {
        name: format!("x1_{name}"),
        value: Some(*value).filter(|value| value.is_finite()),
    };
    SensorFeature { label: "x".into(), kind, readings: readings.iter().map(reading).collect() }
}

/// The verdict as a person reads it.
fn told(kind: FeatureKind, readings: &[(&str, f64)]) -> String {
    let (status, text) = sensor(&feature(kind, readings));
    format!("{} {text}", status.label()).trim_end().to_owned()
}

/// A feature by its readings, and its verdict.
type ChipRow<'a> = (FeatureKind, &'a [(&'a str, f64)], &'a str);

fn assert_told(rows: &[ChipRow<'_>]) {
    for (kind, readings, expected) in rows {
        assert_eq!(told(*kind, readings), *expected, "{kind:?} {readings:?}");
    }
}

#[test]
fn a_sensor_is_judged_by_its_own_limits() {
    assert_told(&[
        (Temperature, &[("input", 50.0), ("max", 80.0), ("crit", 100.0)], "ok"),
        (Temperature, &[("input", 90.0), ("max", 80.0), ("crit", 100.0)], "warn above its limit of 80"),
        (
            Temperature,
            &[("input", 100.0), ("max", 80.0), ("crit", 100.0)],
            "FAIL at its critical limit of 100",
        ),
        (Temperature, &[("input", 108.0), ("emergency", 105.0)], "FAIL at its emergency limit of 105"),
        (Temperature, &[("input", -20.0), ("lcrit", -10.0)], "FAIL at its lower critical limit of -10"),
        (Temperature, &[("input", 60.0), ("rated_max", 50.0)], "ok"),
        (Fan, &[("input", 0.0), ("min", 300.0)], "warn below its limit of 300"),
        (Voltage, &[("input", -13.5), ("min", -13.2), ("max", -10.8)], "warn below its limit of -13.2"),
        (Power, &[("average", 151.0), ("max", 150.0)], "warn above its limit of 150"),
    ]);
}

#[test]
fn a_limit_that_nobody_set_is_no_limit() {
    assert_told(&[
        // Recorded: jc42, nct6795, acpitz, nvme, nct7802.
        (Temperature, &[("input", 32.25), ("max", 0.0), ("min", 0.0), ("crit", 0.0)], "ok"),
        (Temperature, &[("input", 27.8), ("crit", -273.2)], "ok"),
        (Temperature, &[("input", 38.85), ("max", 65261.85), ("min", -273.15)], "ok"),
        (Voltage, &[("input", 1.016), ("min", 0.0), ("max", 0.0)], "ok"),
        // Below zero for an upper one, and minimum at or above maximum.
        (Temperature, &[("input", 30.0), ("crit", -1.0)], "ok"),
        (Temperature, &[("input", 30.0), ("max", -128.0), ("crit", 127.0)], "ok"),
        (Temperature, &[("input", 30.0), ("min", 127.0), ("max", 127.0)], "ok"),
        (Temperature, &[("input", 50.0), ("min", 60.0), ("max", 40.0)], "ok"),
        (Temperature, &[("input", 30.0), ("lcrit", 60.0), ("crit", 20.0)], "ok"),
        (Voltage, &[("input", 1.2), ("min", 4.08), ("max", 0.0)], "ok"),
        (Voltage, &[("input", 1.2), ("min", 65535.0), ("max", 65535.0)], "ok"),
        (Voltage, &[("input", 5.0), ("min", 2.0), ("max", 2.0)], "ok"),
        (Fan, &[("input", 900.0), ("min", 1_350_000.0)], "ok"),
        (Current, &[("input", 2.0), ("max", 0.0), ("crit", 0.0)], "ok"),
        (Power, &[("input", 90.0), ("max", 0.0), ("crit", f64::NAN)], "ok"),
        // Those that are set count all the same.
        (Temperature, &[("input", 99.0), ("max", 0.0), ("crit", 95.0)], "FAIL at its critical limit of 95"),
        (Temperature, &[("input", 85.0), ("min", 127.0), ("crit", 84.0)], "FAIL at its critical limit of 84"),
    ]);
}

#[test]
fn an_alarm_that_follows_only_from_limits_that_nobody_set_does_not_count() {
    assert_told(&[
        (
            Temperature,
            &[
                ("input", 32.25),
                ("max", 0.0),
                ("max_alarm", 1.0),
                ("min", 0.0),
                ("min_alarm", 0.0),
                ("crit", 0.0),
                ("crit_alarm", 1.0),
            ],
            "ok",
        ),
        (Voltage, &[("input", 1.016), ("min", 0.0), ("max", 0.0), ("alarm", 1.0), ("beep", 0.0)], "ok"),
        (Temperature, &[("input", 31.0), ("max", 0.0), ("alarm", 1.0), ("type", 4.0)], "ok"),
        (Voltage, &[("input", 1.2), ("min", 1.0), ("max", 0.0), ("alarm", 1.0)], "ok"),
        (Temperature, &[("input", 40.0), ("crit", -273.15), ("crit_alarm", 1.0)], "ok"),
        (Temperature, &[("input", 40.0), ("emergency", 255.0), ("emergency_alarm", 1.0)], "ok"),
        (Fan, &[("input", 0.0), ("min", 0.0), ("alarm", 1.0)], "ok"),
    ]);
}

#[test]
fn every_alarm_is_looked_at() {
    assert_told(&[
        (
            Temperature,
            &[("input", 99.0), ("max_alarm", 0.0), ("crit_alarm", 1.0)],
            "FAIL its critical alarm is on",
        ),
        (
            Temperature,
            &[("input", 99.0), ("alarm", 0.0), ("min_alarm", 0.0), ("emergency_alarm", 1.0)],
            "FAIL its emergency alarm is on",
        ),
        (Voltage, &[("input", 9.0), ("lcrit_alarm", 1.0)], "FAIL its lower critical alarm is on"),
        (Temperature, &[("input", 50.0), ("crit_alarm", 0.0), ("max_alarm", 1.0)], "warn its alarm is on"),
        (Voltage, &[("input", 1.0), ("alarm", 1.0)], "warn its alarm is on"),
        (Power, &[("input", 1.0), ("cap_alarm", 1.0)], "warn its alarm is on"),
        // Both limits are set, and it has been beyond one of them.
        (Voltage, &[("input", 1.0), ("min", 0.9), ("max", 1.1), ("alarm", 1.0)], "warn its alarm is on"),
        (Voltage, &[("input", 1.0), ("min", 0.0), ("max", 1.1), ("alarm", 1.0)], "warn its alarm is on"),
        (
            Temperature,
            &[("input", 90.0), ("max", 80.0), ("max_alarm", 1.0), ("min_alarm", 1.0)],
            "warn above its limit of 80, its alarm is on",
        ),
        (
            Temperature,
            &[("input", f64::NAN), ("crit", 90.0), ("crit_alarm", 1.0)],
            "warn its critical alarm is on",
        ),
    ]);
}

#[test]
fn a_sensor_that_measures_nothing_is_neither_well_nor_bad() {
    let broken = "skip broken, or not connected";
    let senseless = "skip no sensor measures that: broken, or not connected";
    assert_told(&[
        (Voltage, &[], "skip no value"),
        (Temperature, &[("input", f64::NAN), ("crit", 100.0)], "skip no value"),
        (Temperature, &[("input", 127.875), ("max", 85.0), ("crit", 100.0), ("fault", 1.0)], broken),
        (Temperature, &[("input", 40.0), ("crit_alarm", 1.0), ("fault", 1.0)], broken),
        (Temperature, &[("input", 110.0), ("crit", 100.0), ("type", 0.0)], "skip switched off"),
        (Fan, &[("input", 0.0), ("min", 300.0), ("enable", 0.0)], "skip switched off"),
        (Temperature, &[("input", 127.0), ("type", 4.0)], senseless),
        (Temperature, &[("input", -62.0), ("min", 5.0)], senseless),
        (Temperature, &[("input", -128.0), ("alarm", 1.0)], senseless),
        (Temperature, &[("input", 65261.85), ("max", 81.85), ("crit", 84.85)], senseless),
        (Temperature, &[("input", 1e27), ("crit", 100.0)], senseless),
        (Fan, &[("input", 65535.0), ("max", 5000.0)], senseless),
        (Voltage, &[("input", 4_294_967.0), ("max", 12.6)], senseless),
        (Other, &[("alarm", 1.0)], "skip no value"),
        (Other, &[("enable", 0.0)], "skip no value"),
    ]);
}

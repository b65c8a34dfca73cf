//! Reads temperatures, fans and voltages of the node. Needs no root, and stands here because it starts a program.
//!
//! **Why not the API.** PVE's API has no hardware monitoring at all: nothing in its sources reads hwmon.
//!
//! **What runs.** `sensors -u`, the raw form: one value per line, labels as they are, and Celsius always (only `-f`, which
//! is never given, makes it Fahrenheit). `sensors -j` would be the obvious choice and is wrong: it leaves quotes in labels
//! unescaped, prints `nan`, which is no JSON, and repeats a key where two features share a label, so that a reader keeps
//! one of three memory temperatures.
//!
//! **What success is.** Output in that form. No sensors is success with an empty list, although `sensors` exits 1 then. A
//! value that the kernel could not read is `None`, never zero. Implausible values (a floating input that says -62 degrees)
//! are passed on as they are.
//!
//! Source: lm-sensors 3.6.0 `prog/sensors/chips.c`; recordings in `fixtures/host/sensors`.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;
use snafu::{OptionExt, ResultExt, Snafu, ensure};

use crate::table::SENSORS;
use crate::{End, Output, RunError, Runner};

/// A chip that measures something.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chip {
    /// Name: `coretemp-isa-0000`.
    pub name: String,
    /// What it hangs on: `ISA adapter`.
    pub adapter: Option<String>,
    /// What it measures, in its own order. Labels can repeat.
    pub features: Vec<Feature>,
}

/// One thing that a chip measures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Feature {
    /// Label, from the driver or from the configuration of lm-sensors: `Package id 0`.
    pub label: String,
    /// What it is.
    pub kind: FeatureKind,
    /// The measured value and its limits. Empty if nothing could be read.
    pub readings: Vec<Reading>,
}

/// One value of a feature.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reading {
    /// Name: `temp1_input`, `temp1_crit`, `temp1_alarm`.
    pub name: String,
    /// Value in the unit of [`FeatureKind`]; `None` if it could not be read. 1 for an alarm that is on.
    pub value: Option<f64>,
}

/// What a feature measures, and in which unit.
///
/// Source: Linux `Documentation/hwmon/sysfs-interface.rst`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub enum FeatureKind {
    /// Degrees Celsius.
    Temperature,
    /// Revolutions per minute.
    Fan,
    /// Volt.
    Voltage,
    /// Ampere.
    Current,
    /// Watt.
    Power,
    /// Joule.
    Energy,
    /// Percent of relative humidity.
    Humidity,
    /// Something else, such as whether the case was opened.
    Other,
}

impl Feature {
    /// The measured value, in the unit of its kind.
    pub fn value(&self) -> Option<f64> {
        let is_value =
            |reading: &&Reading| reading.name.ends_with("_input") || reading.name.ends_with("_average");
        self.readings.iter().find(is_value).and_then(|reading| reading.value)
    }
}

impl FeatureKind {
    /// The kind that the kernel's name of a feature or a reading tells: `temp1`, `temp1_input`.
    fn of(name: &str) -> Self {
        match name.split(|c: char| c.is_ascii_digit()).next() {
            Some("temp") => Self::Temperature,
            Some("fan") => Self::Fan,
            Some("in") => Self::Voltage,
            Some("curr") => Self::Current,
            Some("power") => Self::Power,
            Some("energy") => Self::Energy,
            Some("humidity") => Self::Humidity,
            _ => Self::Other,
        }
    }
}

/// Why there are no readings.
#[derive(Clone, Debug, PartialEq, Eq, Snafu)]
#[non_exhaustive]
pub enum SensorsError {
    /// `sensors` could not be run.
    #[snafu(display("the sensors were not read"))]
    NotRun {
        /// What happened.
        source: RunError,
    },
    /// `sensors` did not print everything.
    #[snafu(display("sensors failed: {text}"))]
    Failed {
        /// Its error text, or its exit status.
        text: String,
    },
    /// `sensors` printed something else than its raw form.
    #[snafu(display("line {line} of sensors is unknown: {text:?}"))]
    Unknown {
        /// Number of the line, from 1.
        line: usize,
        /// The line.
        text: String,
    },
}

/// Reads all sensors of the node.
pub async fn sensors(runner: &dyn Runner) -> Result<Vec<Chip>, SensorsError> {
    judged(&runner.run(&SENSORS.command(&())).await.context(NotRunSnafu)?)
}

/// What the output of `sensors` comes down to.
fn judged(output: &Output) -> Result<Vec<Chip>, SensorsError> {
    let text = String::from_utf8_lossy(&output.stdout);
    let none = matches!(text.split_whitespace().collect::<String>().as_str(), "" | "{}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let none_found = stderr.trim().is_empty() || stderr.contains("No sensors found");
    let is_whole = match output.end {
        End::Exit(0) => true,
        End::Exit(1) => !none || none_found,
        _ => false,
    };
    ensure!(is_whole && !output.stdout_truncated, FailedSnafu { text: output.last_words() });
    if none { Ok(Vec::new()) } else { chips(&text) }
}

/// The chips of the raw form: blocks between blank lines.
fn chips(text: &str) -> Result<Vec<Chip>, SensorsError> {
    let mut chips: Vec<Chip> = Vec::new();
    let mut is_open = false;
    for (index, line) in text.lines().enumerate() {
        let known = match chips.last_mut().filter(|_| is_open) {
            _ if line.trim().is_empty() => {
                is_open = false;
                Some(())
            }
            None => {
                is_open = true;
                chip(line).map(|chip| chips.push(chip))
            }
            Some(chip) => extend(chip, line),
        };
        known.with_context(|| UnknownSnafu {
            line: index + 1,
            text: line.chars().take(120).collect::<String>(),
        })?;
    }
    Ok(chips)
}

/// The chip that a block begins with: a driver, a bus and an address with hyphens between.
fn chip(line: &str) -> Option<Chip> {
    let is_name = line.matches('-').count() >= 2 && !line.contains(|c: char| c.is_whitespace() || c == '"');
    is_name.then(|| Chip { name: line.to_owned(), adapter: None, features: Vec::new() })
}

/// Adds a further line of its block to a chip. Readings are indented, labels end in a colon.
fn extend(chip: &mut Chip, line: &str) -> Option<()> {
    if let Some(reading) = line.strip_prefix("  ") {
        let feature = chip.features.last_mut()?;
        let (name, value) = reading.split_once(": ")?;
        if feature.readings.is_empty() {
            feature.kind = FeatureKind::of(name);
        }
        let value = value.trim().parse().ok().filter(|value: &f64| value.is_finite());
        feature.readings.push(Reading { name: name.to_owned(), value });
    } else if let Some(adapter) = line.strip_prefix("Adapter: ").filter(|_| chip.features.is_empty()) {
        chip.adapter = Some(adapter.to_owned());
    } else {
        let label = line.strip_suffix(':')?.to_owned();
        chip.features.push(Feature { kind: FeatureKind::of(&label), label, readings: Vec::new() });
    }
    Some(())
}

#[cfg(test)]
mod tests;

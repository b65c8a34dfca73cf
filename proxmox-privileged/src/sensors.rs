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
use snafu::{ResultExt, Snafu, ensure};

use crate::command::{Privilege, Program};
use crate::shape::Part::Text;
use crate::shape::Shape;
use crate::{End, Output, RunError, Runner};

impl Program {
    /// lm-sensors' `sensors`.
    pub const SENSORS: Self = Self::new("/usr/bin/sensors", "lm-sensors");
}

/// `sensors` in its raw form.
pub(crate) static SENSORS: Shape<()> = Shape {
    program: Program::SENSORS,
    privilege: Privilege::Caller,
    changes: false,
    seconds: 15,
    purpose: "read temperatures, fans and voltages",
    words: &[&[Text("-u")]],
};

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
        ["input", "average"].into_iter().find_map(|what| self.reading(what))
    }

    /// The reading of this name behind the number: `max` of `temp1_max`. `None` if it is missing or could not be read.
    pub fn reading(&self, what: &str) -> Option<f64> {
        self.readings.iter().filter(|reading| reading.what() == what).find_map(|reading| reading.value)
    }
}

impl Reading {
    /// What it is, without the number of the feature: `crit_alarm` of `temp1_crit_alarm`.
    pub fn what(&self) -> &str {
        self.name.split_once('_').map_or("", |(_, what)| what)
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

/// The chips of the raw form. A line that is none of it stands in its chip as a feature without readings, or as a chip before
/// the first one, so that the others are read.
fn chips(text: &str) -> Result<Vec<Chip>, SensorsError> {
    let mut chips: Vec<Chip> = Vec::new();
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).peekable();
    let (index, first) = lines.peek().copied().unwrap_or_default();
    let unknown = || UnknownSnafu { line: index + 1, text: first.chars().take(120).collect::<String>() };
    ensure!(text.lines().any(is_chip), unknown());
    for (_, line) in lines {
        match chips.last_mut() {
            Some(chip) if !is_chip(line) => extend(chip, line),
            _ => chips.push(Chip { name: line.to_owned(), adapter: None, features: Vec::new() }),
        }
    }
    Ok(chips)
}

/// Whether a line names a chip: a driver, a bus and an address with hyphens between. Labels end in a colon.
fn is_chip(line: &str) -> bool {
    let is_foreign = |c: char| c.is_whitespace() || c == '"';
    line.matches('-').count() >= 2 && !line.contains(is_foreign) && !line.ends_with(':')
}

/// Adds a further line to a chip. Readings are indented.
fn extend(chip: &mut Chip, line: &str) {
    let reading = line.strip_prefix("  ").map(|reading| reading.split_once(": ").unwrap_or((reading, "")));
    match (reading, chip.features.last_mut(), line.strip_prefix("Adapter: ")) {
        (Some((name, value)), Some(feature), _) => {
            if feature.readings.is_empty() {
                feature.kind = FeatureKind::of(name);
            }
            let value = value.trim().parse().ok().filter(|value: &f64| value.is_finite());
            feature.readings.push(Reading { name: name.to_owned(), value });
        }
        (None, None, Some(adapter)) => chip.adapter = Some(adapter.to_owned()),
        _ => {
            let label = line.strip_suffix(':').unwrap_or(line).trim().to_owned();
            chip.features.push(Feature { kind: FeatureKind::of(&label), label, readings: Vec::new() });
        }
    }
}

#[cfg(test)]
mod tests;

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

use crate::command::shape::Part::Text;
use crate::command::shape::Shape;
use crate::command::{Privilege, Program};
use crate::{CommandEnd, CommandOutput, RunError, Runner};

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
    pub features: Vec<SensorFeature>,
}

/// One thing that a chip measures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SensorFeature {
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

impl SensorFeature {
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
///
/// ```
/// # mod now { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/now.rs")); }
/// # use now::now;
/// # use proxmox_privileged::{Command, CommandOutput, sensors::sensors};
/// let runner = |_: &Command| Ok(CommandOutput::from("nvme-pci-0100\nComposite:\n  temp1_input: 38.850\n"));
/// let chips = now(sensors(&runner))?;
/// assert_eq!(chips[0].features[0].reading("input"), Some(38.85));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn sensors(runner: &dyn Runner) -> Result<Vec<Chip>, SensorsError> {
    judged(&runner.run(&SENSORS.command(&())).await.context(NotRunSnafu)?)
}

/// What the output of `sensors` comes down to.
fn judged(output: &CommandOutput) -> Result<Vec<Chip>, SensorsError> {
    let text = String::from_utf8_lossy(&output.stdout);
    let none = matches!(text.split_whitespace().collect::<String>().as_str(), "" | "{}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let none_found = stderr.trim().is_empty() || stderr.contains("No sensors found");
    let is_whole = match output.end {
        CommandEnd::Exit(0) => true,
        CommandEnd::Exit(1) => !none || none_found,
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
            chip.features.push(SensorFeature { kind: FeatureKind::of(&label), label, readings: Vec::new() });
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;
    use crate::script::{assert_cases, exited, now, recording, scripted};

    fn read(output: CommandOutput) -> Result<Vec<Chip>, SensorsError> {
        now(sensors(&scripted(vec![("/usr/bin/sensors -u", Ok(output))])))
    }

    /// Each feature as one row: chip, adapter, kind, label and readings, `?` for what could not be read.
    fn rows_of(output: CommandOutput) -> Vec<String> {
        let reading = |reading: &Reading| {
            format!(
                " {}={}",
                reading.name,
                reading.value.map_or_else(|| "?".into(), |value| value.to_string())
            )
        };
        let row = |chip: &Chip, feature: &SensorFeature| {
            let (adapter, readings) =
                (chip.adapter.as_deref(), feature.readings.iter().map(reading).collect::<String>());
            format!(
                "{} | {} | {:?} | {} |{readings}",
                chip.name,
                adapter.unwrap_or("-"),
                feature.kind,
                feature.label
            )
        };
        let chips = read(output).unwrap();
        chips.iter().flat_map(|chip| chip.features.iter().map(move |feature| row(chip, feature))).collect()
    }

    const NODE: [&str; 20] = [
        r#"weird-virtual-0 | Virtual device | Temperature | a "quoted" \ label | temp1_input=1"#,
        "weird-virtual-0 | Virtual device | Temperature | temp2 | temp2_input=0.012",
        "weird-virtual-0 | Virtual device | Temperature | temp3 | temp3_input=99999999.999",
        "dell_smm-virtual-0 | Virtual device | Fan | fan1 | fan1_input=3900 fan1_min=0 fan1_max=5100",
        "dell_smm-virtual-0 | Virtual device | Temperature | SODIMM | temp1_input=53",
        "dell_smm-virtual-0 | Virtual device | Temperature | SODIMM | temp2_input=54",
        "dell_smm-virtual-0 | Virtual device | Temperature | SODIMM | temp3_input=55",
        "coretemp-isa-0000 | ISA adapter | Temperature | Package id 0 | temp1_input=47 temp1_max=84 temp1_crit=100 temp1_crit_alarm=0",
        "coretemp-isa-0000 | ISA adapter | Temperature | Core 0 | temp2_input=45 temp2_max=84 temp2_crit=100",
        "acpitz-acpi-0 | ACPI interface | Temperature | temp1 | temp1_input=27.8 temp1_crit=119",
        "iwlwifi_1-virtual-0 | Virtual device | Temperature | temp1 |",
        "nvme-pci-0100 | PCI adapter | Temperature | Composite | temp1_input=38.85 temp1_max=81.85 temp1_min=-273.15 temp1_crit=84.85 temp1_alarm=0",
        "nvme-pci-0100 | PCI adapter | Temperature | Sensor 1 | temp2_input=38.85 temp2_max=65261.85 temp2_min=-273.15",
        "nvme-pci-0100 | PCI adapter | Temperature | Sensor 2 | temp3_input=46.85",
        "nct6798-isa-0290 | ISA adapter | Voltage | in0 | in0_input=0.696 in0_min=0 in0_max=1.744 in0_alarm=0",
        "nct6798-isa-0290 | ISA adapter | Fan | fan2 | fan2_input=1180 fan2_min=0",
        "nct6798-isa-0290 | ISA adapter | Temperature | SYSTIN | temp1_input=?",
        "nct6798-isa-0290 | ISA adapter | Temperature | CPUTIN | temp2_input=-62",
        "nct6798-isa-0290 | ISA adapter | Temperature | temp3 | temp3_input=1000000000000000000000000000",
        "nct6798-isa-0290 | ISA adapter | Other | intrusion0 | intrusion0_alarm=1",
    ];

    #[test]
    fn the_recorded_node_is_read_in_full() {
        let (stdout, stderr) =
            (recording("host/sensors/local360_all_raw_u.txt"), recording("host/sensors/local360_all.stderr"));
        assert_eq!(rows_of(exited(0, &stdout, &stderr)), NODE);
    }

    #[test]
    fn a_value_is_the_input_or_the_average_by_the_name_behind_the_number_and_never_zero_by_default() {
        let stdout = "amdgpu-pci-0300\nPPT:\n  power1_average: 9.150\n  power1_cap: 25.000\nt:\n  temp1_input: nan\nu:\n  temp2_crit: 9.0\nv:\n  temp3_rated_max: 9.0\n  temp3_max: 8.0\n  temp3_input: 2.000\nw:\n  temp4_input: nan\n  temp4_average: 5.0\n";
        let chips = read(exited(0, stdout, "")).unwrap();
        let features = &chips[0].features;
        let values: Vec<_> = features.iter().map(SensorFeature::value).collect();
        assert_eq!(values, [Some(9.15), None, None, Some(2.0), Some(5.0)]);
        assert_eq!([features[0].kind, features[3].kind], [FeatureKind::Power, FeatureKind::Temperature]);
        let readings = ["max", "rated_max", "min"].map(|what| features[3].reading(what));
        assert_eq!((readings, features[4].reading("input")), ([Some(8.0), Some(9.0), None], None));
    }

    /// The input is the exit status, what is printed and what is said on stderr, with bars between. `@` names a recording.
    #[test]
    fn every_output_comes_down_to_its_features_or_a_reason() {
        assert_cases("sensors.txt", |input| {
            let mut parts = input.split('|').map(|text| match text.strip_prefix('@') {
                Some(name) => recording(&format!("host/sensors/local360_{name}")),
                None => text.replace("\\n", "\n"),
            });
            let status = parts.next().unwrap().parse().unwrap();
            let [stdout, stderr] = [(); 2].map(|()| parts.next().unwrap_or_default());
            match read(exited(status, &stdout, &stderr)) {
                Ok(chips) if chips.is_empty() => "no sensors".into(),
                Ok(_) => rows_of(exited(status, &stdout, &stderr)).join(" & "),
                Err(error) => error.to_string(),
            }
        });
    }

    #[test]
    fn half_an_output_is_a_failure_and_an_odd_byte_is_none() {
        let cut = CommandOutput { stdout_truncated: true, ..exited(0, "a-b-0\n", "") };
        assert_eq!(read(cut).unwrap_err().to_string(), "sensors failed: exit status 0");
        let stdout = b"a-isa-0\nGeh\xe4use:\n  temp1_input: 30.000\n".to_vec();
        let rows = rows_of(CommandOutput { stdout, ..exited(0, "", "") });
        assert_eq!(rows, ["a-isa-0 | - | Temperature | Geh\u{fffd}use | temp1_input=30"]);
    }
}

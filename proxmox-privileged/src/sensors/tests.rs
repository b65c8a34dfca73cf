//! The recordings of `sensors`, and what else it can print.

use alloc::format;
use alloc::string::ToString;
use alloc::vec;

use super::*;
use crate::script::{exited, now, recording, scripted};

fn read(output: Output) -> Result<Vec<Chip>, SensorsError> {
    now(sensors(&scripted(vec![("/usr/bin/sensors -u", Ok(output))])))
}

/// Each feature as one row: chip, adapter, kind, label and readings, `?` for what could not be read.
fn rows(output: Output) -> Vec<String> {
    let reading = |reading: &Reading| {
        format!(" {}={}", reading.name, reading.value.map_or_else(|| "?".into(), |value| value.to_string()))
    };
    let row = |chip: &Chip, feature: &Feature| {
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

const NODE: [&str; 19] = [
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
];

#[test]
fn the_recorded_node_is_read_in_full() {
    let (stdout, stderr) =
        (recording("host/sensors/local360_all_raw_u.txt"), recording("host/sensors/local360_all.stderr"));
    let intrusion = "nct6798-isa-0290 | ISA adapter | Other | intrusion0 | intrusion0_alarm=1";
    assert_eq!(rows(exited(0, &stdout, &stderr)), [&NODE[..], &[intrusion]].concat());
}

#[test]
fn a_chip_of_which_nothing_could_be_read_is_there_all_the_same() {
    let stdout = "iwlwifi_1-virtual-0\nAdapter: Virtual device\ntemp1:\n\n";
    let stderr = recording("host/sensors/local360_unreadable_only.stderr");
    assert_eq!(rows(exited(0, stdout, &stderr)), [NODE[10]]);
}

#[test]
fn a_chip_may_have_no_adapter() {
    let stdout = "coretemp-isa-0000\nCore 0:\n  temp2_input: 45.000\n";
    assert_eq!(
        rows(exited(0, stdout, "")),
        ["coretemp-isa-0000 | - | Temperature | Core 0 | temp2_input=45"]
    );
}

#[test]
fn the_value_of_a_feature_is_its_input_or_its_average_and_never_zero_by_default() {
    let stdout = "amdgpu-pci-0300\nPPT:\n  power1_average: 9.150\n  power1_cap: 25.000\nt:\n  temp1_input: nan\nu:\n  temp2_crit: 9.0\nv:\n  temp3_max: 1.0\n  temp3_input: 2.000\n";
    let chips = read(exited(0, stdout, "")).unwrap();
    let values: Vec<_> = chips[0].features.iter().map(|feature| (feature.kind, feature.value())).collect();
    assert_eq!(
        values,
        [
            (FeatureKind::Power, Some(9.15)),
            (FeatureKind::Temperature, None),
            (FeatureKind::Temperature, None),
            (FeatureKind::Temperature, Some(2.0))
        ]
    );
}

#[test]
fn a_node_without_sensors_has_an_empty_list() {
    let stderr = "No sensors found!\nMake sure you loaded all the kernel drivers you need.\n";
    let answers =
        [exited(1, "", stderr), exited(1, "{\n\n}\n", stderr), exited(1, "", ""), exited(0, "", "")];
    assert_eq!(answers.map(read), [(); 4].map(|()| Ok(vec![])));
}

#[test]
fn json_is_refused_rather_than_half_read() {
    let names = ["all_stdout", "coretemp_noadapter", "nvme_fahrenheit", "unreadable_only"];
    let answers =
        names.map(|name| read(exited(0, &recording(&format!("host/sensors/local360_{name}.json")), "")));
    assert_eq!(answers, [(); 4].map(|()| Err(SensorsError::Unknown { line: 1, text: "{".into() })));
}

#[test]
fn text_without_a_chip_is_refused_with_its_line() {
    let merged = recording("host/sensors/local360_all_merged_stderr.txt");
    let lines = [
        merged.as_str(),
        "nonsense\n",
        "\n\nERROR: x\nlabel:\n",
        "  temp1_input: 1.0\n",
        "one-hyphen\n",
        "a b-c-0\n",
    ]
    .map(|stdout| match read(exited(0, stdout, "")) {
        Err(SensorsError::Unknown { line, .. }) => line,
        other => panic!("{other:?}"),
    });
    assert_eq!(lines, [1, 1, 3, 1, 1, 1]);
}

#[test]
fn a_line_that_is_not_understood_hides_no_sensor() {
    let good = "b-isa-0 | - | Temperature | Core 0 | temp2_input=45";
    let rest = "\n\nb-isa-0\nCore 0:\n  temp2_input: 45.000\n";
    let odd = [
        ("a-b-0\nAdapter: x\n  temp1_input: 1.0", "a-b-0 | x | Temperature | temp1_input: 1.0 |"),
        ("a-b-0\nlabel", "a-b-0 | - | Other | label |"),
        ("a-b-0\nl:\n  temp1_input 1.0", "a-b-0 | - | Temperature | l | temp1_input 1.0=?"),
        ("a-b-0\n\nnonsense", "a-b-0 | - | Other | nonsense |"),
        ("a-b-0\nl:\n  temp1_input: 1,5", "a-b-0 | - | Temperature | l | temp1_input=?"),
        ("a-b-0\nl:\n  temp1_input: ", "a-b-0 | - | Temperature | l | temp1_input=?"),
        (
            "a-b-0\nERROR: Can't get value of subfeature",
            "a-b-0 | - | Other | ERROR: Can't get value of subfeature |",
        ),
    ];
    for (block, row) in odd {
        assert_eq!(rows(exited(0, &format!("{block}{rest}"), "")), [row, good], "{block}");
    }
}

#[test]
fn a_label_in_another_encoding_hides_nothing() {
    let stdout = b"a-isa-0\nGeh\xe4use:\n  temp1_input: 30.000\n";
    let output = Output { stdout: stdout.to_vec(), ..exited(0, "", "") };
    assert_eq!(rows(output), ["a-isa-0 | - | Temperature | Geh\u{fffd}use | temp1_input=30"]);
}

#[test]
fn a_reading_is_named_by_what_stands_behind_the_number() {
    let stdout =
        "a-isa-0\nt:\n  temp1_rated_max: 9.0\n  temp1_input: nan\n  temp1_max: 8.0\n  temp1_average: 5.0\n";
    let chips = read(exited(0, stdout, "")).unwrap();
    let feature = &chips[0].features[0];
    assert_eq!(
        (feature.value(), ["max", "rated_max", "min", "input"].map(|what| feature.reading(what))),
        (Some(5.0), [Some(8.0), Some(9.0), None, None])
    );
}

#[test]
fn sensors_that_failed_are_told() {
    let cut = Output { stdout_truncated: true, ..exited(0, "a-b-0\n", "") };
    let errors = [exited(1, "", "sensors_init: Kernel interface error\n"), exited(2, "", ""), cut]
        .map(|output| read(output).unwrap_err().to_string());
    assert_eq!(
        errors,
        [
            "sensors failed: sensors_init: Kernel interface error",
            "sensors failed: exit status 2",
            "sensors failed: exit status 0"
        ]
    );
}

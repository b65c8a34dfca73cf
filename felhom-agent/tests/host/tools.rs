//! smartctl and sensors: the real ones on whatever this machine has, and recorded ones for the tables.

use std::fs;

use proxmox_privileged::argument::Disk;
use proxmox_privileged::sensors::sensors;
use proxmox_privileged::smart::{Smart, SmartBit, SmartError, SmartReason, smart};
use proxmox_privileged::{CommandEnd, Program};
use serde_json::{Value, json};

use crate::contained::{contained, contained_as_user, tmpfs, write};
use crate::drop_in::rules;
use crate::given::{
    agent, assert_problem, chain, command, document, fine, now, run, sensors_command, smartctl, stub,
};
use crate::loopdev::{Loop, empty_dev, ext4};
use crate::mounts::UUID;

/// The disks that this machine really has.
fn disks() -> Vec<Disk> {
    felhom_agent::host::device::Devices::of_host().disks()
}

/// What the real smartctl prints for a disk, and how it ends.
fn raw(disk: &Disk) -> (Value, i64) {
    let output = now(run(&smartctl(disk))).unwrap();
    let CommandEnd::Exit(status) = output.end else { panic!("{output:?}") };
    (serde_json::from_slice(&output.stdout).unwrap(), status.into())
}

async fn asked(disk: &Disk) -> Result<Smart, SmartError> {
    smart(&felhom_agent::runner::ProcessRunner::new(felhom_agent::config::PrivilegedMode::Direct), disk).await
}

#[test]
fn smartctl_tells_its_version_and_status_for_every_disk_of_this_machine() {
    contained(|| {
        let disks = disks();
        println!("disks: {disks:?}");
        for disk in disks.into_iter().chain(["/dev/sdzz".parse().unwrap()]) {
            let (document, status) = raw(&disk);
            let version = document["smartctl"]["version"].as_array().unwrap();
            assert!(version[0].as_u64().unwrap() >= 7, "{document}");
            assert_eq!(document["smartctl"]["exit_status"], status, "{document}");
            match now(asked(&disk)) {
                Ok(Smart::Report(report)) => {
                    assert_eq!(report.document["smartctl"]["version"], document["smartctl"]["version"]);
                }
                Ok(Smart::Asleep { mode }) => assert_ne!(mode, ""),
                Err(SmartError::NoHealth { disk: named, text, .. }) => {
                    assert_eq!(named, disk);
                    let messages = document["smartctl"]["messages"].as_array().unwrap();
                    let said = messages[0]["string"].as_str().unwrap();
                    let said = said.strip_prefix(&format!("{disk}: ")).unwrap_or(said);
                    assert!(text.starts_with(said), "{text}: {document}");
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn a_disk_that_is_not_there_and_one_that_is_a_file_are_told() {
    contained(|| {
        empty_dev();
        ext4("/run/image", UUID, &[]);
        let _disk = Loop::attach("/run/image", "/dev/sda");
        let reasons = ["/dev/sdzz", "/dev/sda"].map(|disk| match now(asked(&disk.parse().unwrap())) {
            Err(SmartError::NoHealth { reason, text, bits, .. }) => {
                println!("{disk}: {text}");
                (reason, bits.iter().next())
            }
            other => panic!("{other:?}"),
        });
        assert_eq!(reasons[0], (SmartReason::NoSuchDevice, Some(SmartBit::Open)));
        assert_eq!(reasons[1].0, SmartReason::Other);
    });
}

#[test]
fn sensors_of_this_machine_are_read_as_they_are_printed() {
    contained(|| {
        let output = now(run(&sensors_command())).unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let runner = felhom_agent::runner::ProcessRunner::new(felhom_agent::config::PrivilegedMode::Direct);
        let chips = now(sensors(&runner)).unwrap();
        println!("chips: {}", chips.len());
        let adapters = printed.lines().filter(|line| line.starts_with("Adapter: ")).count();
        assert_eq!(chips.iter().filter(|chip| chip.adapter.is_some()).count(), adapters);
        assert_eq!(output.end, CommandEnd::Exit(chips.is_empty().into()), "{printed}");
    });
}

#[test]
fn the_commands_tell_what_this_machine_has() {
    contained(|| {
        let (exit, told) = document("disks");
        assert_eq!((told["schema"].as_str(), exit < 2), (Some("felhom.disks/1"), true), "{told}");
        assert_eq!(told["disks"].as_array().unwrap().len(), disks().len());
        let (exit, told) = document("sensors");
        assert_eq!((told["schema"].as_str(), exit < 2), (Some("felhom.sensors/1"), true), "{told}");
        let text = agent("sensors");
        let is_empty = told["chips"].as_array().unwrap().is_empty();
        assert_eq!(text.stdout == "there are no sensors\n", is_empty, "{text:?}");
    });
}

const RECORDED: [(&str, &str); 3] = [
    ("sda", include_str!("../../../proxmox-privileged/fixtures/host/smartctl/smart__dev_sda.json")),
    ("nvme0n1", include_str!("../../../proxmox-privileged/fixtures/host/smartctl/smart__dev_nvme0n1.json")),
    ("vda", include_str!("../../../proxmox-privileged/fixtures/host/smartctl/local73__virtio_vda.json")),
];

/// A host with disks whose health was recorded: one that expects to fail, a good one, one that cannot be asked.
pub(crate) fn recorded_disks() {
    tmpfs("/sys/block");
    for (name, text) in RECORDED {
        fs::create_dir(format!("/sys/block/{name}")).unwrap();
        let text =
            if name == "sda" { text.replace("\"passed\": true", "\"passed\": false") } else { text.into() };
        write(format!("/run/{name}.json"), &text, 0o644);
    }
    // The rule forbids smartctl to start programs.
    stub(
        Program::SMARTCTL,
        "while IFS= read -r line || test \"$line\"; do printf '%s\\n' \"$line\"; done < /run/${5#/dev/}.json",
    );
}

const TABLE: &str = "\
DISK          STATE  SIZE      TEMP   HOURS  WORN  MODEL           WHY
/dev/sda      FAIL   64.0 MiB  31 °C  1      -     QEMU HARDDISK   it expects to fail: replace it
/dev/vda      skip   -         -      -      -     -               smartctl knows no way to ask it: a virtual disk, or an unknown controller
/dev/nvme0n1  ok     64.0 MiB  50 °C  0      0 %   QEMU NVMe Ctrl  well
";

#[test]
fn disks_are_told_worst_first() {
    contained_as_user(
        |user| {
            recorded_disks();
            rules();
            user();
        },
        || {
            let run = agent("disks");
            assert_eq!((run.exit, run.stdout.as_str(), run.stderr.as_str()), (1, TABLE, ""));
            let (exit, told) = document("disks /dev/nvme0n1");
            let disk = &told["disks"][0];
            assert_eq!(
                (exit, &disk["disk"], &disk["status"], &disk["asleep"]),
                (0, &json!("/dev/nvme0n1"), &json!("ok"), &Value::Null)
            );
            assert_eq!(disk["report"]["document"]["smartctl"]["version"], json!([7, 3]));
        },
    );
}

#[test]
fn disks_that_sudo_does_not_let_ask_are_unchecked() {
    contained_as_user(
        |user| {
            recorded_disks();
            user();
        },
        || assert_problem("disks", 5, "/dev/sda was not asked: sudo asks for a password"),
    );
}

#[test]
fn sensors_that_cannot_be_read_are_unchecked() {
    contained(|| {
        stub(Program::SENSORS, "echo 'Error: x' >&2; exit 3");
        let error = now(sensors(&crate::drop_in::runner())).unwrap_err();
        assert_problem("sensors", 5, &chain(&error));
        fs::remove_file(Program::SENSORS.path()).unwrap();
        let error = now(sensors(&crate::drop_in::runner())).unwrap_err();
        assert_problem("sensors", 5, &chain(&error));
        assert!(chain(&error).ends_with(": there is no /usr/bin/sensors"), "{error:?}");
    });
}

#[test]
fn sensors_are_told_worst_first() {
    contained(|| {
        let raw = "coretemp-isa-0000\nAdapter: ISA adapter\nCore 0:\n  temp2_input: 40.000\n  temp2_crit: 100.000\n\
                   Core 1:\n  temp3_input: 101.000\n  temp3_crit: 100.000\n\n";
        write("/run/raw", raw, 0o644);
        stub(Program::SENSORS, "cat /run/raw");
        let run = agent("sensors");
        let table = "STATE  VALUE     WHAT    CHIP               WHY\n\
                     FAIL   101.0 °C  Core 1  coretemp-isa-0000  at its critical limit of 100\n\
                     ok     40.0 °C   Core 0  coretemp-isa-0000\n";
        assert_eq!((run.exit, run.stdout.as_str(), run.stderr.as_str()), (1, table, ""));
        assert_eq!(document("sensors").1["chips"][0]["features"][1]["label"], "Core 1");
    });
}

#[test]
fn a_result_that_cannot_be_written_is_no_success() {
    contained(|| {
        for line in ["sudoers", "disks", "sensors", "usb status", "usb mount x -o json"] {
            let full = fs::File::options().write(true).open("/dev/full").unwrap();
            let run = command(&line.split(' ').collect::<Vec<_>>()).stdout(full).output().unwrap();
            let text = "felhom-agent: cannot write the result: No space left on device (os error 28)\n";
            let stderr = String::from_utf8(run.stderr).unwrap();
            assert!(run.status.code() == Some(70) && stderr.ends_with(text), "{line}: {stderr}");
        }
    });
}

#[test]
fn the_printed_rules_are_the_generated_ones() {
    contained(|| {
        let rules = |user: &str| proxmox_privileged::sudoers(&user.parse().unwrap());
        assert_eq!(agent("sudoers"), fine(&rules("felhom")));
        assert_eq!(agent("sudoers --user other"), fine(&rules("other")));
        let run = command(&["sudoers", "--user", "a b"]).output().unwrap();
        assert_eq!((run.status.code(), run.stdout.as_slice()), (Some(2), &b""[..]));
    });
}

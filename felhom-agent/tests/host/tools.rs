//! smartctl and sensors: the real ones on whatever this machine has.

use felhom_agent::host::device::Devices;
use proxmox_privileged::CommandEnd;
use proxmox_privileged::argument::Disk;
use proxmox_privileged::sensors::sensors;
use proxmox_privileged::smart::{Smart, SmartBit, SmartError, SmartReason, smart};
use serde_json::Value;

use crate::contained::{contained, given, shell};
use crate::given::{direct, now, run, sensors_command, smartctl};

/// What the real smartctl prints for a disk, and how it ends.
fn raw(disk: &Disk) -> (Value, i64) {
    let output = now(run(&smartctl(disk))).unwrap();
    let CommandEnd::Exit(status) = output.end else { panic!("{output:?}") };
    (serde_json::from_slice(&output.stdout).unwrap(), status.into())
}

fn asked(disk: &Disk) -> Result<Smart, SmartError> {
    now(smart(&direct(), disk))
}

#[test]
fn smartctl_tells_its_version_and_status_for_every_disk_of_this_machine() {
    contained(|| {
        let disks = Devices::of_host().disks();
        println!("disks: {disks:?}");
        for disk in disks.into_iter().chain(["/dev/sdzz".parse().unwrap()]) {
            let (document, status) = raw(&disk);
            let version = document["smartctl"]["version"].as_array().unwrap();
            assert!(version[0].as_u64().unwrap() >= 7, "{document}");
            assert_eq!(document["smartctl"]["exit_status"], status, "{document}");
            match asked(&disk) {
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
        given("empty_dev; ext4 /run/image $UUID; attach /run/image /dev/sda");
        let reasons = ["/dev/sdzz", "/dev/sda"].map(|disk| match asked(&disk.parse().unwrap()) {
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
        let chips = now(sensors(&direct())).unwrap();
        println!("chips: {}", chips.len());
        let adapters = printed.lines().filter(|line| line.starts_with("Adapter: ")).count();
        assert_eq!(chips.iter().filter(|chip| chip.adapter.is_some()).count(), adapters);
        assert_eq!(output.end, CommandEnd::Exit(chips.is_empty().into()), "{printed}");
    });
}

#[test]
fn the_commands_tell_what_this_machine_has() {
    contained(|| {
        let document = |verb: &str| -> (bool, Value) {
            let run = shell(&format!("felhom-agent {verb} -o json")).output().unwrap();
            (run.status.code() < Some(2), serde_json::from_slice(&run.stdout).unwrap())
        };
        let (is_told, disks) = document("disks");
        assert!(is_told && disks["schema"] == "felhom.disks/1", "{disks}");
        assert_eq!(disks["disks"].as_array().unwrap().len(), Devices::of_host().disks().len());
        let (is_told, sensors) = document("sensors");
        assert!(is_told && sensors["schema"] == "felhom.sensors/1", "{sensors}");
        let text = shell("felhom-agent sensors").output().unwrap();
        let is_empty = sensors["chips"].as_array().unwrap().is_empty();
        assert_eq!(text.stdout == b"there are no sensors\n", is_empty, "{text:?}");
    });
}

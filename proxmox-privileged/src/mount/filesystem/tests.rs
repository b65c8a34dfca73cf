//! Tests of file systems as udev and blkid know them.

use alloc::format;
use alloc::string::ToString;
use alloc::vec;

use super::*;
use crate::script::{Step, exited, now, recording, scripted};

#[test]
fn the_grammar_of_a_type_is_its_own() {
    assert!(FsType::ALL.iter().all(|kind| FsType::GRAMMAR.accepts(kind.as_str())));
    assert!(!["", "ext", "ext44", "fat", "btrfs", "EXT4"].iter().any(|text| FsType::GRAMMAR.accepts(text)));
}

fn probed(end: Step<'_>) -> Result<Probed, ProbeError> {
    now(probe(&scripted(vec![end]), &"/dev/sdb1".parse().unwrap()))
}

fn answer(status: i32, stdout: &str) -> Step<'_> {
    ("/usr/sbin/blkid -p -o export /dev/sdb1", Ok(exited(status, stdout, "")))
}

fn filesystem(kind: &str, uuid: &str, label: Option<&str>) -> Filesystem {
    Filesystem {
        device: "/dev/sdb1".into(),
        uuid: Some(uuid.parse().unwrap()),
        kind: kind.into(),
        label: label.map(ToString::to_string),
        names: label.map(|label| format!("LABEL={label}")).into_iter().collect(),
    }
}

#[test]
fn every_recorded_filesystem_is_read() {
    let rows = [
        filesystem("ext4", "1eb2d69a-3f9f-4098-a928-68706a2d5f86", Some("my label$(x)")),
        filesystem("xfs", "6a150a31-e6ff-49ae-b585-e6ddfba919af", None),
        filesystem("vfat", "ABCD-1234", Some("USB")),
        filesystem("exfat", "FBF5-FA98", None),
        filesystem("ntfs", "303C1917625920E9", None),
        filesystem("btrfs", "8a7a0d44-8876-474a-b35b-311cdd79d167", None),
    ];
    for row in rows {
        let text = recording(&format!("host/blkid/{}.txt", row.kind));
        assert_eq!(probed(answer(0, &text)), Ok(Probed::Filesystem(row)));
    }
}

#[test]
fn udev_is_read_from_its_database_and_from_udevadm() {
    let database = "S:disk/by-id/usb-x\nI:12345\nE:ID_FS_LABEL=my_usb\nE:ID_FS_LABEL_ENC=my\\x20usb\n\
                    E:ID_FS_UUID=ABCD-1234\nE:ID_FS_TYPE=vfat\nE:ID_PART_ENTRY_UUID=4f0a0c5e-01\n\
                    E:ID_PART_ENTRY_NAME=a\\x2fb\n";
    let printed = format!("P: /devices/x\nN: sdb1\n{database}");
    let printed = printed.replace("E:", "E: ").replace("S:", "S: ");
    let read = [database, &printed, "E:ID_PART_TABLE_TYPE=gpt\n"]
        .map(|text| Filesystem::from_udev("/dev/sdb1", text));
    let names =
        ["/dev/disk/by-id/usb-x", "LABEL=my_usb", "LABEL=my usb", "PARTUUID=4f0a0c5e-01", "PARTLABEL=a/b"];
    let usb =
        Filesystem { names: names.map(Into::into).into(), ..filesystem("vfat", "ABCD-1234", Some("my_usb")) };
    assert_eq!(read, [Some(usb.clone()), Some(usb), None]);
}

#[test]
fn a_device_holds_nothing_too_many_or_cannot_be_read() {
    let gpt = recording("host/blkid/gpt.txt");
    let found = [answer(0, &gpt), answer(2, ""), answer(8, "")].map(probed);
    assert_eq!(found, [Probed::Nothing, Probed::Nothing, Probed::Ambivalent].map(Ok));
    let line = "/usr/sbin/blkid -p -o export /dev/sdb1";
    let said = |words: &str| format!("blkid: error: /dev/sdb1: {words}");
    let ended = |status, stderr: &str| probed((line, Ok(exited(status, "", stderr))));
    for words in ABSENT {
        assert_eq!(ended(2, &said(words)), Ok(Probed::Nothing), "{words}");
    }
    let refusals = ["Operation not permitted", "Permission denied", "Input/output error", "Remote I/O error"];
    let refusals = refusals.map(|words| (2, said(words)));
    for (status, stderr) in refusals.into_iter().chain([(4, "blkid: bad usage".into())]) {
        let error = ended(status, &stderr).unwrap_err();
        assert_eq!(error.to_string(), format!("/dev/sdb1 cannot be probed: {stderr}"));
    }
}

#[test]
fn one_device_that_cannot_be_probed_hides_no_other() {
    let devices = ["/dev/sda", "/dev/sdb1", "/dev/sdc", "/dev/sdd"].map(|device| device.parse().unwrap());
    let line = |device: &str| format!("/usr/sbin/blkid -p -o export {device}");
    let lines = devices.each_ref().map(|device: &BlockDevice| line(device.as_str()));
    let stderr = "blkid: error: /dev/sda: Operation not permitted\n";
    let runner = scripted(vec![
        (&lines[0], Ok(exited(2, "", stderr))),
        (&lines[1], Ok(exited(0, "UUID=ABCD-1234\nTYPE=vfat\n", ""))),
        (&lines[2], Ok(exited(8, "", ""))),
        (&lines[3], Err(RunError::StillRunning { pid: 7 })),
    ]);
    let remembered = |device: &str| Filesystem {
        device: device.into(),
        names: vec!["LABEL=x".into()],
        ..filesystem("ext4", "ABCD-1234", None)
    };
    let udev = ["/dev/sda", "/dev/sdb1", "/dev/sdc", "/dev/dm-3"].map(remembered);
    let survey = now(Survey::of(&runner, &devices, udev.to_vec()));
    let [sda, _, _, volume] = udev;
    let probed = Filesystem { names: vec!["LABEL=x".into()], ..filesystem("vfat", "ABCD-1234", None) };
    assert_eq!(survey.filesystems, [sda, volume, probed]);
    assert_eq!(survey.ambivalent, [devices[2].clone()]);
    let text = "/dev/sda cannot be probed: blkid: error: /dev/sda: Operation not permitted; /dev/sdd cannot be \
                probed: still running as process 7";
    assert_eq!(unprobed(&survey.unprobed), text);
}

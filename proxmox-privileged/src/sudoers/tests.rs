//! The rules against every command that the table can make, and against attacks.

use alloc::string::ToString;
use alloc::vec::Vec;

use proptest::prelude::*;
use regex::Regex;

use super::*;
use crate::Command;
use crate::golden::GoldenSpec;
use crate::mount::{MountRequest, Place};
use crate::table::{FINDMNT, SENSORS};

fn text() -> String {
    sudoers(&"felhom".parse().unwrap())
}

/// The program and the regular expression of each rule, read as sudo reads them.
fn rules() -> Vec<(String, String)> {
    let text = text();
    let commands = text.lines().filter_map(|line| line.split_once("NOSETENV: ")?.1.split_once('/'));
    let unescaped = |regex: &str| regex.replace(r"\,", ",").replace(r"\:", ":").replace(r"\=", "=");
    commands
        .map(|(_, command)| command.split_once(' ').unwrap())
        .map(|(program, regex)| (format!("/{program}"), unescaped(regex)))
        .collect()
}

/// Whether sudo would let the command line through.
fn permits(rules: &[(String, Regex)], program: &str, args: &str) -> bool {
    rules.iter().any(|(path, regex)| path == program && regex.is_match(args))
}

fn compiled() -> Vec<(String, Regex)> {
    rules().into_iter().map(|(program, regex)| (program, Regex::new(&regex).unwrap())).collect()
}

const TEMPLATE: &str =
    r"[A-Za-z][A-Za-z0-9._-]{0,30}[A-Za-z0-9]:vztmpl/[A-Za-z0-9][A-Za-z0-9._+-]{0,80}\.tar\.(gz|xz|zst)";
const HOSTNAME: &str =
    r"([A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?\.){0,3}[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const UUID: &str = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9A-F]{4}-[0-9A-F]{4}|[0-9A-F]{16}";
const DISK: &str =
    "/dev/(sd[a-z]{1,2}|vd[a-z]{1,2}|hd[a-z]|nvme(0|[1-9][0-9]?)n[1-9][0-9]?|mmcblk(0|[1-9][0-9]?))";
const PARTITION: &str = "/dev/(([sv]d[a-z]{1,2}|hd[a-z])([1-9][0-9]?)?|(nvme(0|[1-9][0-9]?)n[1-9][0-9]?|mmcblk(0|[1-9][0-9]?))(p[1-9][0-9]?)?)";

prop_compose! {
    fn golden()(
        vmid in 100_u32..=999_999_999,
        template in TEMPLATE,
        storage in "[A-Za-z][A-Za-z0-9._-]{0,40}[A-Za-z0-9]",
        bridge in "[A-Za-z][A-Za-z0-9._-]{1,14}",
        rootfs in 1_u32..=9999,
        cores in 1_u32..=999,
        memory in 16_u32..=9_999_999,
        hostname in HOSTNAME,
    ) -> GoldenSpec {
        GoldenSpec {
            vmid: vmid.try_into().unwrap(),
            template: template.parse().unwrap(),
            storage: storage.parse().unwrap(),
            bridge: bridge.parse().unwrap(),
            rootfs: rootfs.try_into().unwrap(),
            cores: cores.try_into().unwrap(),
            memory: memory.try_into().unwrap(),
            hostname: hostname.parse().unwrap(),
        }
    }
}

prop_compose! {
    fn mount()(uuid in UUID, target in "/mnt/felhom/[a-z0-9][a-z0-9_-]{0,31}") -> MountRequest {
        MountRequest {
            uuid: uuid.parse().unwrap(),
            target: target.parse().unwrap(),
            place: Place::Absent,
            devices: Vec::new(),
            udev: Vec::new(),
        }
    }
}

/// Every command that the table can make.
fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        golden().prop_map(|spec| CREATE.command(&spec)),
        mount().prop_map(|request| MOUNT.command(&request)),
        mount().prop_map(|request| UMOUNT.command(&request.target)),
        PARTITION.prop_map(|device| BLKID.command(&device.parse().unwrap())),
        DISK.prop_map(|disk| SMARTCTL.command(&disk.parse().unwrap())),
        Just(FINDMNT.command(&())),
        Just(SENSORS.command(&())),
    ]
}

#[test]
fn every_generated_command_is_permitted_if_it_needs_root() {
    let rules = compiled();
    proptest!(ProptestConfig::with_cases(5000), |(command in command())| {
        let is_permitted = permits(&rules, command.program().path(), &command.args().join(" "));
        prop_assert_eq!(is_permitted, command.needs_root(), "{}", command);
    });
}

#[test]
fn arguments_joined_by_blanks_and_split_again_are_themselves() {
    proptest!(ProptestConfig::with_cases(5000), |(command in command())| {
        let joined = command.args().join(" ");
        prop_assert_eq!(joined.split(' ').collect::<Vec<_>>(), command.args());
        prop_assert!(joined.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '));
        let options = ["-o", "-p", "-a", "-j", "-n", "-J", "-l", "-v", "-u", "--unprivileged", "--features", "--rootfs", "--cores", "--memory", "--hostname", "--net0"];
        prop_assert!(command.args().iter().all(|arg| !arg.starts_with('-') || options.contains(&arg.as_str())));
    });
}

#[test]
fn one_changed_byte_is_permitted_only_if_it_is_a_command_too() {
    let rules = compiled();
    proptest!(ProptestConfig::with_cases(5000), |(command in command(), at in any::<prop::sample::Index>(), byte in prop::sample::select(b" \t\n\0-./;=,:\\'\"$(".to_vec()))| {
        let mut bytes = command.args().join(" ").into_bytes();
        let place = at.index(bytes.len());
        bytes[place] = byte;
        let line = String::from_utf8(bytes).unwrap();
        if permits(&rules, command.program().path(), &line) {
            prop_assert!(!line.contains(['\t', '\n', '\0', ';', '\\', '\'', '"', '$', '(']), "{:?}", line);
            prop_assert_eq!(line.matches(' ').count(), command.args().len() - 1, "{:?}", line);
        }
    });
}

/// A permitted line of each program.
const LINES: [(&str, &str); 5] = [
    (
        "/usr/sbin/pct",
        "create 210 local:vztmpl/x.tar.gz --unprivileged 1 --features nesting=1,keyctl=1 --rootfs local:1 --cores 1 \
         --memory 256 --hostname golden --net0 name=eth0,bridge=vmbr0,ip=dhcp",
    ),
    ("/usr/bin/mount", "-o nosuid,nodev,noexec,X-mount.mkdir UUID=ABCD-1234 /mnt/felhom/usb"),
    ("/usr/bin/umount", "/mnt/felhom/usb"),
    ("/usr/sbin/blkid", "-p -o export /dev/sda1"),
    ("/usr/sbin/smartctl", "-a -j -n standby /dev/sda"),
];

/// Attacks on every line: what is put before it, and behind it.
const AROUND: [(&str, &str); 12] = [
    ("", "\n"),
    ("", " "),
    ("", "  x"),
    ("", " ''"),
    ("", "\n-o suid"),
    ("", "\0"),
    ("", " --mp0 /etc,mp=/etc"),
    ("", "/../x"),
    ("", ";id"),
    (" ", ""),
    ("\n", ""),
    ("-v ", ""),
];

/// Attacks on one place of one line: what stands there, and what is put in its stead.
const WITHIN: [(&str, &str); 52] = [
    ("x.tar.gz", "../../x.tar.gz"),
    ("x.tar.gz", "x.tar.bz2"),
    ("x.tar.gz", "xxtarxgz"),
    ("x.tar.gz", "-x.tar.gz"),
    ("local:vztmpl/x.tar.gz", "/root/x.tar.gz"),
    ("local:vztmpl/x.tar.gz", "-"),
    ("local:vztmpl/", "local:backup/"),
    ("local:vztmpl/", "local:vztmpl/sub/"),
    ("--unprivileged 1", "--unprivileged 0"),
    ("nesting=1,keyctl=1", "nesting=1,keyctl=1,fuse=1"),
    ("local:1", "/dev/sda:1"),
    ("local:1", "local:1,mp=/"),
    ("local:1", "local:1G"),
    ("local:1", "local:0"),
    ("local:1", "local"),
    ("vmbr0", "vmbr0,hwaddr=00:00:00:00:00:00"),
    ("ip=dhcp", "ip=dhcp --mp0=/etc,mp=/etc"),
    ("golden", "golden --hookscript local:snippets/x"),
    ("golden", "--rootfs=/etc"),
    ("--memory 256", "--memory 256 --memory 256"),
    ("256", "-1"),
    ("210", "99"),
    ("create", "destroy"),
    ("create", "create "),
    ("nosuid,", ""),
    ("mkdir", "mkdir,suid"),
    ("X-mount.mkdir", "X-mountxmkdir"),
    ("-o nosuid", "-o bind -o nosuid"),
    ("UUID=ABCD-1234", "/etc"),
    ("UUID=ABCD-1234", "UUID=ABCD-1234 -o bind,suid /etc"),
    ("UUID=ABCD-1234", "UUID="),
    ("ABCD-1234", "abcd-1234"),
    ("UUID=", "LABEL="),
    ("/mnt/felhom/usb", "/mnt/felhom/../etc"),
    ("/mnt/felhom/usb", "/mnt/felhom/a/../../../etc"),
    ("/mnt/felhom/usb", "/mnt/felhom/"),
    ("/mnt/felhom/usb", "/mnt/felhom"),
    ("/mnt/felhom/usb", "/etc"),
    ("/mnt/felhom/usb", "/mnt/felhom/usb /etc"),
    ("/mnt/felhom/usb", "-a"),
    ("/mnt/felhom/usb", "-l /mnt/felhom/usb"),
    ("/mnt/felhom/usb", ""),
    ("/dev/sda", "/dev/../etc/shadow"),
    ("/dev/sda", "/dev/sda /dev/sdb"),
    ("/dev/sda", "/dev/sd*"),
    ("/dev/sda", "-c /etc/shadow /dev/sda"),
    ("/dev/sda", "/dev/sda -t long"),
    ("/dev/sda", "-t long /dev/sda"),
    ("/dev/sda", "/dev/sda --set=security-freeze"),
    ("standby", "standby,3"),
    (" -n standby", ""),
    ("-a -j", "-a -j -s off"),
];

/// Attacks with lines of their own.
const OTHERS: [(&str, &str); 10] = [
    ("/usr/bin/umount", "/"),
    ("/usr/bin/umount", ""),
    ("/usr/bin/mount", ""),
    ("/usr/bin/mount", "-a"),
    ("/usr/sbin/pct", ""),
    ("/usr/sbin/smartctl", ""),
    ("/usr/sbin/smartctl", "-s off /dev/sda"),
    ("/usr/bin/sensors", "-s"),
    ("/usr/bin/findmnt", "-J"),
    ("/bin/sh", "-c id"),
];

#[test]
fn no_attack_is_permitted() {
    let rules = compiled();
    let around = |line: &str| AROUND.map(|(head, tail)| format!("{head}{line}{tail}"));
    let within = |line: &str| {
        WITHIN
            .iter()
            .filter(|row| line.contains(row.0))
            .map(|row| line.replace(row.0, row.1))
            .collect::<Vec<_>>()
    };
    let changed = LINES.iter().flat_map(|(program, line)| {
        around(line).into_iter().chain(within(line)).map(move |attack| (*program, attack))
    });
    let attacks = changed.chain(OTHERS.map(|(program, line)| (program, line.to_string())));
    let (mut tried, mut let_through) = (0, Vec::new());
    for (program, line) in attacks {
        tried += 1;
        if permits(&rules, program, &line) {
            let_through.push((program, line));
        }
    }
    assert!(LINES.iter().all(|(program, line)| permits(&rules, program, line)));
    assert_eq!((tried > 120, let_through), (true, Vec::new()));
}

#[test]
fn the_rules_stay_within_what_sudo_reads() {
    for (program, regex) in rules() {
        assert!(regex.starts_with('^') && regex.ends_with('$') && regex.len() < 1000, "{program}: {regex}");
        assert!(
            !regex.contains(['*', '#', '!', '"', '\'']) || program.ends_with("pct"),
            "{program}: {regex}"
        );
        assert!(
            !regex.contains("[^") && !regex.contains(".*") && !regex.contains(r"\S"),
            "{program}: {regex}"
        );
    }
}

#[test]
fn the_drop_in_reads_as_it_is_installed() {
    assert_eq!(text(), include_str!("../../fixtures/sudoers.txt"));
}

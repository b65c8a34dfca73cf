//! The rules against every command that the table can make, and against the corpus of attacks. The real sudo meets both in
//! the agent's host tests.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::cell::RefCell;

use proptest::prelude::*;
use regex::Regex;

use super::*;
use crate::Command;
use crate::golden::{CREATE, GoldenSpec};
use crate::mount::MountLine;
use crate::mount::filesystem::{BLKID, FsType};
use crate::mount::findmnt::{FINDMNT, VERIFY};
use crate::mount::{MOUNT, UMOUNT};
use crate::sensors::SENSORS;
use crate::smart::SMARTCTL;

/// Arguments of root commands, as patterns of their own.
const TEMPLATE: &str =
    r"[A-Za-z][A-Za-z0-9._-]{0,30}[A-Za-z0-9]:vztmpl/[A-Za-z0-9][A-Za-z0-9._+-]{0,80}\.tar\.(gz|xz|zst)";
const HOSTNAME: &str =
    r"([A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?\.){0,3}[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const UUID: &str = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9A-F]{4}-[0-9A-F]{4}|[0-9A-F]{16}";
const TARGET: &str = "/mnt/felhom/[a-z0-9][a-z0-9_-]{0,31}";
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

prop_compose! {
    fn mount()(
        kind in prop::sample::select(FsType::ALL.to_vec()),
        uuid in UUID,
        target in TARGET,
    ) -> MountLine {
        MountLine { kind, uuid: uuid.parse().unwrap(), target: target.parse().unwrap() }
    }
}

/// Every command that the table can make.
fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        golden().prop_map(|spec| CREATE.command(&spec)),
        mount().prop_map(|line| MOUNT.command(&line)),
        mount().prop_map(|line| UMOUNT.command(&line.target)),
        PARTITION.prop_map(|device| BLKID.command(&device.parse().unwrap())),
        DISK.prop_map(|disk| SMARTCTL.command(&disk.parse().unwrap())),
        Just(FINDMNT.command(&())),
        Just(VERIFY.command(&())),
        Just(SENSORS.command(&())),
    ]
}

#[test]
fn every_generated_command_is_permitted_if_it_needs_root() {
    let rules = compiled();
    let seen = RefCell::new(BTreeSet::new());
    proptest!(ProptestConfig::with_cases(5000), |(command in command())| {
        seen.borrow_mut().insert(command.purpose());
        let is_permitted = permits(&rules, command.program().path(), &command.args().join(" "));
        prop_assert_eq!(is_permitted, command.needs_root(), "{}", command);
    });
    assert_eq!(seen.into_inner(), rows().iter().map(|row| row.purpose).collect());
}

#[test]
fn arguments_joined_by_blanks_and_split_again_are_themselves() {
    proptest!(ProptestConfig::with_cases(5000), |(command in command())| {
        let joined = command.args().join(" ");
        prop_assert_eq!(joined.split(' ').collect::<Vec<_>>(), command.args());
        prop_assert!(joined.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '));
        let is_literal = |arg: &String| rows().iter().any(|row| row.regex.split(' ').any(|word| word == arg));
        prop_assert!(command.args().iter().all(|arg| !arg.starts_with('-') || is_literal(arg)));
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

/// What replaces what in the lines of a corpus.
type Pairs = Vec<(String, String)>;

/// No line of the corpus, changed in any of its ways, is one of the commands. Its own lines are.
#[test]
fn no_attack_is_permitted() {
    let corpus = include_str!("../../fixtures/attacks.json");
    let corpus: BTreeMap<String, Pairs> = serde_json::from_str(corpus).unwrap();
    let mut attacks = corpus["others"].clone();
    for (program, line) in &corpus["lines"] {
        let around = corpus["around"].iter().map(|(head, tail)| format!("{head}{line}{tail}"));
        let within = corpus["within"].iter().filter(|(part, _)| line.contains(part));
        let changed = around.chain(within.map(|(part, other)| line.replace(part, other)));
        attacks.extend(changed.map(|line| (program.clone(), line)));
    }
    let rules = compiled();
    let permitted = |lines: &Pairs| -> Pairs {
        lines.iter().filter(|(program, line)| permits(&rules, program, line)).cloned().collect()
    };
    assert_eq!((attacks.len() > 200, permitted(&attacks)), (true, vec![]));
    assert_eq!(permitted(&corpus["lines"]), corpus["lines"]);
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

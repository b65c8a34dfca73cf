//! The rules against every command that the table can make. The real sudo meets the attacks, in the agent's host tests.

mod arguments;

use alloc::vec::Vec;

use proptest::prelude::*;
use regex::Regex;

use super::*;
use crate::Command;
use crate::golden::{CREATE, GoldenSpec};
use crate::mount::MountLine;
use crate::mount::filesystem::BLKID;
use crate::mount::filesystem::FsType;
use crate::mount::findmnt::{FINDMNT, VERIFY};
use crate::mount::{MOUNT, UMOUNT};
use crate::sensors::SENSORS;
use crate::smart::SMARTCTL;
use arguments::{DISK, PARTITION, TARGET, UUID, golden};

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

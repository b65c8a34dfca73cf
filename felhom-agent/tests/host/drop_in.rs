//! The generated drop-in under real sudo: it is read, and lets every command of the library through.
#![expect(clippy::disallowed_types, reason = "visudo is no command of the library")]

use std::fs;
use std::process::Command as Process;

use felhom_agent::config::PrivilegedMode;
use felhom_agent::runner::ProcessRunner;
use proptest::prelude::*;
use proptest::strategy::Union;
use proptest::string::string_regex;
use proxmox_privileged::golden::GoldenSpec;
use proxmox_privileged::{Command, Program, RunError, Runner, programs, sudoers};

use crate::attacks::sudo;
use crate::contained::{USER, contained, contained_as, contained_as_user, name_of, write};
use crate::given::{blkid, create, exited, findmnt, mount, now, sensors_command, smartctl, stub, umount};

/// The program of each rule, and the regular expression of its arguments, read as sudo reads it.
fn rules() -> Vec<(String, String)> {
    let text = text();
    let commands = text.lines().filter_map(|line| line.split_once("NOPASSWD: ")?.1.split_once(" /"));
    let rule = |(_, command): (&str, &str)| {
        let (program, regex) = command.split_once(" ^").unwrap();
        let regex = regex.strip_suffix('$').unwrap().replace(r"\,", ",").replace(r"\:", ":");
        (format!("/{program}"), regex.replace(r"\=", "="))
    };
    commands.map(rule).collect()
}

/// The programs that the rules name.
fn root_programs() -> Vec<Program> {
    let rules = rules();
    let is_named = |program: &Program| rules.iter().any(|(path, _)| path == program.path());
    programs().into_iter().filter(is_named).collect()
}

/// Where the drop-in is installed.
pub(crate) const PATH: &str = "/etc/sudoers.d/felhom-agent";

/// Grows by a line whenever a stub runs.
pub(crate) const RAN: &str = "/run/ran";

/// The text of the drop-in for the account of the tests.
pub(crate) fn text() -> String {
    sudoers(&USER.parse().unwrap())
}

/// Installs the drop-in. Every program says whether root started it and with which arguments.
pub(crate) fn install() {
    write(PATH, &text(), 0o440);
    write(RAN, "", 0o644);
    for program in root_programs() {
        stub(program, &format!("test -w /etc/shadow && echo root\nprintf '<%s>\\n' \"$@\"\necho >> {RAN}"));
    }
}

/// Runs the check as the account of the agent, once the drop-in is installed and the host is prepared.
pub(crate) fn under<C: FnOnce()>(prepare: impl FnOnce(), check: C) {
    under_and_behind(&[], prepare, check);
}

/// Runs the check likewise, behind these words.
pub(crate) fn under_and_behind<C: FnOnce()>(behind: &[&str], prepare: impl FnOnce(), check: C) {
    let as_root = |user: &dyn Fn()| {
        install();
        prepare();
        user();
    };
    contained_as(&name_of::<C>(), behind, as_root, check);
}

/// A runner as the agent has it by default.
pub(crate) fn runner() -> ProcessRunner {
    ProcessRunner::new(PrivilegedMode::Sudo)
}

/// A command that needs root.
pub(crate) fn smart() -> Command {
    smartctl(&"/dev/sda".parse().unwrap())
}

/// A container that can be created.
fn golden_spec() -> GoldenSpec {
    serde_json::from_value(serde_json::json!({
        "vmid": 210, "template": "local:vztmpl/x.tar.gz", "storage": "local", "rootfs": 1, "cores": 1,
        "memory": 256, "hostname": "golden", "bridge": "vmbr0",
    }))
    .unwrap()
}

/// What the stubs say when root starts them with the arguments of the command.
pub(crate) fn as_root(command: &Command) -> String {
    root_with(command.args())
}

fn root_with(args: &[String]) -> String {
    ["root\n"].into_iter().chain(args.iter().flat_map(|arg| ["<", arg, ">\n"])).collect()
}

#[test]
fn visudo_reads_it() {
    contained(|| {
        write(PATH, &text(), 0o440);
        let checked = Process::new("/usr/sbin/visudo").args(["-s", "-c"]).output().unwrap();
        let said = String::from_utf8([checked.stdout, checked.stderr].concat()).unwrap();
        assert!(checked.status.success() && said.contains(&format!("{PATH}: parsed OK\n")), "{said}");
    });
}

#[test]
fn every_rule_is_for_a_program_that_the_library_runs_as_root() {
    let programs: Vec<_> = rules().into_iter().map(|(program, _)| program).collect();
    let expected: Vec<_> = root_programs().into_iter().map(|program| program.path().to_owned()).collect();
    assert_eq!((programs.len(), programs), (text().matches(" ALL=").count(), expected));
}

#[test]
fn the_documentation_shows_the_rules_and_the_commands() {
    let page = include_str!("../../../docs/root-exceptions.md");
    let text = sudoers(&"felhom".parse().unwrap());
    let is_rule = |line: &&str| line.starts_with("felhom ALL=") || line.starts_with("Defaults:");
    let [shown, generated] =
        [page, &text].map(|text| text.lines().filter(is_rule).collect::<std::collections::BTreeSet<_>>());
    assert_eq!(shown, generated);
    let uuid = "1A2B-3C4D".parse().unwrap();
    let target = "/mnt/felhom/usb".parse().unwrap();
    let commands = [
        mount(&uuid, &target)
            .to_string()
            .replace("1A2B-3C4D", "UUID")
            .replace("/usb", "/NAME")
            .replace("ext4", "TYPE"),
        umount(&target).to_string().replace("/usb", "/NAME"),
        blkid(&"/dev/sda".parse().unwrap()).to_string().replace("/dev/sda", "DEVICE"),
        smart().to_string().replace("/dev/sda", "DISK"),
        findmnt().to_string(),
        sensors_command().to_string(),
        create(&golden_spec())
            .to_string()
            .replace("210 local:vztmpl/x.tar.gz", "VMID TEMPLATE")
            .replace("local:1", "STORAGE:GIB")
            .replace("--cores 1 --memory 256 --hostname golden", "--cores N --memory MIB --hostname NAME")
            .replace("vmbr0", "BRIDGE"),
    ];
    let missing: Vec<_> =
        commands.into_iter().filter(|command| !page.lines().any(|line| line == command)).collect();
    assert_eq!(missing, [""; 0]);
}

/// Every command line that a rule permits: its program and its arguments.
fn line() -> impl Strategy<Value = (String, Vec<String>)> {
    let lines = rules().into_iter().map(|(program, regex)| {
        let args = string_regex(&regex).unwrap();
        args.prop_map(move |args| (program.clone(), args.split(' ').map(Into::into).collect())).boxed()
    });
    Union::new(lines)
}

#[test]
fn every_line_of_every_rule_is_run_as_root_with_its_arguments() {
    under(
        || (),
        || {
            proptest!(ProptestConfig::with_cases(250), |((program, args) in line())| {
                let ran = sudo(&["--", &program]).args(&args).output().unwrap();
                let said = String::from_utf8(ran.stdout).unwrap();
                prop_assert_eq!((said, ran.status.code()), (root_with(&args), Some(0)), "{} {:?}", program, args);
            });
        },
    );
}

/// A command of each kind that needs root, as the library builds it.
fn commands() -> Vec<Command> {
    let (uuid, target) = ("ABCD-1234".parse().unwrap(), "/mnt/felhom/usb".parse().unwrap());
    let blkid = blkid(&"/dev/nvme0n1p1".parse().unwrap());
    vec![create(&golden_spec()), mount(&uuid, &target), umount(&target), blkid, smart()]
}

#[test]
fn every_command_that_needs_root_is_run_as_root_with_its_arguments() {
    under(
        || (),
        || {
            let runner = runner();
            for command in commands() {
                assert_eq!(now(runner.run(&command)), Ok(exited(0, &as_root(&command))), "{command}");
                assert_eq!(now(runner.permits(&command)), Ok(()), "{command}");
            }
        },
    );
}

#[test]
fn what_needs_no_root_is_run_by_the_account_and_not_permitted_as_root() {
    under(
        || stub(Program::SENSORS, "test -w /etc/shadow || echo not root"),
        || {
            let (runner, commands) = (runner(), [sensors_command(), findmnt()]);
            assert_eq!(now(runner.run(&commands[0])), Ok(exited(0, "not root\n")));
            for command in &commands {
                let refused = RunError::NotPermitted { command: command.to_string() };
                assert_eq!(now(runner.permits(command)), Err(refused));
            }
        },
    );
}

#[test]
fn root_needs_no_sudo() {
    contained(|| {
        install();
        fs::remove_file("/usr/bin/sudo").unwrap();
        assert_eq!(now(runner().run(&smart())), Ok(exited(0, &as_root(&smart()))));
    });
}

#[test]
fn in_direct_mode_nobody_becomes_root() {
    under(
        || (),
        || {
            let ran = now(ProcessRunner::new(PrivilegedMode::Direct).run(&smart())).unwrap();
            assert!(ran.stdout.starts_with(b"<-a>"), "{ran:?}");
        },
    );
}

#[test]
fn a_program_that_is_not_there_is_missing_for_root_too() {
    under(
        || fs::remove_file(Program::PCT.path()).unwrap(),
        || {
            let missing = RunError::ProgramMissing { program: Program::PCT };
            assert_eq!(now(runner().run(&create(&golden_spec()))), Err(missing));
        },
    );
}

/// What dash knows of its environment, without starting a program, which the rule for smartctl forbids.
const ENVIRONMENT: &str = "export -p; umask; /bin/true || echo starts nothing";

#[test]
fn root_gets_the_environment_of_sudo_and_nothing_of_the_account() {
    contained_as_user(
        |user| {
            install();
            stub(Program::SMARTCTL, ENVIRONMENT);
            user();
        },
        || {
            rustix::process::umask(0o077.into());
            let ran = now(runner().run(&smart())).unwrap();
            let stdout = String::from_utf8(ran.stdout).unwrap();
            let names = stdout.lines().filter_map(|line| line.strip_prefix("export ")?.split('=').next());
            let names: Vec<_> = names.filter(|name| !name.starts_with("SUDO_")).collect();
            // dash adds PWD; LD_PRELOAD is how sudo keeps the program from starting others.
            let expected =
                ["HOME", "LC_ALL", "LD_PRELOAD", "LOGNAME", "MAIL", "PATH", "PWD", "SHELL", "TERM", "USER"];
            assert_eq!(names, expected, "{stdout}");
            assert!(stdout.contains("PATH='/usr/sbin:/usr/bin:/sbin:/bin'\n"), "{stdout}");
            assert!(stdout.ends_with("\n0022\nstarts nothing\n"), "{stdout}");
        },
    );
}

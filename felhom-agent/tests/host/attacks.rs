//! An attacker with the agent's account: what sudo refuses, and what the tools refuse where sudo cannot.
#![expect(clippy::disallowed_types, reason = "attacks are command lines that the runner cannot build")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Output, Stdio};

use serde::Deserialize;

use crate::contained::{contained, contained_as_user, given, write};
use crate::drop_in::{RAN, install, under};

/// The corpus that the regular expressions of the rules are tested with as well.
#[derive(Deserialize)]
struct Corpus {
    lines: Vec<(String, String)>,
    around: Vec<(String, String)>,
    within: Vec<(String, String)>,
    others: Vec<(String, String)>,
}

impl Corpus {
    fn read() -> Self {
        serde_json::from_str(include_str!("../../../proxmox-privileged/fixtures/attacks.json")).unwrap()
    }

    /// Every attack: a program and its arguments, cut at blanks. The changed part is cut as well, and once more whole.
    fn all(&self) -> Vec<(String, Vec<String>)> {
        let mut attacks = Vec::new();
        let mut add = |program: &str, args: Vec<String>| {
            // No argument can hold a NUL.
            if !args.iter().any(|arg| arg.contains('\0')) {
                attacks.push((program.to_owned(), args));
            }
        };
        for (program, line) in &self.lines {
            for (head, tail) in &self.around {
                add(program, words(&format!("{head}{line}{tail}")));
            }
            for (part, other) in self.within.iter().filter(|(part, _)| line.contains(part)) {
                add(program, words(&line.replace(part, other)));
                let whole = |word: &str| word.replace('\u{1}', other);
                add(program, line.replace(part, "\u{1}").split(' ').map(whole).collect());
            }
        }
        for (program, line) in &self.others {
            add(program, words(line));
        }
        attacks
    }
}

/// Cuts at every single blank: two of them have an empty argument between.
fn words(line: &str) -> Vec<String> {
    if line.is_empty() { Vec::new() } else { line.split(' ').map(Into::into).collect() }
}

/// sudo, called by the account itself and not by the runner.
pub(crate) fn sudo(args: &[&str]) -> Command {
    let mut command = Command::new("/usr/bin/sudo");
    command.arg("-n").args(args).env_clear().env("LC_ALL", "C.UTF-8").current_dir("/").stdin(Stdio::null());
    command
}

/// Whether something came of the command: it succeeded, or one of the stubs ran.
fn has_effect(command: &mut Command) -> bool {
    let before = fs::read(RAN).unwrap();
    let Output { status, .. } = command.output().unwrap();
    status.success() || fs::read(RAN).unwrap() != before
}

#[test]
fn every_command_line_of_the_corpus_is_refused() {
    under(
        || (),
        || {
            let corpus = Corpus::read();
            for (program, line) in &corpus.lines {
                assert!(has_effect(sudo(&["--", program]).args(words(line))), "{program} {line}");
            }
            let attacks = corpus.all();
            let through: Vec<_> = attacks
                .iter()
                .filter(|(program, args)| has_effect(sudo(&["--", program]).args(args)))
                .collect();
            println!("attacks: {}", attacks.len());
            assert_eq!((attacks.len() > 350, through), (true, vec![]));
        },
    );
}

/// Options and variables before a command that is permitted.
const BEFORE: [&[&str]; 15] = [
    &["-u", "nobody"],
    &["-u", "#0", "-g", "daemon"],
    &["-g", "root"],
    &["-E"],
    &["--preserve-env=FOO"],
    &["-s"],
    &["-i"],
    &["-D", "/etc"],
    &["-R", "/run"],
    &["-C", "9"],
    &["-T", "1000"],
    &["-h", "otherhost"],
    &["FOO=1"],
    &["LD_PRELOAD=/run/x.so"],
    &["PATH=/run"],
];

/// Other uses of sudo.
const OTHERWISE: [&[&str]; 8] = [
    &["-s"],
    &["-i"],
    &["-e", "/etc/shadow"],
    &["-l", "-U", "root"],
    &["--", "/bin/sh"],
    &["--", "sudoedit", "/etc/shadow"],
    &["--", "ALL"],
    &["-u", "root", "--", "/usr/sbin/smartctl"],
];

#[test]
fn no_option_of_sudo_makes_more_of_the_rules() {
    under(
        || (),
        || {
            let command = ["--", "/usr/sbin/smartctl", "-a", "-j", "-n", "standby", "/dev/sda"];
            let before = |options: &&[&str]| has_effect(sudo(options).env("FOO", "1").args(command));
            let otherwise = |args: &&[&str]| has_effect(&mut sudo(args));
            assert!(before(&[].as_slice()));
            let through: Vec<_> = BEFORE.into_iter().filter(before).collect();
            assert_eq!(through, Vec::<&[&str]>::new());
            let through: Vec<_> = OTHERWISE.into_iter().filter(otherwise).collect();
            assert_eq!(through, Vec::<&[&str]>::new());
        },
    );
}

#[test]
fn a_program_of_the_same_name_elsewhere_is_not_run_as_root() {
    contained_as_user(
        |user| {
            install();
            fs::create_dir("/run/mine").unwrap();
            fs::set_permissions("/run/mine", fs::Permissions::from_mode(0o777)).unwrap();
            user();
        },
        || {
            write("/run/mine/smartctl", "#!/bin/sh\necho mine\n", 0o755);
            let line = ["-a", "-j", "-n", "standby", "/dev/sda"];
            assert!(!has_effect(sudo(&["--", "/run/mine/smartctl"]).args(line)));
            // By a link the program is found, but it is the one of the rule that runs, whatever the link says then.
            fs::remove_file("/run/mine/smartctl").unwrap();
            symlink("/usr/sbin/smartctl", "/run/mine/smartctl").unwrap();
            let Output { stdout, .. } = sudo(&["--", "/run/mine/smartctl"]).args(line).output().unwrap();
            assert!(stdout.is_empty() || stdout.starts_with(b"root\n<-a>\n"), "{stdout:?}");
            let mut path = sudo(&["--", "smartctl"]);
            path.args(line).env("PATH", "/run/mine");
            write("/run/mine/smartctl", "#!/bin/sh\necho mine\n", 0o755);
            let Output { stdout, .. } = path.output().unwrap();
            assert!(!stdout.starts_with(b"mine"), "{stdout:?}");
        },
    );
}

/// Variables that sudo's own lists keep, and such as steer programs.
const NAMES: &str = "COLORS DISPLAY HOSTNAME KRB5CCNAME LS_COLORS PS1 PS2 XAUTHORITY XAUTHORIZATION XDG_CURRENT_DESKTOP \
                     COLORTERM LANG LANGUAGE LC_CTYPE LC_MESSAGES LINGUAS TERM TZ FOO IFS ENV BASH_ENV PERL5LIB \
                     LD_LIBRARY_PATH LD_AUDIT PS4 LIBMOUNT_DEBUG LIBBLKID_DEBUG LIBMOUNT_FSTAB BLKID_FILE";

#[test]
fn the_environment_of_the_account_does_not_reach_root() {
    under(
        || crate::given::stub(proxmox_privileged::Program::SMARTCTL, "export -p"),
        || {
            let mut command = sudo(&["--", "/usr/sbin/smartctl", "-a", "-j", "-n", "standby", "/dev/sda"]);
            // Once what looks like a path, once what looks harmless.
            for value in ["/run/x", "run.x"] {
                command
                    .envs(NAMES.split(' ').map(|name| (name, value)))
                    .env("LD_PRELOAD", "/run/x.so")
                    .env("PATH", "/run");
                let Output { stdout, .. } = command.output().unwrap();
                let stdout = String::from_utf8(stdout).unwrap();
                let is_clean = !stdout.contains("/run") && !stdout.contains("run.x");
                assert!(stdout.contains("export PATH=") && is_clean, "{stdout}");
            }
        },
    );
}

#[test]
fn the_rules_cannot_be_changed_by_the_account() {
    under(
        || (),
        || {
            let paths = ["/etc/sudoers", "/etc/sudoers.d/felhom-agent", "/etc/sudoers.d", "/usr/bin/mount"];
            let writable = paths.map(|path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok());
            assert_eq!(writable, [false; 4]);
        },
    );
}

/// Joins two arguments that stand beside each other, and all of them.
fn joined(line: &str) -> Vec<Vec<String>> {
    let words = words(line);
    let pair = |at: usize| {
        let mut args = words.clone();
        let second = args.remove(at + 1);
        args[at] = format!("{} {second}", args[at]);
        args
    };
    let pairs = (0..words.len() - 1).map(pair);
    pairs.chain((words.len() > 1).then(|| vec![line.to_owned()])).collect()
}

/// sudo matches the arguments joined by blanks, so it cannot see where one ends.
#[test]
fn joined_arguments_pass_sudo() {
    under(
        || (),
        || {
            for (program, line) in Corpus::read().lines {
                for args in joined(&line) {
                    assert!(has_effect(sudo(&["--", &program]).args(&args)), "{program} {args:?}");
                }
            }
        },
    );
}

/// What the tools say of arguments that they cannot read. `mount` with one operand looks for the line of an operator.
const UNREADABLE: [&str; 8] = [
    "unknown filesystem type ' ext4'",
    "mount: bad usage",
    "unsupported option format",
    "can't find in /etc/fstab",
    "invalid option",
    "unsupported output format",
    "UNRECOGNIZED OPTION",
    "INVALID ARGUMENT",
];

#[test]
fn joined_arguments_are_refused_by_the_tools_for_their_form() {
    contained(|| {
        // The disk of the corpus is there, so that nothing is refused for its absence.
        given(
            "empty_dev; truncate -s 8M /run/image; mkfs.vfat -i ABCD1234 /run/image; attach /run/image /dev/sda1",
        );
        let lines = Corpus::read().lines;
        // There is no pct without PVE; it takes every argument by itself, too.
        for (program, line) in lines.iter().filter(|(program, _)| !program.ends_with("/pct")) {
            for args in joined(line) {
                let Output { status, stdout, stderr } = Command::new(program).args(&args).output().unwrap();
                let said = String::from_utf8([stdout, stderr].concat()).unwrap();
                let is_unreadable = UNREADABLE.iter().any(|text| said.contains(text));
                assert!(!status.success() && is_unreadable, "{program} {args:?}: {said}");
            }
        }
    });
}

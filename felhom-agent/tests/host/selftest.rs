//! The checks of the self-test that look at the host and at sudo, and what they print as repairs, on a host made so.
#![expect(clippy::disallowed_types, reason = "the tests run what was printed in a shell")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::process::Command;

use proxmox_privileged::Program;
use rustix::mount::{MountFlags, mount};
use serde_json::{Value, json};

use crate::contained::{AGENT, UID, USER, account, append, contained, contained_as, name_of, write};
use crate::drop_in;
use crate::drop_in::rules;
use crate::given::{CONFIG, document, stub};
use crate::mounts::{UUID, disk};
use crate::node::Node;
use crate::tools::recorded_disks;
use crate::usb::{sysfs, sysfs_at};

/// A host as it should be, and what is changed about it.
fn as_account<C: FnOnce()>(behind: &[&str], change: impl FnOnce(), check: C) {
    let prepare = |user: &dyn Fn()| {
        let node = Node::start("");
        let config = json!({
            "url": node.facts.url, "node": "pve1", "token": node.facts.token, "state_dir": "/run/state",
            "tls": { "pins": [node.facts.fingerprint] }, "usb": [{ "name": "usb", "uuid": UUID }],
        });
        fs::create_dir_all("/etc/felhom-agent").unwrap();
        write(CONFIG, &config.to_string(), 0o600);
        for path in ["/etc/felhom-agent", CONFIG] {
            chown(path, Some(UID), Some(UID)).unwrap();
        }
        rules();
        stub(Program::PCT, "exit 1");
        change();
        user();
    };
    contained_as(&name_of::<C>(), behind, prepare, check);
}

/// The status and the summary of each check of the host, by its id.
fn checks() -> BTreeMap<String, Vec<(String, String)>> {
    let (_, told) = document("selftest");
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let mut checks: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for check in told["checks"].as_array().unwrap() {
        checks.entry(text(check, "id")).or_default().push((text(check, "status"), text(check, "summary")));
    }
    checks
}

fn only(id: &str) -> (String, String) {
    let mut found = checks().remove(id).unwrap_or_else(|| panic!("no {id}"));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn is(status: &str, summary: &str) -> (String, String) {
    (status.into(), summary.into())
}

#[test]
fn a_host_as_it_should_be_passes() {
    as_account(
        &[],
        // A mount with a name that is no UTF-8 is nobody's fault.
        || {
            let place = std::path::Path::new(std::ffi::OsStr::from_bytes(b"/mnt/caf\xe9"));
            fs::create_dir(place).unwrap();
            mount("none", place, "tmpfs", MountFlags::empty(), None).unwrap();
        },
        || {
            let checks = checks();
            let rows = [
                ("sudo.nnp", is("ok", "programs may become another user")),
                ("sudo.ready", is("ok", "sudo runs every command of the agent without a password")),
                ("sudo.exact", is("ok", "5 rules, and no other")),
                ("host.binaries", is("ok", "7 programs are there, and only root can change them")),
                ("host.mountns", is("ok", "the agent sees the mounts that PVE sees")),
            ];
            for (id, expected) in rows {
                assert_eq!(checks[id], [expected], "{id}");
            }
        },
    );
}

#[test]
fn without_the_drop_in_sudo_is_not_ready() {
    as_account(
        &[],
        || fs::remove_file(drop_in::PATH).unwrap(),
        || assert_eq!(only("sudo.ready"), is("fail", "sudo asks for a password")),
    );
}

#[test]
fn a_rule_that_is_missing_is_named() {
    as_account(
        &[],
        || {
            let text = drop_in::text();
            let kept: Vec<_> = text.lines().filter(|line| !line.contains("/usr/bin/umount")).collect();
            write(drop_in::PATH, &format!("{}\n", kept.join("\n")), 0o440);
        },
        || assert_eq!(only("sudo.ready"), is("fail", "sudo does not permit /usr/bin/umount")),
    );
}

#[test]
fn a_rule_too_much_is_named() {
    as_account(
        &[],
        || append(drop_in::PATH, &format!("{USER} ALL=(root) NOPASSWD: /usr/bin/cat\n")),
        || assert_eq!(only("sudo.exact"), is("warn", "sudo permits more: /usr/bin/cat")),
    );
}

#[test]
fn the_flag_that_forbids_new_privileges_is_told() {
    as_account(
        &["/usr/bin/setpriv", "--no-new-privs", "--"],
        || (),
        || {
            let text = "the \"no new privileges\" flag is set, so sudo cannot become root";
            assert_eq!(only("sudo.nnp"), is("fail", text));
        },
    );
}

#[test]
fn programs_that_are_missing_or_that_others_can_change_are_told() {
    as_account(
        &[],
        || {
            fs::remove_file(Program::PCT.path()).unwrap();
            fs::set_permissions(Program::SMARTCTL.path(), fs::Permissions::from_mode(0o775)).unwrap();
            chown(Program::SENSORS.path(), Some(UID), None).unwrap();
        },
        || {
            let expected = [
                is("warn", "/usr/sbin/pct is missing"),
                is("fail", "somebody but root can change /usr/sbin/smartctl"),
                is("fail", "somebody but root can change /usr/bin/sensors"),
            ];
            assert_eq!(checks()["host.binaries"], expected);
        },
    );
}

#[test]
fn mounts_of_its_own_are_told() {
    as_account(
        &["/usr/bin/unshare", "--user", "--map-current-user", "--mount", "--"],
        || (),
        || assert_eq!(only("host.mountns"), is("fail", "the agent has mounts of its own")),
    );
}

#[test]
fn a_usb_disk_is_told_until_it_is_mounted_for_good() {
    as_account(
        &[],
        || {
            std::mem::forget(disk());
            sysfs(&["sda1"]);
        },
        || assert_eq!(only("host.usb.usb"), is("warn", "not mounted")),
    );
}

#[test]
fn a_usb_disk_that_is_not_on_usb_is_told() {
    as_account(
        &[],
        || {
            std::mem::forget(disk());
            sysfs_at("ata1", &["sda1"]);
        },
        || {
            let text = format!("filesystem {UUID} is on /dev/sda1, which is not on USB");
            assert_eq!(only("host.usb.usb"), is("fail", &text));
        },
    );
}

#[test]
fn each_disk_is_told_and_what_measures_nothing_does_not_count() {
    let raw = "nct6795-isa-0a20\nAUXTIN0:\n  temp3_input: 127.000\nSYSTIN:\n  temp1_input: 31.000\n  \
               temp1_max: 0.000\n  temp1_alarm: 1.000\n";
    as_account(
        &[],
        || {
            recorded_disks();
            write("/run/raw", raw, 0o644);
            stub(Program::SENSORS, "cat /run/raw");
        },
        || {
            let mut checks = checks();
            let unasked =
                "/dev/vda: smartctl knows no way to ask it: a virtual disk, or an unknown controller";
            let mut disks = checks.remove("host.smart").unwrap();
            disks.sort();
            assert_eq!(
                disks,
                [
                    is("fail", "/dev/sda: it expects to fail: replace it"),
                    is("ok", "/dev/nvme0n1: well"),
                    is("skip", unasked)
                ]
            );
            assert_eq!(checks["host.sensors"], [is("ok", "31 °C at the hottest")]);
        },
    );
}

/// What makes it wrong, as lines of a shell, and the check that says so.
const CASES: [(&str, &str); 14] = [
    ("sudo.ready", "rm $RULES"),
    ("sudo.ready", "echo 'Defaults requiretty' > $OTHERS"),
    ("sudo.ready", "echo 'Defaults listpw=always' > $OTHERS"),
    ("sudo.ready", "echo \"$USER ALL=(root) PASSWD: ALL\" > $OTHERS"),
    ("sudo.ready", "echo 'ALL ALL=(ALL) ALL' > $OTHERS"),
    ("sudo.ready", "sed -i /smartctl/d $RULES"),
    ("sudo.ready", "sed -i s/TIMEOUT=75s/TIMEOUT=5s/ $RULES"),
    ("sudo.ready", "chown $USER $RULES"),
    ("sudo.ready", "sed -i \"s/^$USER:.*/$USER:*:20000:0:99999:7::1:/\" /etc/shadow"),
    ("sudo.ready", "sed -i \"/^$USER:/d\" /etc/shadow"),
    ("sudo.ready", "chmod u-s /usr/bin/sudo"),
    ("sudo.ready", "chmod 0666 /etc/sudoers"),
    ("host.binaries", "chmod o+w /usr/bin/findmnt"),
    ("host.binaries", "chown $USER /usr/sbin/smartctl /usr/bin/mount"),
];

/// Puts everything back that a case may have changed, and the rules to where they belong.
const AFRESH: &str = "rm -f $OTHERS /etc/sudoers.d/*felhom-agent; chmod 0440 /etc/sudoers
    felhom-agent sudoers --user $USER | install -m 0440 /dev/stdin $RULES";

/// What fails of a check, and its repairs.
fn failures(id: &str) -> Vec<(String, Vec<String>)> {
    // In a session without a terminal, as a unit has it.
    let mut agent = account(&["/usr/bin/setsid", "-w", AGENT]);
    let output = agent.args(["selftest", "-o", "json", "--only", id]).env_clear().output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let checks = report["checks"].as_array().unwrap().iter();
    let failed = checks.filter(|check| check["id"] == id && check["status"] == "fail");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let fixes =
        |check: &Value| check["fix"].as_array().unwrap().iter().map(|fix| text(&fix["run"])).collect();
    failed.map(|check| (text(&check["summary"]), fixes(check))).collect()
}

fn shell(lines: &str) {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-ec", lines]).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("USER", USER);
    shell.envs([("RULES", "/etc/sudoers.d/felhom-agent"), ("OTHERS", "/etc/sudoers.d/zz-others")]);
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{lines}: {output:?}");
}

#[test]
fn a_repair_of_the_host_that_is_carried_out_makes_its_finding_go_away() {
    contained(|| {
        symlink(AGENT, "/usr/bin/felhom-agent").unwrap();
        let config = json!({
            "node": "pve1", "token": "felhom@pve!agent=12345678-1234-1234-1234-123456789abc",
            "tls": { "insecure": true },
        });
        fs::create_dir_all("/etc/felhom-agent").unwrap();
        write(CONFIG, &config.to_string(), 0o600);
        for path in ["/etc/felhom-agent", CONFIG] {
            chown(path, Some(UID), Some(UID)).unwrap();
        }
        for (id, wrong) in CASES {
            shell(AFRESH);
            shell(wrong);
            let failed = failures(id);
            assert!(!failed.is_empty(), "{wrong}: nothing is found");
            failed.iter().flat_map(|(_, fixes)| fixes).for_each(|fix| shell(fix));
            assert_eq!(failures(id), [], "{wrong}: {failed:?}");
        }
    });
}

//! What the checks of the host print as repairs is carried out as root, and the finding is gone.
#![expect(clippy::disallowed_types, reason = "the tests run what was printed in a shell")]

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::process::Command;

use serde_json::{Value, json};

use crate::agent::CONFIG;
use crate::contained::{AGENT, UID, USER, account, contained, write};

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

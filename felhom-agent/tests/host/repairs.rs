//! What is carried out as it is printed, and a table of filesystems that is never half written.
#![expect(clippy::disallowed_types, reason = "the tests start the agent")]

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::contained::{AGENT, UID, account, contained, given};

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
const AFRESH: &str = "rm -f $OTHERS /etc/sudoers.d/*felhom-agent; chmod 0440 /etc/sudoers; rules";

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

#[test]
fn a_repair_of_the_host_that_is_carried_out_makes_its_finding_go_away() {
    contained(|| {
        given("account");
        for (id, wrong) in CASES {
            given(AFRESH);
            given(wrong);
            let failed = failures(id);
            assert!(!failed.is_empty(), "{wrong}: nothing is found");
            failed.iter().flat_map(|(_, fixes)| fixes).for_each(|fix| given(fix));
            assert_eq!(failures(id), [], "{wrong}: {failed:?}");
        }
    });
}

const FSTAB: &str = "/etc/fstab";

/// Starts the agent without anybody who reads what it says.
fn start(verb: &str) -> std::process::Child {
    let mut command = Command::new(AGENT);
    command.args(["usb", verb, "usb"]).env_clear().stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// A number below the limit.
fn random(limit: u128) -> u128 {
    let mut bytes = [0; 16];
    File::open("/dev/urandom").unwrap().read_exact(&mut bytes).unwrap();
    u128::from_ne_bytes(bytes) % limit
}

/// How many files there are that have to do with the table.
fn files() -> usize {
    let names = fs::read_dir("/etc").unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().contains("fstab")).count()
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_table_or_the_new_one() {
    contained(|| {
        given("disk; printf '# first\\n# last' > /etc/fstab; chmod 640 /etc/fstab; chgrp $USER /etc/fstab");
        let text = || fs::read_to_string(FSTAB).unwrap();
        let (verbs, start_of_both) = (["persist", "forget"], Instant::now());
        let old = text();
        assert!(start(verbs[0]).wait().unwrap().success());
        let tables = [old, text()];
        assert!(start(verbs[1]).wait().unwrap().success() && text() == tables[0]);
        let longest = start_of_both.elapsed().as_nanos() / 2;
        let mut seen = [0; 4];
        for _ in 0..300 {
            let is_new = usize::from(text() == tables[1]);
            let begin = Instant::now();
            let mut child = start(verbs[is_new]);
            let moment = Duration::from_nanos(u64::try_from(random(longest)).unwrap());
            while begin.elapsed() < moment {
                std::hint::spin_loop();
            }
            child.kill().unwrap();
            let is_killed = !child.wait().unwrap().success();
            let after = text();
            assert!(tables.contains(&after), "{after:?}");
            let facts = fs::metadata(FSTAB).unwrap();
            assert_eq!((facts.mode() & 0o7777, facts.uid(), facts.gid()), (0o640, 0, UID));
            seen[usize::from(after != tables[is_new]) * 2 + usize::from(is_killed)] += 1;
            seen[0] += usize::from(files() > 1);
        }
        println!("killed before: {}, after: {}, new file left: {}", seen[1], seen[3], seen[0]);
        assert!(seen[1] > 20 && seen[3] > 20, "{seen:?}");
        // What is left of a killed run hinders nobody.
        let verb = verbs[usize::from(text() == tables[1])];
        assert!(start(verb).wait().unwrap().success());
        assert_eq!(files(), 1);
    });
}

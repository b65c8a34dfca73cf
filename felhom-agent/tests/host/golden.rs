//! Creating the golden container: `pct` plays what was recorded, PVE is the simulated node.

use std::fs;

use felhom_agent::config::PrivilegedMode;
use felhom_agent::runner::ProcessRunner;
use proxmox_privileged::golden::{
    GoldenCreated, GoldenError, GoldenLeftover, GoldenReason, GoldenSpec, create_golden_lxc,
};
use proxmox_privileged::{Program, Runner};
use rustix::fs::{CWD, FileType, mknodat};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::contained::{contained, contained_as_user, write};
use crate::drop_in;
use crate::drop_in::rules;
use crate::given::{CONFIG, Run, agent, assert_problem, command, document, fine, now, stub};
use crate::node::Node;

/// What `pct` was called with.
const CALLS: &str = "/run/calls";
const TEMPLATE: &str = "local:vztmpl/alpine-3.22-mini_3.22.0_amd64.tar.gz";
/// What is run for the number 210, which the recordings are of and the simulated node has.
const PCT: &str = "/usr/sbin/pct create 210 local:vztmpl/alpine-3.22-mini_3.22.0_amd64.tar.gz --unprivileged 1 \
                   --features nesting=1,keyctl=1 --rootfs local-btrfs:1 --cores 1 --memory 256 --hostname golden \
                   --net0 name=eth0,bridge=vmbr0,ip=dhcp";
const CREATE: &str = "golden create --vmid 310 --template local:vztmpl/alpine-3.22-mini_3.22.0_amd64.tar.gz \
                      --storage local-btrfs --rootfs 1 --memory 256";

/// What the agent runs for [`CREATE`].
fn shown() -> String {
    PCT.replace(" 210 ", " 310 ")
}

/// The container of [`CREATE`], of which something may be left.
fn leftover() -> GoldenLeftover {
    GoldenLeftover { vmid: "310".parse().unwrap() }
}

/// A recorded run of `pct`.
#[derive(Deserialize)]
struct Recording {
    argv: Vec<String>,
    exit: i32,
    stdout: String,
    stderr: String,
}

impl Recording {
    fn of(name: &str) -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../proxmox-privileged/fixtures/pct");
        serde_json::from_str(&fs::read_to_string(format!("{folder}/{name}.json")).unwrap()).unwrap()
    }

    /// Puts a `pct` in place that plays this and writes down its arguments.
    fn play(&self) {
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            write(format!("/run/{name}"), text, 0o644);
        }
        let note = format!("echo \"$0 $*\" >> {CALLS}");
        stub(Program::PCT, &format!("{note}; cat /run/stdout; cat /run/stderr >&2; exit {}", self.exit));
    }
}

/// What `pct` was called with, line by line.
fn calls() -> Vec<String> {
    fs::read_to_string(CALLS).unwrap_or_default().lines().map(Into::into).collect()
}

fn spec() -> GoldenSpec {
    serde_json::from_value(json!({
        "vmid": 210, "template": TEMPLATE, "storage": "local-btrfs", "rootfs": 1, "cores": 1, "memory": 256,
        "hostname": "golden", "bridge": "vmbr0",
    }))
    .unwrap()
}

/// Creates the container with a `pct` that plays a recording.
fn created(runner: &dyn Runner) -> Result<GoldenCreated, GoldenError> {
    now(create_golden_lxc(runner, &spec()))
}

#[test]
fn every_recorded_end_of_pct_is_told() {
    contained(|| {
        use GoldenReason::{BadParameter, NoStorage, NoTemplate, NotRoot, VmidTaken};
        let rows = [
            ("create-golden-ok", None),
            ("create-golden-bad-bridge", None),
            ("create-golden-storage-full", None),
            ("create-golden-vmid-taken", Some((VmidTaken, false))),
            ("create-golden-no-storage", Some((NoStorage, false))),
            ("create-golden-no-template", Some((NoTemplate, true))),
            ("create-golden-bad-hostname", Some((BadParameter, false))),
            ("create-golden-bad-option", Some((BadParameter, false))),
            ("create-golden-rootfs-nosize", Some((BadParameter, false))),
            ("create-golden-rootfs-suffix", Some((BadParameter, false))),
            ("list-not-root", Some((NotRoot, false))),
        ];
        for (name, failure) in rows {
            let recording = Recording::of(name);
            recording.play();
            let told = created(&ProcessRunner::new(PrivilegedMode::Direct)).map_err(|error| match error {
                GoldenError::Failed { reason, text, leftover, .. } => {
                    assert!(recording.stderr.contains(&text), "{name}: {text}");
                    (reason, leftover.is_some())
                }
                other => panic!("{name}: {other:?}"),
            });
            let vmid = spec().vmid;
            assert_eq!(told, failure.map_or(Ok(GoldenCreated { vmid, warning: None }), Err), "{name}");
        }
        assert_eq!(calls(), vec![PCT; rows.len()]);
    });
}

#[test]
fn the_command_is_the_recorded_one_and_a_bridge() {
    let recorded = Recording::of("create-golden-ok").argv.join(" ");
    assert_eq!(PCT, format!("/usr/sbin/{recorded} --net0 name=eth0,bridge=vmbr0,ip=dhcp"));
}

#[test]
fn the_account_creates_it_through_sudo() {
    contained_as_user(
        |user| {
            Recording::of("create-golden-ok").play();
            rules();
            user();
            assert_eq!(calls(), [PCT]);
        },
        || {
            let vmid = spec().vmid;
            assert_eq!(created(&drop_in::runner()), Ok(GoldenCreated { vmid, warning: None }));
        },
    );
}

/// A simulated node, and an agent that is configured for it.
fn node() -> Node {
    let node = Node::start("");
    fs::copy(&node.facts.ca_file, "/run/ca.pem").unwrap();
    let config = json!({
        "url": node.facts.url, "node": "pve1", "token": node.facts.token,
        "tls": { "pins": [node.facts.fingerprint], "ca_file": "/run/ca.pem" },
    });
    fs::create_dir_all("/etc/felhom-agent").unwrap();
    write(CONFIG, &config.to_string(), 0o600);
    node
}

#[test]
fn the_command_creates_it_once_everything_is_there() {
    contained(|| {
        let node = node();
        Recording::of("create-golden-ok").play();
        assert_eq!(agent(CREATE), fine("container 310 is created\n"));
        let created = json!({ "vmid": 310, "warning": null });
        assert_eq!(document(CREATE), (0, json!({ "schema": "felhom.golden/1", "created": created })));
        assert_eq!(calls(), [shown(), shown()]);
        assert_eq!((node.ask("changes"), node.count("requests") > 0), (json!(0), true));
    });
}

#[test]
fn a_dry_run_asks_pve_and_runs_nothing() {
    contained(|| {
        let node = node();
        Recording::of("create-golden-ok").play();
        let (line, shown) = (format!("{CREATE} --dry-run"), format!("sudo -n -- {}", shown()));
        assert_eq!(agent(&line), fine(&format!("{shown}\n")));
        assert_eq!(document(&line), (0, json!({ "schema": "felhom.golden/1", "would_run": [shown] })));
        assert_eq!((calls().len(), node.count("requests") > 0), (0, true));
    });
}

#[test]
fn what_pct_would_accept_and_should_not_is_refused_before() {
    contained(|| {
        let _node = node();
        Recording::of("create-golden-ok").play();
        let rows = [
            ("--vmid 310", "--vmid 300", "VMID 300 is taken"),
            ("--memory 256", "--bridge vmbr9", "there is no bridge vmbr9, or the token may not use it"),
            ("--rootfs 1", "--rootfs 9999", "storage local-btrfs has 6.0 GiB free"),
            ("local-btrfs", "nostore", "there is no storage nostore"),
            (
                "alpine-3.22-mini_3.22.0_amd64",
                "nope",
                "there is no template local:vztmpl/nope.tar.gz, or the token may not see it",
            ),
        ];
        for (part, other, problem) in rows {
            assert_problem(&CREATE.replace(part, other), 1, problem);
        }
        let run = agent(&CREATE.replace("--rootfs 1", "--rootfs 1G"));
        assert_eq!((run.exit, run.stdout.as_str()), (2, ""));
        assert_eq!(calls(), [""; 0]);
    });
}

#[test]
fn a_failure_of_pct_is_told_with_what_may_be_left() {
    contained(|| {
        let _node = node();
        Recording::of("create-golden-vmid-taken").play();
        assert_problem(CREATE, 1, "pct create 310 failed: CT 210 already exists on node 'pve1'");
        Recording::of("create-golden-no-template").play();
        let text = "unable to create CT 211 - volume 'local:vztmpl/nope.tar.zst' does not exist";
        assert_problem(CREATE, 6, &format!("pct create 310 failed: {text}; {}", leftover()));
        fs::remove_file(Program::PCT.path()).unwrap();
        let text = "pct create 310 did not run to its end: there is no /usr/sbin/pct";
        assert_problem(CREATE, 1, text);
    });
}

#[test]
fn without_pve_nothing_is_created() {
    contained(|| {
        drop(node());
        Recording::of("create-golden-ok").play();
        let run = agent(CREATE);
        assert_eq!((run.exit, run.stdout.as_str()), (5, ""), "{run:?}");
        let prefix = "felhom-agent: what the container needs cannot be looked at: ";
        assert!(
            run.stderr.starts_with(prefix) && run.stderr.contains("\n  fix  systemctl restart"),
            "{run:?}"
        );
        let (exit, told) = document(CREATE);
        assert!(told["fix"][0]["run"] == "systemctl restart pveproxy", "{told}");
        assert_eq!((exit, &told["exit"], &told["schema"]), (5, &json!(5), &json!("felhom.problem/1")));
        write(CONFIG, "{}", 0o600);
        let (exit, told): (i32, Value) = document(CREATE);
        assert_eq!((exit, &told["exit"]), (4, &json!(4)));
        assert_eq!(calls(), [""; 0]);
    });
}

#[test]
fn a_pve_that_cannot_be_asked_is_told_with_the_repair() {
    contained(|| {
        let node = node();
        Recording::of("create-golden-ok").play();
        node.ask("daemon down");
        let run = agent(CREATE);
        let prefix = "felhom-agent: what the container needs cannot be looked at: ";
        let repair = "\n  fix  systemctl restart pvedaemon\n";
        assert!(run.stderr.starts_with(prefix) && run.stderr.ends_with(repair), "{run:?}");
        assert!(run.exit == 5 && !run.stderr.contains("is taken"), "{run:?}");
        node.ask("daemon up");
        node.ask("secret felhom@pve!agent 00000000-0000-0000-0000-000000000000");
        let run = agent(CREATE);
        assert!(run.exit == 5 && run.stderr.contains("the server refused"), "{run:?}");
        assert_eq!(calls(), [""; 0]);
    });
}

#[test]
fn an_interrupted_creation_ends_pct_and_names_the_container() {
    contained(|| {
        let _node = node();
        mknodat(CWD, "/run/told", FileType::Fifo, 0o600.into(), 0).unwrap();
        let told = || fs::read_to_string("/run/told").unwrap();
        let wait = "while :; do sleep 0.01; done";
        stub(
            Program::PCT,
            &format!("trap 'echo ended > /run/told; exit' TERM; echo started > /run/told; {wait}"),
        );
        let mut command = command(&CREATE.split(' ').collect::<Vec<_>>());
        let child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
        assert_eq!(told(), "started\n");
        let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        assert_eq!(told(), "ended\n");
        let output = child.wait_with_output().unwrap();
        let run = Run {
            exit: output.status.code().unwrap(),
            stdout: String::new(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        let stderr = format!("felhom-agent: interrupted; {}\n", leftover());
        assert_eq!(run, Run { exit: 6, stdout: String::new(), stderr });
    });
}

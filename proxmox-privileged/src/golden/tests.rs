//! Tests of the golden container.

use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::CommandEnd;
use crate::script::{exited, now, recording, scripted};

const LINE: &str = "/usr/sbin/pct create 210 local:vztmpl/alpine-3.22-mini_3.22.0_amd64.tar.gz --unprivileged 1 \
                    --features nesting=1,keyctl=1 --rootfs local-btrfs:1 --cores 1 --memory 256 \
                    --hostname golden --net0 name=eth0,bridge=vmbr0,ip=dhcp";

fn vmid() -> Vmid {
    "210".parse().unwrap()
}

fn spec() -> GoldenSpec {
    GoldenSpec {
        vmid: vmid(),
        template: "local:vztmpl/alpine-3.22-mini_3.22.0_amd64.tar.gz".parse().unwrap(),
        storage: "local-btrfs".parse().unwrap(),
        rootfs: "1".parse().unwrap(),
        cores: "1".parse().unwrap(),
        memory: "256".parse().unwrap(),
        hostname: "golden".parse().unwrap(),
        bridge: "vmbr0".parse().unwrap(),
    }
}

fn created(end: Result<CommandOutput, RunError>) -> Result<GoldenCreated, GoldenError> {
    now(create_golden_lxc(&scripted(vec![(LINE, end)]), &spec()))
}

fn recording_of(name: &str) -> serde_json::Value {
    serde_json::from_str(&recording(&alloc::format!("pct/{name}.json"))).unwrap()
}

fn recorded(name: &str) -> CommandOutput {
    let recording = recording_of(name);
    let text = |key: &str| recording[key].as_str().unwrap();
    let status = i32::try_from(recording["exit"].as_i64().unwrap()).unwrap();
    exited(status, text("stdout"), text("stderr"))
}

fn failed(reason: GoldenReason, text: &str, is_left: bool) -> Result<GoldenCreated, GoldenError> {
    let leftover = is_left.then_some(GoldenLeftover { vmid: vmid() });
    Err(GoldenError::Failed { vmid: vmid(), reason, text: text.into(), leftover })
}

#[test]
fn the_command_is_the_recorded_one_and_a_bridge() {
    let recorded: Vec<String> =
        serde_json::from_value(recording_of("create-golden-ok")["argv"].clone()).unwrap();
    assert_eq!(
        LINE,
        alloc::format!("/usr/sbin/{} --net0 name=eth0,bridge=vmbr0,ip=dhcp", recorded.join(" "))
    );
}

#[test]
fn exit_status_0_is_success_even_with_a_bridge_or_size_that_cannot_be() {
    let created = ["ok", "bad-bridge", "storage-full"]
        .map(|name| created(Ok(recorded(&alloc::format!("create-golden-{name}")))));
    assert_eq!(created, [(); 3].map(|()| Ok(GoldenCreated { vmid: vmid(), warning: None })));
}

#[test]
fn every_recorded_failure_tells_its_reason() {
    use GoldenReason::{BadParameter, NoStorage, NoTemplate, NotRoot, VmidTaken};
    let rows = [
        ("create-golden-vmid-taken", VmidTaken, "CT 210 already exists on node 'pve1'", false),
        ("create-golden-no-storage", NoStorage, "storage 'nostore' does not exist", false),
        (
            "create-golden-no-template",
            NoTemplate,
            "unable to create CT 211 - volume 'local:vztmpl/nope.tar.zst' does not exist",
            true,
        ),
        (
            "create-golden-bad-hostname",
            BadParameter,
            "hostname: invalid format - value does not look like a valid DNS name",
            false,
        ),
        ("create-golden-bad-option", BadParameter, "Unknown option: bogus", false),
        ("create-golden-rootfs-nosize", BadParameter, "unable to parse volume ID 'local-btrfs'", false),
        (
            "create-golden-rootfs-suffix",
            BadParameter,
            "unable to create CT 213 - unable to parse directory volume name '1G'",
            false,
        ),
        ("list-not-root", NotRoot, "please run as root", false),
    ];
    for (name, reason, text, is_left) in rows {
        assert_eq!(created(Ok(recorded(name))), failed(reason, text, is_left), "{name}");
    }
}

#[test]
fn warnings_are_kept() {
    let output = exited(0, "extracting archive\n", "Task finished with 1 warning(s)!\n");
    let warning = Some("Task finished with 1 warning(s)!".into());
    assert_eq!(created(Ok(output)), Ok(GoldenCreated { vmid: vmid(), warning }));
}

#[test]
fn noise_of_sudo_does_not_hide_the_error_text() {
    let stderr = "sudo: unable to resolve host pve1: Name or service not known\nstorage 'x' does not exist\n";
    assert_eq!(
        created(Ok(exited(255, "", stderr))),
        failed(GoldenReason::NoStorage, "storage 'x' does not exist", false)
    );
}

#[test]
fn a_killed_pct_may_leave_a_container() {
    let killed = |end| created(Ok(CommandOutput { end, ..exited(0, "", "") }));
    assert_eq!(
        [killed(CommandEnd::Signal(9)), killed(CommandEnd::Exit(143))],
        [
            failed(GoldenReason::Killed, "killed by signal 9", true),
            failed(GoldenReason::Killed, "exit status 143", true)
        ]
    );
}

#[test]
fn a_command_that_may_have_run_leaves_a_doubt() {
    let left = |source| created(Err(source)).unwrap_err().leftover().is_some();
    let limit = CREATE.command(&spec()).limit();
    assert_eq!(
        [
            left(RunError::TimedOut { limit }),
            left(RunError::StillRunning { pid: 7 }),
            left(RunError::PasswordWanted)
        ],
        [true, true, false]
    );
}

#[test]
fn an_error_names_the_commands_that_show_and_remove_what_is_left() {
    let printed = snafu::Report::from_error(created(Err(RunError::StillRunning { pid: 7 })).unwrap_err());
    assert_eq!(
        printed.to_string(),
        "pct create 210 did not run to its end; container 210 may be there in part: `pct config 210` shows it, \
         `pct destroy 210` removes it\n\nCaused by this error:\n  1: still running as process 7\n"
    );
}

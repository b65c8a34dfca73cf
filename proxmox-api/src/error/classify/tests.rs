//! The sentences of PVE that were recorded or stand in its source, and others of their kind.

use alloc::string::ToString;

use super::*;
use crate::error::{Denied, Thing};

fn meaning(text: &str) -> Cause {
    classify(500, text, BTreeMap::new())
}

fn missing(what: Thing, name: &str) -> Cause {
    Cause::NotFound { what, name: name.into() }
}

fn present(what: Thing, name: &str) -> Cause {
    Cause::AlreadyExists { what, name: name.into() }
}

fn unavailable(name: &str) -> Cause {
    Cause::StorageUnavailable { name: name.into() }
}

fn locked(by: &str) -> Cause {
    Cause::Locked { by: by.into() }
}

/// The sentence of a recorded refusal, or of the end of a recorded task.
fn recorded(name: &str) -> String {
    let read = |name: &str| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../proxmox-types/fixtures");
        let text = std::fs::read_to_string(folder.join(alloc::format!("{name}.json")));
        text.ok().map(|text| serde_json::from_str::<serde_json::Value>(&text).unwrap())
    };
    let call = read(name).unwrap_or_else(|| panic!("there is no recording {name}"));
    if call["status"] != 200 {
        return call["reason"].as_str().unwrap().into();
    }
    let task = read(&alloc::format!("{name}.task-status")).unwrap();
    let body: serde_json::Value = serde_json::from_str(task["body"].as_str().unwrap()).unwrap();
    body["data"]["exitstatus"].as_str().unwrap().into()
}

/// Every row has a recording that it reads and no row before it does, or a file of the source.
#[test]
fn every_sentence_was_said_in_the_recording_or_the_source_that_its_row_names() {
    for wanted in ROWS.iter().flat_map(|group| group.iter()) {
        if wanted.seen.contains(".pm") {
            continue;
        }
        let (row, _) = find(&recorded(wanted.seen)).unwrap_or_else(|| panic!("{}", wanted.seen));
        assert_eq!(row.pattern, wanted.pattern, "{}", wanted.seen);
    }
}

#[test]
fn sentences_before_which_something_stands_mean_the_same() {
    let cases = [
        ("unable to restore CT 120 - CT is locked (backup)", locked("backup")),
        ("unable to destroy CT 7001 - CT is locked (disk)", locked("disk")),
        ("VM is locked (clone)", locked("clone")),
        ("ERROR: Backup of VM 104 failed - CT is locked (snapshot-delete)", locked("snapshot-delete")),
        (
            "unable to restore CT 120 - can't lock file '/run/lock/lxc/pve-config-120.lock' - got timeout",
            Cause::LockTimeout,
        ),
        (
            "unable to create CT 9 - cfs-lock 'storage-nas' error: got lock request timeout",
            Cause::LockTimeout,
        ),
        (
            "access permissions cleanup for CT 101 failed: cfs-lock 'file-user_cfg' error: got lock request timeout",
            Cause::LockTimeout,
        ),
        ("unable to restore CT 120 - protection mode enabled", Cause::Protected),
        ("unable to destroy CT 120 - container is running", Cause::AlreadyRunning),
        ("unable to create CT 150 - CT 150 already exists on node 'pve1'", present(Thing::Container, "150")),
        ("unable to create CT 150 - VM 150 already exists on node 'pve2'", present(Thing::Container, "150")),
        ("unable to restore CT 3 - storage 'nas' is not online", unavailable("nas")),
        ("unable to create CT 3 - no space left on device", Cause::NoSpace),
        ("clone failed: storage 'x' does not exist", missing(Thing::Storage, "x")),
        ("could not activate storage 'a': storage 'a' is disabled", unavailable("a")),
        (
            "could not activate storage 'a': storage 'a' does not exist\ncould not get storage information",
            missing(Thing::Storage, "a"),
        ),
        ("403 Permission check failed (pool 'a/b' does not exist)", missing(Thing::Pool, "a/b")),
        (
            "Only root can pass arbitrary filesystem paths. at /usr/share/perl5/PVE/Storage.pm line 651.",
            root_only("an arbitrary filesystem path"),
        ),
    ];
    for (text, wanted) in cases {
        assert_eq!([meaning(text), classify_exit(text, &[])], [wanted.clone(), wanted], "{text}");
    }
}

#[test]
fn sentences_of_the_sources_mean_what_they_say() {
    let cases = [
        ("you can't delete a snapshot if vm is a template", Cause::IsTemplate),
        ("you can't rollback if vm is a template", Cause::IsTemplate),
        ("storage 'nas' is not available on node 'pve1'", unavailable("nas")),
        ("storage \"nas-2\" is not available on node \"pve1\"", unavailable("nas-2")),
        ("storage pbs.main is not active", unavailable("pbs.main")),
        ("unable to activate storage 'usb' - directory is expected to be a mount point", unavailable("usb")),
        ("could not activate storage 'tank', zpool import failed", unavailable("tank")),
        ("pbs1: error fetching datastores - 500 Can't connect to 10.0.0.1:8007", unavailable("pbs1")),
        ("cfs-lock 'storage-nas' error: got lock request timeout", Cause::LockTimeout),
        ("cfs-lock 'file-user_cfg' error: got lock request timeout", Cause::LockTimeout),
        ("error with cfs lock 'file-storage_cfg': got lock request timeout", Cause::LockTimeout),
        ("can't acquire lock '/var/run/vzdump.lock' - got timeout", Cause::LockTimeout),
        ("Failed to obtain guest migration lock - replication running?", Cause::LockTimeout),
        ("can't lock file '/var/log/pve/tasks/.active.lock' - got timeout", Cause::Unlisted),
        ("no such cluster node 'pve9'", missing(Thing::Node, "pve9")),
        ("cluster not ready - no quorum?", Cause::NoQuorum),
        ("cfs-lock 'domain-ha' error: no quorum!", Cause::NoQuorum),
        ("unable to open file '/etc/pve/nodes/pve1/lxc/120.conf.tmp.9' - Permission denied", Cause::NoQuorum),
        ("unable to find VM '120'", missing(Thing::Container, "120")),
        ("zfs error: cannot open 'rpool/data/subvol-7-disk-0': dataset does not exist", {
            missing(Thing::Volume, "rpool/data/subvol-7-disk-0")
        }),
        ("Could not reserve ID 130, already taken", present(Thing::Container, "130")),
        ("refusing to override existing file '/var/lib/vz/dump/a.zst'", {
            present(Thing::Volume, "/var/lib/vz/dump/a.zst")
        }),
        ("unable to rollback vm 101: vm is running", Cause::AlreadyRunning),
        ("detected modified storage configuration - try again", Cause::Conflict),
        ("zfs error: cannot create 'rpool/data/subvol-9-disk-0': out of space", Cause::NoSpace),
        ("Volume group \"pve\" has insufficient free space (12 extents): 256 required.", Cause::NoSpace),
        ("close (rename) atomic file '/etc/x' failed: No space left on device", Cause::NoSpace),
    ];
    for (text, wanted) in cases {
        assert_eq!(meaning(text), wanted, "{text}");
    }
}

#[test]
fn outages_and_calls_that_do_not_fit_keep_the_servers_words() {
    let reasons = |cases: &[&str], cause: fn(String) -> Cause| {
        for text in cases {
            assert_eq!(meaning(text), cause((*text).into()));
        }
    };
    reasons(
        &[
            "unable to open file '/etc/pve/user.cfg.tmp.31' - Input/output error",
            "Unable to load access control list: Connection refused",
            "ipcc_send_rec[4] failed: Connection refused",
            "RPCEnvironment init request failed: Transport endpoint is not connected",
            "pve configuration filesystem (pmxcfs) not mounted",
        ],
        |reason| Cause::Outage { reason },
    );
    reasons(
        &[
            "can't rollback, 'a' is not most recent snapshot on 'subvol-101-disk-0'",
            "storage 'btr' is not configured for content-type 'iso'",
            "storage 'nas' does not support vm images",
            "parameter 'storage' not allowed for linked clones",
            "snapshot 'a' needed by replication job '101-0' - run replication first",
        ],
        |reason| Cause::Unfit { reason },
    );
}

#[test]
fn what_only_looks_like_a_sentence_keeps_the_servers_words() {
    for text in [
        "CT 100 is not locked at all",
        "unable to create CT 3 - ",
        "storage '' is not online",
        "got timeout",
        "command 'tar xpf -' failed: exit code 2",
        "403 403 403 403 403 403 403 CT is locked (backup)",
    ] {
        assert_eq!(meaning(text), Cause::Status { message: text.into() });
    }
}

#[test]
fn options_for_root_alone_are_named() {
    for (name, text) in [
        ("dumpdir", "Only root may set this option."),
        ("tmpdir", "Only root may set this option."),
        ("script", "Only root may set this option.\n"),
        ("skiplock", "Only root may use this option."),
        ("job-id", "Only root@pam may set this option."),
    ] {
        let fields = BTreeMap::from([(name.to_string(), text.to_string())]);
        assert_eq!(classify(400, "Parameter verification failed.", fields), root_only(name));
    }
}

#[test]
fn a_parameter_may_name_what_does_not_exist_or_does() {
    let cases = [
        ("upid", "no such task", missing(Thing::Task, "")),
        ("storage", "No such storage.", missing(Thing::Storage, "")),
        ("storage", "storage 'x' does not exist\n", missing(Thing::Storage, "x")),
        ("vmid", "VM 100 already exists", present(Thing::Container, "100")),
        ("vmid", "CT 100 already exists\n", present(Thing::Container, "100")),
    ];
    for (name, text, wanted) in cases {
        let fields = BTreeMap::from([(name.to_string(), text.to_string())]);
        assert_eq!(classify(400, "Parameter verification failed.", fields), wanted, "{text}");
    }
}

#[test]
fn the_log_says_why_a_command_or_a_backup_failed() {
    let log = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<alloc::vec::Vec<_>>();
    let (command, jobs) = ("clone failed: command 'mkfs.ext4 /x.raw' failed: exit code 1", "job errors");
    let status = |text: &str| Cause::Status { message: text.into() };
    let cases = [
        (command, log(&["mkfs.ext4: No space left on device while writing"]), Cause::NoSpace),
        (command, log(&["tar: ./x: Cannot write: Disk quota exceeded", "tar: Exiting"]), Cause::NoSpace),
        (command, log(&["CT is locked (backup)"]), status(command)),
        (jobs, log(&["INFO: zstd: write error : No space left on device", "ERROR: x"]), Cause::NoSpace),
        (jobs, log(&["ERROR: Backup of VM 104 failed - CT is locked (disk)"]), locked("disk")),
        (
            jobs,
            log(&["ERROR: Backup of VM 9 failed - unable to find VM '9'"]),
            missing(Thing::Container, "9"),
        ),
        (jobs, log(&["ERROR: Backup of VM 9 failed - exit code 2"]), status(jobs)),
        ("CT is locked (disk)", log(&["No space left on device"]), locked("disk")),
    ];
    for (exit, log, wanted) in cases {
        assert_eq!(classify_exit(exit, &log), wanted, "{exit}: {log:?}");
    }
}

#[test]
fn a_permission_inside_an_exit_status_is_the_same_value_as_on_the_call() {
    let wanted = Cause::Permission(Denied {
        path: Some("/sdn/zones/localnetwork/vmbr0".into()),
        privileges: alloc::vec!["SDN.Use".into()],
        ..Denied::default()
    });
    let message = "Permission check failed (/sdn/zones/localnetwork/vmbr0, SDN.Use)";
    let exit = alloc::format!("unable to restore CT 161 - 403 {message}");
    let call = classify(403, message, BTreeMap::new());
    assert_eq!([classify_exit(&exit, &[]), call], [wanted.clone(), wanted]);
}

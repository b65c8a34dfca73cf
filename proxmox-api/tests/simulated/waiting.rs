//! Waiting for tasks: how often it asks, how soon it notices, what it survives and what it makes of every end.

use core::time::Duration;

use proxmox_api::scope::{snapshot, task};
use proxmox_api::sim::{Effect, HttpAnswer, Injection, Sim, now};
use proxmox_api::{Cause, Client, Ended, Error, HttpTransport, Patience, Started};
use proxmox_types::params::{Guests, SetConfigParams, VzdumpParams};
use proxmox_types::{CommonOptions, NodeName, SnapshotName, Upid, Vmid};

use crate::together::{Clocked, SERVICE, waits};

pub(crate) const MINUTE: Duration = Duration::from_mins(1);

pub(crate) fn node() -> NodeName {
    "pve1".parse().unwrap()
}

pub(crate) fn vmid(number: u32) -> Vmid {
    Vmid::try_from(number).unwrap()
}

fn name(text: &str) -> SnapshotName {
    text.parse().unwrap()
}

/// Starts a snapshot of the container, in a world where snapshots take this long.
pub(crate) fn snapshot(sim: &Sim, client: &Client, container: u32, lasts: Duration) -> Upid {
    sim.world().durations.insert("vzsnapshot", lasts);
    let node = node();
    let lxc = client.node(&node).lxc(vmid(container));
    now(lxc.snapshot(&name("before")).create()).unwrap()
}

/// A node on which a snapshot of the container has begun, and its task.
pub(crate) fn started(container: u32, lasts: Duration) -> (Sim, Client, Upid) {
    let sim = Sim::new();
    let client = sim.client();
    let upid = snapshot(&sim, &client, container, lasts);
    (sim, client, upid)
}

pub(crate) fn wait(client: &Client, upid: &Upid) -> Result<Ended, Error> {
    now(client.wait(upid.clone(), Patience::default()))
}

#[test]
fn a_minute_costs_few_polls_and_its_end_is_noticed_soon() {
    for (lasts, polls, delay) in [
        (Duration::from_millis(50), 2, Duration::from_millis(200)),
        (Duration::from_secs(1), 12, Duration::from_millis(200)),
        (MINUTE, 65, Duration::from_millis(2100)),
        (MINUTE * 9, 310, Duration::from_millis(2100)),
    ] {
        let (sim, client, upid) = started(300, lasts);
        let ended = wait(&client, &upid).unwrap();
        assert!(ended.polls <= polls, "{lasts:?}: {} polls", ended.polls);
        assert_eq!(sim.count(&task::STATUS), usize::try_from(ended.polls).unwrap());
        let noticed = ended.waited.saturating_sub(lasts);
        assert!(ended.waited >= lasts && noticed <= delay, "{lasts:?}: noticed after {noticed:?}");
    }
}

#[test]
fn an_end_within_the_first_second_is_noticed_within_two_tenths() {
    for millis in (0..1000).step_by(7) {
        let lasts = Duration::from_millis(millis);
        let (_, client, upid) = started(300, lasts);
        let noticed = wait(&client, &upid).unwrap().waited.saturating_sub(lasts);
        assert!(noticed <= Duration::from_millis(200), "{lasts:?}: noticed after {noticed:?}");
    }
}

#[test]
fn patience_is_bounded_and_a_wait_can_be_resumed() {
    let (sim, client, upid) = started(300, MINUTE);
    let Err(Error::TaskStillRunning { upid: running, waited }) =
        now(client.wait(upid.clone(), Patience::new(Duration::from_secs(30))))
    else {
        panic!("it cannot have ended")
    };
    assert_eq!(running, upid);
    let late = waited.saturating_sub(Duration::from_secs(30));
    assert!(waited >= Duration::from_secs(30) && late <= Duration::from_millis(100), "waited {waited:?}");
    assert_eq!(wait(&client, &running).unwrap().upid, Some(upid));
    assert_eq!(sim.count(&snapshot::CREATE), 1);
}

#[test]
fn what_was_done_at_once_has_ended() {
    let client = Sim::new().client();
    assert_eq!(now(client.wait(Started::Done, Patience::default())).unwrap(), Ended::default());
    let nothing = now(client.wait(Started::Nothing, Patience::default())).unwrap();
    assert_eq!((nothing.had_nothing_to_do, nothing.upid), (true, None));
}

#[test]
fn warnings_are_success_and_come_with_their_lines() {
    let sim = Sim::new();
    let client = sim.client();
    sim.world().containers.get_mut(&300).unwrap().warns = true;
    let node = node();
    let upid = now(client.node(&node).lxc(vmid(300)).start()).unwrap();
    let ended = wait(&client, &upid).unwrap();
    assert_eq!(ended.warnings, 1);
    assert_eq!(
        ended.warning_lines,
        [
            "The container's Debian version '15' is newer than the tested version '14'. While everything may work fine, \
         full compatibility cannot be guaranteed. Please check for PVE system updates."
        ]
    );
}

#[test]
fn a_failure_carries_its_cause_and_the_last_lines() {
    let (_, client, upid) = started(101, Duration::ZERO);
    let Err(Error::TaskFailed { upid: failed, exit, cause, log_tail }) = wait(&client, &upid) else {
        panic!("a directory storage has no snapshots")
    };
    assert_eq!((failed, &*exit), (upid, "snapshot feature is not available"));
    assert_eq!(*cause, Cause::NoSnapshots);
    assert_eq!(log_tail.last().map(String::as_str), Some("TASK ERROR: snapshot feature is not available"));
}

#[test]
fn a_privilege_that_is_missed_inside_the_task_is_named() {
    let sim = Sim::new();
    sim.world().acl.grant("/storage/local", &["felhom@pve!none", "felhom@pve"], "FelhomStore");
    let client = sim.as_token("felhom@pve!none".parse().unwrap()).client();
    let started = now(client.node(&node()).vzdump(&VzdumpParams::new(vmid(100).into())));
    let error = now(client.wait(started.unwrap(), Patience::default())).unwrap_err();
    let denied = error.denied().expect("a permission failure");
    assert_eq!(denied.path.as_deref(), Some("/vms/100"));
    assert_eq!(denied.privileges, ["VM.Backup"]);
    assert!(error.upid().is_some());
}

#[test]
fn an_end_that_nobody_can_tell_is_neither_success_nor_failure() {
    let (sim, client, upid) = started(300, MINUTE);
    sim.world().kill_task(upid.as_str());
    assert!(matches!(wait(&client, &upid), Err(Error::TaskUnknown { .. })));
    let mut lines = Vec::new();
    let mut collect = |line: &str| lines.push(line.to_owned());
    let _unknown = now(client.task(&upid).wait_with_log(Patience::default(), &mut collect)).unwrap_err();
    assert_eq!(lines, Vec::<String>::new(), "a log without lines is followed without inventing any");

    let (sim, client, upid) = started(300, MINUTE);
    sim.world().forget_task(upid.as_str());
    let start = sim.world().now;
    assert!(matches!(wait(&client, &upid), Err(Error::TaskUnknown { .. })));
    let took = sim.world().now.saturating_sub(start);
    assert!(took >= Duration::from_secs(2) && took < Duration::from_secs(3), "gave up after {took:?}");
}

#[test]
fn the_log_is_followed_to_its_last_line() {
    let sim = Sim::new();
    let client = sim.client();
    let node = node();
    let started = now(client.node(&node).vzdump(&VzdumpParams::new(vmid(100).into())));
    let Started::Task(upid) = started.unwrap() else { panic!("a worker") };
    let mut lines = Vec::new();
    // The first read of the log after the end breaks: its lines must be asked for again.
    sim.inject(Injection { endpoint: &task::LOG, effect: Effect::LostAnswer, times: 2 });
    let mut collect = |line: &str| lines.push(line.to_owned());
    now(client.task(&upid).wait_with_log(Patience::default(), &mut collect)).unwrap();
    assert_eq!(lines.last().map(String::as_str), Some("TASK OK"));
    assert!(lines.first().is_some_and(|line| line.starts_with("INFO: starting new backup job")));
    let mut unique = lines.clone();
    unique.dedup();
    assert_eq!(lines, unique);
}

#[test]
fn a_dropped_wait_leaves_the_task_alone() {
    let (sim, client, upid) = started(300, MINUTE);
    let clocked = Clocked::new(&sim);
    let polling = clocked.client(&client);
    let ended = clocked.run(&mut waits(&polling, std::slice::from_ref(&upid)), clocked.now() + SERVICE * 2);
    assert_eq!((ended.len(), sim.count(&task::STATUS)), (0, 1));
    sim.advance(MINUTE * 2);
    assert_eq!((sim.count(&task::STATUS), sim.count(&task::STOP)), (1, 0));
    wait(&client, &upid).unwrap();
}

#[test]
fn every_kind_of_change_is_run_to_its_end_by_the_same_line() {
    let sim = Sim::new();
    let client = sim.client();
    let node = node();
    let lxc = client.node(&node).lxc(vmid(300));
    let destroyed = now(lxc.destroy().run()).unwrap();
    assert_eq!(destroyed.upid.as_ref().map(Upid::worker_type), Some("vzdestroy"));
    let options = CommonOptions { cores: Some(2), ..CommonOptions::default() }.into();
    let params = SetConfigParams { options, ..SetConfigParams::default() };
    let lxc = client.node(&node).lxc(vmid(101));
    assert_eq!(now(lxc.set_config(&params).run()).unwrap(), Ended::default());
    // PVE does not name this worker.
    let made = now(lxc.template().run()).unwrap();
    assert_eq!(made.upid.as_ref().map(Upid::worker_type), Some("vztemplate"));
    let impatient = sim.client().with_patience(Patience::new(Duration::ZERO));
    let started = now(impatient.node(&node).lxc(vmid(210)).start().run());
    assert!(matches!(started, Err(Error::TaskStillRunning { .. })), "{started:?}");
}

#[test]
fn a_log_that_cannot_be_read_does_not_hold_up_a_known_end() {
    let (sim, client, upid) = started(300, Duration::from_secs(1));
    let slow = Effect::Slow(Duration::from_hours(1));
    sim.inject(Injection { endpoint: &task::LOG, effect: slow, times: usize::MAX });
    let before = sim.world().time();
    let ended = now(client.task(&upid).wait_with_log(Patience::new(MINUTE), &mut |_| {})).unwrap();
    // A read of the log takes 5 s there, and so does the one before the end.
    let took = sim.world().time() - before;
    assert!(ended.upid.is_some() && took <= 20, "took {took} s");
}

#[test]
fn a_log_without_end_is_not_read_without_end() {
    for (rows, most) in [(1, 40), (500, 3000)] {
        let (sim, client, upid) = started(300, Duration::from_secs(1));
        let row = r#"{"n":1,"t":"again"},"#.repeat(rows);
        let body = format!(r#"{{"data":[{}],"total":{}}}"#, row.trim_end_matches(','), u64::MAX);
        let answer = HttpAnswer { body, ..HttpAnswer::bare(200, "OK") };
        sim.inject(Injection { endpoint: &task::LOG, effect: Effect::Instead(answer), times: usize::MAX });
        let mut lines = 0_usize;
        now(client.task(&upid).wait_with_log(Patience::new(MINUTE), &mut |_| lines += 1)).unwrap();
        assert!(lines / rows <= most, "{} pages", lines / rows);
    }
}

/// Backs up whatever this token may, and waits.
fn back_up(token: &str, params: &VzdumpParams) -> Ended {
    let sim = Sim::new().as_token(token.parse().unwrap());
    sim.world().acl.grant("/storage/local", &["felhom@pve!none", "felhom@pve"], "FelhomStore");
    let client = sim.client();
    // A log that cannot be read at first is asked for again.
    sim.inject(Injection::once(&task::LOG, Effect::Instead(HttpAnswer::bare(500, "got timeout"))));
    let started = now(client.node(&node()).vzdump(params)).unwrap();
    now(client.wait(started, Patience::default())).unwrap()
}

#[test]
fn a_backup_of_nothing_says_so() {
    let every = VzdumpParams::new(Guests::All);
    let [nothing, all, one] = [
        back_up("felhom@pve!none", &every),
        back_up("root@pam!full", &every),
        back_up("root@pam!full", &VzdumpParams::new(vmid(100).into())),
    ];
    assert!(nothing.upid.is_some() && nothing.had_nothing_to_do);
    assert_eq!([all.had_nothing_to_do, one.had_nothing_to_do], [false; 2]);
}

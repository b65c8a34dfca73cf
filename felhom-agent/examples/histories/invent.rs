//! Invents a history from a seed.

use std::mem::replace;

use crate::call;
use crate::chance::Chance;
use crate::history::{Detail, Fault, GUEST, History, Place, Step, What};

/// Containers that the calls are about: one stopped and one running that can be snapshotted, one that cannot.
const TARGETS: [u32; 3] = [400, 401, 101];

/// What an exercise would write as a description.
const OURS: &str = felhom_agent::exercise::leftover::DESCRIPTION;

const DETAILS: &[(usize, Detail)] = &[
    (1, Detail::Locked("backup")),
    (1, Detail::Running),
    (2, Detail::Snapshot(GUEST, "before-upgrade", "mine")),
    (2, Detail::Snapshot(GUEST, "felhom-st-before-upgrade", OURS)),
    (2, Detail::Snapshot(GUEST, "felhom-st-6b052c47-0a1b2c3d", "my own")),
    (2, Detail::Snapshot(100, "before-upgrade", "mine")),
    (2, Detail::Snapshot(100, "felhom-st-6b052c47-0a1b2c3d", OURS)),
    (2, Detail::Snapshot(400, "before", "")),
    (2, Detail::Snapshot(401, "before", "")),
    (2, Detail::Tag("customer")),
    (1, Detail::Untagged),
    (2, Detail::Journal(100, "before-upgrade")),
    (1, Detail::Journal(100, "felhom-st-6b052c47-0a1b2c3d")),
    (1, Detail::Journal(GUEST, "before-upgrade")),
    (1, Detail::Journal(GUEST, "felhom-st-6b052c47-0a1b2c3d")),
    (1, Detail::Journal(GUEST, "felhom-st-6b052c47-0a1b2c3e")),
    (2, Detail::Left),
    (1, Detail::Slow("vzsnapshot", 5)),
    (1, Detail::Slow("vzrollback", 40)),
    (1, Detail::Slow("vzdelsnapshot", 8)),
    (1, Detail::Slow("vzdump", 90)),
    (1, Detail::Without("VM.Config.Options")),
    (1, Detail::Without("VM.Snapshot.Rollback")),
    (1, Detail::Backup),
];

/// What a server may say after it acted, and what it says before it does. None of the first proves anything.
const WHATS: &[(usize, What)] = &[
    (3, What::Refused),
    (6, What::LostRequest),
    (8, What::LostAnswer),
    (2, What::Late(1)),
    (2, What::Late(8)),
    (2, What::Late(29)),
    (3, What::Acted(500, "got timeout")),
    (
        2,
        What::Acted(
            500,
            "unable to open file '/etc/pve/nodes/pve1/lxc/300.conf.tmp.771' - Input/output error",
        ),
    ),
    (2, What::Acted(500, "can't lock file '/var/log/pve/tasks/.active.lock' - got timeout")),
    (2, What::Acted(596, "Connection timed out")),
    (1, What::Acted(599, "Too many redirections")),
    (1, What::Acted(502, "Bad Gateway")),
    (1, What::Acted(503, "Service Unavailable")),
    (1, What::Acted(500, "")),
    (2, What::Idle(500, "got timeout")),
    (2, What::Idle(595, "Connection refused")),
    (1, What::Idle(503, "Service Unavailable")),
    (1, What::Idle(429, "Too Many Requests")),
    (1, What::Idle(401, "authentication failure")),
    (1, What::Idle(500, "CT is locked (backup)")),
    (2, What::Body("")),
    (2, What::Body("<html>\u{202e}busy</html>")),
    (1, What::Body("{\"data\":{}}")),
    (1, What::Body("{\"data\":[]}")),
    (2, What::Cut),
    (2, What::Slow(3)),
    (2, What::Slow(20)),
    (2, What::Slow(60)),
    (2, What::ProxyAway(5)),
    (1, What::ProxyAway(90)),
    (2, What::DaemonAway(5)),
    (1, What::DaemonAway(90)),
    (1, What::Clock(3600)),
    (1, What::Clock(-3600)),
    (1, What::Clock(4)),
    (1, What::Revoked),
    (4, What::KilledBefore),
    (4, What::KilledAfter),
    (2, What::Signal),
    (1, What::TaskKilled),
    (1, What::TaskForgotten),
    (2, What::OtherSnapshot),
    (1, What::OtherBackup),
];

/// The history of a seed.
pub(crate) fn invent(seed: u64) -> History {
    let mut chance = Chance::new(seed);
    let count = chance.below(4);
    let world = (0..count).filter_map(|_| chance.weighted(DETAILS)).collect();
    let steps = 1 + chance.below(4);
    let program: Vec<Step> = (0..steps).map(|_| step(&mut chance)).collect();
    let count = chance.below(6);
    let mut faults: Vec<Fault> = (0..count).filter_map(|_| fault(&mut chance, &program)).collect();
    // A clock that is set back and ahead again between two answers cannot be noticed by anybody.
    let mut is_set = false;
    faults.retain(|fault| !matches!(fault.what, What::Clock(_)) || !replace(&mut is_set, true));
    History { world, program, faults }
}

fn step(chance: &mut Chance) -> Step {
    let call = chance.one(&call::all()).zip(chance.one(&TARGETS));
    match (chance.below(10), call) {
        (0..=2, Some((act, vmid))) => Step::Call(act, vmid),
        (3..=4, _) => Step::Cleanup,
        _ => Step::Exercise,
    }
}

fn fault(chance: &mut Chance, program: &[Step]) -> Option<Fault> {
    let step = chance.below(program.len());
    let (changes, requests) = match program.get(step)? {
        Step::Exercise => (6, 60),
        Step::Cleanup => (3, 20),
        Step::Call(..) => (1, 10),
    };
    let place = if chance.percent(60) {
        Place::Change(chance.below(changes))
    } else {
        Place::Request(chance.below(requests))
    };
    let times = if chance.percent(70) { 1 } else { 1 + chance.below(8) };
    Some(Fault { step, place, times, what: chance.weighted(WHATS)? })
}

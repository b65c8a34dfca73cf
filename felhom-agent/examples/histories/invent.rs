//! Invents a history from a seed, with a tiny generator: splitmix64.

use std::mem::replace;

use crate::call;
use crate::history::{Detail, FaultPlace, GUEST, History, ProgramStep, Strike, What};

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
    let program: Vec<ProgramStep> = (0..steps).map(|_| step(&mut chance)).collect();
    let count = chance.below(6);
    let mut faults: Vec<Strike> = (0..count).filter_map(|_| fault(&mut chance, &program)).collect();
    // A clock that is set back and ahead again between two answers cannot be noticed by anybody.
    let mut is_set = false;
    faults.retain(|fault| !matches!(fault.what, What::Clock(_)) || !replace(&mut is_set, true));
    History { world, program, faults }
}

fn step(chance: &mut Chance) -> ProgramStep {
    let call = chance.one(&call::ALL).zip(chance.one(&TARGETS));
    match (chance.below(10), call) {
        (0..=2, Some(((act, ..), vmid))) => ProgramStep::Call(act, vmid),
        (3..=4, _) => ProgramStep::Cleanup,
        _ => ProgramStep::Exercise,
    }
}

fn fault(chance: &mut Chance, program: &[ProgramStep]) -> Option<Strike> {
    let step = chance.below(program.len());
    let (changes, requests) = match program.get(step)? {
        ProgramStep::Exercise => (6, 60),
        ProgramStep::Cleanup => (3, 20),
        ProgramStep::Call(..) => (1, 10),
    };
    let place = if chance.percent(60) {
        FaultPlace::Change(chance.below(changes))
    } else {
        FaultPlace::Request(chance.below(requests))
    };
    let times = if chance.percent(70) { 1 } else { 1 + chance.below(8) };
    Some(Strike { step, place, times, what: chance.weighted(WHATS)? })
}

/// Chance that is the same for the same seed.
struct Chance(u64);

impl Chance {
    const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below the bound.
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % bound).unwrap_or_default()
    }

    /// True in so many of a hundred cases.
    fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of several, each as likely as its weight says.
    fn weighted<T: Copy>(&mut self, choices: &[(usize, T)]) -> Option<T> {
        let mut at = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in choices {
            match at.checked_sub(*weight) {
                Some(rest) => at = rest,
                None => return Some(*choice),
            }
        }
        None
    }

    /// One of several.
    fn one<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        choices.get(self.below(choices.len())).copied()
    }
}

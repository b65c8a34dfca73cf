//! A history: a world, a program, and the faults that it meets. Its text is the Rust that makes it again in a test, and
//! one that fails is made smaller while it still fails.

use std::fmt;

/// The container of the exercise.
pub(crate) const GUEST: u32 = 300;

/// A world, a program and the faults that it meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct History {
    pub(crate) world: Vec<Detail>,
    pub(crate) program: Vec<ProgramStep>,
    pub(crate) faults: Vec<Strike>,
}

/// How the node differs from the scene of the simulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// The container of the exercise is locked.
    Locked(&'static str),
    /// The container of the exercise runs.
    Running,
    /// Somebody's snapshot of a container, with its description.
    Snapshot(u32, &'static str, &'static str),
    /// Somebody's tag of the container of the exercise.
    Tag(&'static str),
    /// The container of the exercise is not meant for it.
    Untagged,
    /// A journal lies in the state folder, about a container and a snapshot.
    Journal(u32, &'static str),
    /// An older exercise left a snapshot and the marker.
    Left,
    /// Workers of a type take so many seconds.
    Slow(&'static str, u64),
    /// The agent's role lacks a privilege.
    Without(&'static str),
    /// Somebody's backup of the container of the exercise runs.
    Backup,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProgramStep {
    /// `selftest --task`, from taking the state folder on.
    Exercise,
    /// `cleanup`, from taking the state folder on.
    Cleanup,
    /// A call of the library at a container, by its name in [`call::ALL`](crate::call::ALL): settled, and what it started is
    /// waited for.
    Call(&'static str, u32),
}

/// Which requests of a step a fault strikes, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultPlace {
    /// Of all requests.
    Request(usize),
    /// Of those that change something.
    Change(usize),
}

/// What goes wrong, where, and at how many requests in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Strike {
    pub(crate) step: usize,
    pub(crate) place: FaultPlace,
    pub(crate) times: usize,
    pub(crate) what: What,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The connection is refused.
    Refused,
    /// The request is lost before the node has it.
    LostRequest,
    /// The node acts, and its answer is lost.
    LostAnswer,
    /// The answer is lost, and the node acts so many seconds later.
    Late(u64),
    /// The node acts, and answers this status and text all the same.
    Acted(u16, &'static str),
    /// The node does nothing, and answers this status and text.
    Idle(u16, &'static str),
    /// The node acts, and this is the body of its answer.
    Body(&'static str),
    /// The node acts, and half of the body of its answer arrives.
    Cut,
    /// The request takes so many seconds.
    Slow(u64),
    /// pveproxy is away for so many seconds.
    ProxyAway(u64),
    /// pvedaemon is away for so many seconds.
    DaemonAway(u64),
    /// The clock of the node is set ahead by so many seconds, or back.
    Clock(i64),
    /// A role of the agent is taken away.
    Revoked,
    /// The agent is killed before it sends the request.
    KilledBefore,
    /// The agent is killed before it has the answer.
    KilledAfter,
    /// A signal asks the agent to end.
    Signal,
    /// Workers that run are killed; what they work on stays locked.
    TaskKilled,
    /// Tasks that ended some time ago are forgotten.
    TaskForgotten,
    /// Somebody takes a snapshot of the container of the exercise.
    OtherSnapshot,
    /// Somebody starts a backup of the container of the exercise.
    OtherBackup,
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { world, program, faults } = self;
        write!(f, "history(&{world:?}, &{program:?}, &{faults:?})")
    }
}

impl History {
    /// The smallest history that is found by leaving things out, and still fails.
    pub(crate) fn shrunk(&self, fails: &mut dyn FnMut(&Self) -> bool) -> Self {
        let mut smallest = self.clone();
        while let Some(smaller) = smallest.smaller().into_iter().find(|smaller| fails(smaller)) {
            smallest = smaller;
        }
        smallest
    }

    /// Every history with one thing less.
    fn smaller(&self) -> Vec<Self> {
        let changed = |change: &dyn Fn(&mut Self)| {
            let mut smaller = self.clone();
            change(&mut smaller);
            smaller
        };
        let (steps, faults) = (self.program.len(), self.faults.len());
        let steps = (0..steps).filter(|_| steps > 1).map(|at| changed(&|smaller| smaller.leave_out(at)));
        let without = (0..faults).map(|at| {
            changed(&|smaller| {
                smaller.faults.remove(at);
            })
        });
        let details = (0..self.world.len()).map(|at| {
            changed(&|smaller| {
                smaller.world.remove(at);
            })
        });
        let repeated = (0..faults).filter(|at| self.faults.get(*at).is_some_and(|fault| fault.times > 1));
        let rarer = repeated.map(|at| {
            changed(&|smaller| smaller.faults.iter_mut().skip(at).take(1).for_each(|fault| fault.times -= 1))
        });
        steps.chain(without).chain(details).chain(rarer).collect()
    }

    fn leave_out(&mut self, step: usize) {
        self.program.remove(step);
        self.faults.retain(|fault| fault.step != step);
        self.faults.iter_mut().filter(|fault| fault.step > step).for_each(|fault| fault.step -= 1);
    }
}

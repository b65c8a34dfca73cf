//! Histories that failed once, and what they found.

use crate::history::Detail::*;
use crate::history::Place::*;
use crate::history::Step::*;
use crate::history::What::*;
use crate::history::{Detail, Fault, History, Place, Step, What};
use crate::invent::invent;
use crate::{Desk, Failure};

fn history(world: &[Detail], program: &[Step], faults: &[Fault]) -> History {
    History { world: world.into(), program: program.into(), faults: faults.into() }
}

/// A fault that strikes one request.
fn fault(step: usize, place: Place, what: What) -> Fault {
    Fault { step, place, times: 1, what }
}

/// What is wrong after each of the histories.
fn wrong(histories: &[History]) -> Result<Vec<String>, Failure> {
    let desk = Desk::new()?;
    let wrong: Result<Vec<_>, _> = histories.iter().map(|history| Ok(desk.read(history)?.0)).collect();
    wrong.map(|wrong| wrong.concat())
}

#[test]
fn nothing_is_wrong_where_nothing_goes_wrong() {
    let histories =
        [history(&[], &[Exercise, Cleanup], &[]), history(&[Left], &[Exercise, Cleanup, Exercise], &[])];
    assert_eq!(wrong(&histories).unwrap(), Vec::<String>::new());
}

#[test]
fn an_exercise_that_is_killed_at_any_change_is_cleaned_up() {
    let killed = |at, what| history(&[], &[Exercise, Cleanup, Exercise], &[fault(0, Change(at), what)]);
    let histories: Vec<History> =
        (0..4).flat_map(|at| [KilledBefore, KilledAfter].map(|what| killed(at, what))).collect();
    assert_eq!(wrong(&histories).unwrap(), Vec::<String>::new());
}

#[test]
fn a_seed_is_always_the_same_history() {
    let desk = Desk::new().unwrap();
    // The names of snapshots end by chance.
    let told = |seed| desk.read(&invent(seed)).unwrap().1.len();
    for seed in 0..20 {
        assert_eq!((invent(seed), told(seed)), (invent(seed), told(seed)));
    }
}

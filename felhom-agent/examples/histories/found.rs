//! Histories that failed once, and what they found.

use crate::call;
use crate::history::Detail::*;
use crate::history::FaultPlace::*;
use crate::history::ProgramStep::*;
use crate::history::What::*;
use crate::history::{Detail, FaultPlace, History, ProgramStep, Strike, What};
use crate::invent::invent;
use crate::{Desk, Failure};

fn history(world: &[Detail], program: &[ProgramStep], faults: &[Strike]) -> History {
    History { world: world.into(), program: program.into(), faults: faults.into() }
}

/// A fault that strikes one request.
fn fault(step: usize, place: FaultPlace, what: What) -> Strike {
    Strike { step, place, times: 1, what }
}

/// What is wrong after each of the histories.
fn wrong(histories: &[History]) -> Result<Vec<String>, Failure> {
    let desk = Desk::new()?;
    let wrong: Result<Vec<_>, _> = histories.iter().map(|history| Ok(desk.read(history)?.0)).collect();
    wrong.map(|wrong| wrong.concat())
}

#[test]
fn a_journal_about_somebody_elses_snapshot_is_no_order() {
    let lies = [(100, "before-upgrade"), (300, "before-upgrade"), (300, "felhom-st-6b052c47-0a1b2c3d")];
    let histories = lies
        .map(|(vmid, name)| history(&[Snapshot(vmid, name, "mine"), Journal(vmid, name)], &[Cleanup], &[]));
    assert_eq!(wrong(&histories).unwrap(), Vec::<String>::new());
}

#[test]
fn what_was_done_in_spite_of_an_error_is_found() {
    let texts = ["got timeout", "", "can't lock file '/var/log/pve/tasks/.active.lock' - got timeout"];
    let steps = call::ALL.into_iter().map(|(act, ..)| Call(act, 400)).chain([Exercise]);
    let meet = |step, text| history(&[], &[step], &[fault(0, Change(0), Acted(500, text))]);
    let histories: Vec<History> = steps.flat_map(|step| texts.map(|text| meet(step, text))).collect();
    assert_eq!(wrong(&histories).unwrap(), Vec::<String>::new());
}

#[test]
fn a_clock_that_is_set_ahead_hides_no_task() {
    let lost = fault(0, Change(0), LostAnswer);
    let set = |act, at, ahead| history(&[], &[Call(act, 401)], &[lost, fault(0, Request(at), Clock(ahead))]);
    let histories =
        [set("DeleteBackup", 8, 3600), set("Restore", 1, 4), set("Stop", 1, 3600), set("Backup", 2, 60)];
    assert_eq!(wrong(&histories).unwrap(), Vec::<String>::new());
}

#[test]
fn a_task_of_the_time_before_a_clock_was_set_back_is_none_of_this_call() {
    let faults = [fault(0, Request(9), Clock(-3600)), fault(1, Change(0), LostRequest)];
    assert_eq!(wrong(&[history(&[], &[Exercise, Exercise], &faults)]).unwrap(), Vec::<String>::new());
}

/// An empty configuration has no tags to keep, and neither has what is written over it.
#[test]
fn an_empty_configuration_takes_no_tags_away() {
    let empty = |at| fault(0, Request(at), Body("{\"data\":{}}"));
    let histories: Vec<History> = (0..30)
        .flat_map(|at| {
            let then = fault(0, Change(2), DaemonAway(5));
            [history(&[], &[Exercise], &[empty(at)]), history(&[], &[Exercise, Cleanup], &[empty(at), then])]
        })
        .collect();
    assert_eq!(wrong(&histories).unwrap(), Vec::<String>::new());
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

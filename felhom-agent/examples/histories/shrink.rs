//! Makes a failing history smaller while it still fails.

use crate::history::{Fault, History};

/// The smallest history that is found by leaving things out, and still fails.
pub(crate) fn shrink(history: &History, fails: &mut dyn FnMut(&History) -> bool) -> History {
    let mut smallest = history.clone();
    while let Some(smaller) = smaller(&smallest).into_iter().find(|smaller| fails(smaller)) {
        smallest = smaller;
    }
    smallest
}

/// Every history with one thing less.
fn smaller(history: &History) -> Vec<History> {
    let steps = (0..history.program.len()).filter(|_| history.program.len() > 1);
    let without_step = steps.map(|at| without_step(history, at));
    let without_fault = (0..history.faults.len()).map(|at| {
        let mut smaller = history.clone();
        smaller.faults.remove(at);
        smaller
    });
    let without_detail = (0..history.world.len()).map(|at| {
        let mut smaller = history.clone();
        smaller.world.remove(at);
        smaller
    });
    let struck_once =
        history.faults.iter().enumerate().filter(|(_, fault)| fault.times > 1).map(|(at, _)| {
            let mut smaller = history.clone();
            smaller.faults.iter_mut().skip(at).take(1).for_each(|fault| fault.times -= 1);
            smaller
        });
    without_step.chain(without_fault).chain(without_detail).chain(struck_once).collect()
}

fn without_step(history: &History, at: usize) -> History {
    let mut smaller = history.clone();
    smaller.program.remove(at);
    let faults = history.faults.iter().filter(|fault| fault.step != at);
    let moved = faults.map(|fault| Fault { step: fault.step - usize::from(fault.step > at), ..*fault });
    smaller.faults = moved.collect();
    smaller
}

//! F6: how late the end of a task is noticed, and how often it was asked for, in simulated time.

use super::{Extent, Measured};
use crate::measure::mean;
use crate::table::FigureRow;
use crate::{Res, simulation};

/// What nearly every client does.
const FIXED: f64 = 1.0;

pub(crate) fn measure(_: &Extent) -> Res<Measured> {
    let (ours, fixed) = both(&spread(0.2, 5.0, 400))?;
    let short = FigureRow::new("F6", "tasks of 0.2 to 5 s: mean lateness, simulated")
        .peer(format!("each second {:.3} s", fixed.late))
        .ours(format!("{:.3} s, {:.2}x", ours.late, ours.late / fixed.late))
        .target("0.2x", ours.late <= 0.2 * fixed.late);
    let (ours, fixed) = both(&spread(0.2, 3600.0, 400))?;
    let mixed = FigureRow::new("F6", "tasks of 0.2 s to 1 h: polls")
        .peer(format!("each second {:.0}", fixed.polls))
        .ours(format!("{:.0}, {:.2}x", ours.polls, ours.polls / fixed.polls))
        .target("0.6x", ours.polls <= 0.6 * fixed.polls);
    let (ours, fixed) = both(&spread(57.0, 63.0, 100))?;
    let minute = FigureRow::new("F6", "tasks of 60 s: mean lateness, polls")
        .peer(format!("each second {:.2} s, {:.0}", fixed.late, fixed.polls))
        .ours(format!("{:.2} s, {:.0}", ours.late, ours.polls))
        .target("0.6 s, 61", ours.late <= 0.6 && ours.polls <= 61.0);
    Ok(Measured { rows: vec![short, mixed, minute], ..Measured::default() })
}

/// Means over many tasks.
struct Waited {
    /// Seconds.
    late: f64,
    polls: f64,
}

/// Lengths in seconds, as many between 1 and 2 as between 10 and 20.
fn spread(from: f64, to: f64, count: u32) -> Vec<f64> {
    (0..count).map(|number| from * (to / from).powf((f64::from(number) + 0.5) / f64::from(count))).collect()
}

fn both(lengths: &[f64]) -> Res<(Waited, Waited)> {
    let mut ours = Vec::new();
    for length in lengths {
        let wait = simulation::wait(1, *length)?;
        ours.push((mean(&wait.late), wait.requests as f64));
    }
    let fixed: Vec<_> = lengths.iter().map(|length| fixed(*length)).collect();
    Ok((means(&ours), means(&fixed)))
}

fn means(all: &[(f64, f64)]) -> Waited {
    let (late, polls): (Vec<f64>, Vec<f64>) = all.iter().copied().unzip();
    Waited { late: mean(&late), polls: mean(&polls) }
}

/// Lateness and polls of a client that asks at once, and then with this pause.
fn fixed(length: f64) -> (f64, f64) {
    let (mut now, mut polls) = (0.0, 1.0);
    while now + simulation::ROUND_TRIP / 2.0 < length {
        now += simulation::ROUND_TRIP + FIXED;
        polls += 1.0;
    }
    (now + simulation::ROUND_TRIP - length, polls)
}

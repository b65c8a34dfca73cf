//! F1: what one typed GET costs of the processor, over three lanes.

use std::sync::Arc;

use super::{Extent, Measured, python};
use crate::curves::Curve;
use crate::measure::{self, median, quantile, ratios};
use crate::server::Server;
use crate::stack::{self, BenchSite, Kind, Stack};
use crate::table::FigureRow;
use crate::{Res, runtime};

/// Tasks that ask at the same time.
const TASKS: [usize; 2] = [3, 32];

/// At most this much of what the raw stack costs.
const TARGET: f64 = 1.15;

struct Job {
    kind: Kind,
    stack: Arc<Stack>,
}

pub(crate) fn measure(extent: &Extent) -> Res<Measured> {
    let mut server = Server::fast()?;
    let place = BenchSite::of(&mut server)?;
    runtime()?.block_on(async {
        let mut jobs = Vec::new();
        // The first two are the same, which shows how much of a difference is noise.
        for kind in std::iter::once(&Kind::Raw).chain(Kind::ALL) {
            jobs.push(Job { kind: *kind, stack: Arc::new(Stack::open(*kind, &place).await?) });
        }
        let mut measured = Measured::default();
        server.seen()?;
        let mut cost = 0.0;
        for tasks in TASKS {
            let (row, ours) = compare(extent, &mut jobs, tasks).await?;
            measured.rows.push(row);
            cost = ours;
        }
        python::measure(&place, cost, &mut measured);
        measured.curves.push(latencies(extent, &jobs).await?);
        Ok(measured)
    })
}

/// The row, and what ours costs in microseconds.
async fn compare(extent: &Extent, jobs: &mut [Job], tasks: usize) -> Res<(FigureRow, f64)> {
    let (rounds, count) = if extent.is_quick { (7, 1000) } else { (15, 3000) };
    for job in &*jobs {
        stack::run(&job.stack, 300, tasks).await?;
    }
    let mut costs = vec![Vec::new(); jobs.len()];
    for round in 0..rounds {
        for place in 0..jobs.len() {
            let at = (place + round) % jobs.len();
            let start = measure::cpu();
            stack::run(&jobs[at].stack, count, tasks).await?;
            costs[at].push((measure::cpu() - start) / count as f64);
        }
    }
    let ratio = |at: usize| median(&ratios(&costs[at], &costs[0]));
    let ours = jobs.iter().position(|job| job.kind == Kind::Ours).unwrap_or_default();
    let peer = (ours + 1..jobs.len()).min_by(|one, other| ratio(*one).total_cmp(&ratio(*other)));
    let peer = peer.map(|at| format!("{} {:.2}x", jobs[at].kind.name(), ratio(at))).unwrap_or_default();
    let noise = ratios(&costs[1], &costs[0]);
    let what = format!(
        "CPU per typed GET, 3 lanes, {tasks} tasks (A/A {:.2}, {:.2} to {:.2})",
        median(&noise),
        quantile(&noise, 0.0),
        quantile(&noise, 1.0)
    );
    let cost = median(&costs[ours]);
    let row = FigureRow::new("F1", what).raw(format!("{:.1} us", median(&costs[0]))).peer(peer);
    let row = row.ours(format!("{cost:.1} us, {:.2}x", ratio(ours)));
    Ok((row.target(format!("{TARGET}x"), ratio(ours) <= TARGET), cost))
}

/// How long a GET takes when more tasks ask than there are lanes.
async fn latencies(extent: &Extent, jobs: &[Job]) -> Res<Curve> {
    let count = if extent.is_quick { 1000 } else { 5000 };
    let mut curve = Curve::new("latency", "Tasks that ask at once over 3 lanes", "latency of a GET, us");
    for job in jobs.iter().skip(1) {
        for (name, part) in [("median", 0.5), ("p99", 0.99)] {
            let mut points = Vec::new();
            for tasks in [1, 3, 10, 32, 100, 200] {
                let took = stack::run(&job.stack, count, tasks).await?;
                points.push((tasks as f64, quantile(&took, part)));
            }
            if job.kind == Kind::Raw || job.kind == Kind::Ours {
                curve.lines.push((format!("{}, {name}", job.kind.name()), points));
            }
        }
    }
    Ok(curve)
}

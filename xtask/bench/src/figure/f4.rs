//! F4: how fast lists are decoded, beside `serde_json::Value`, with and without the observer of drift.

use std::hint::black_box;

use serde_json::Value;

use super::{Extent, Measured, against};
use crate::Res;
use crate::bodies::BodyKind;
use crate::canned::CannedReader;
use crate::curves::Curve;
use crate::measure::{self, interleave, median, quantile, ratios};
use crate::table::FigureRow;

/// How many times as fast as `Value`, with the observer.
const fn target(list: BodyKind) -> f64 {
    match list {
        BodyKind::Resources => 2.8,
        BodyKind::Content => 2.4,
        BodyKind::Tasks => 1.8,
    }
}

/// At most this much more with the observer than without.
const OBSERVED: f64 = 1.12;

type Job<'a> = Box<dyn FnMut() -> Res<usize> + 'a>;

fn value(body: &str) -> Job<'_> {
    Box::new(move || {
        Ok(black_box(serde_json::from_str::<Value>(body)?)["data"].as_array().map_or(0, Vec::len))
    })
}

fn client<'a>(list: BodyKind, body: &str, is_observed: bool) -> Res<Job<'a>> {
    let reader = CannedReader::new(list, body, is_observed)?;
    Ok(Box::new(move || reader.read()))
}

/// Seconds of the processor.
fn time(job: &mut Job<'_>) -> Res<f64> {
    let start = measure::cpu();
    let rows = job()?;
    let took = (measure::cpu() - start) / 1e6;
    if rows == 0 { Err("no row was read".into()) } else { Ok(took) }
}

pub(crate) fn measure(extent: &Extent) -> Res<Measured> {
    let mut measured = Measured::default();
    for list in BodyKind::ALL {
        measured.rows.extend(compare(extent, list)?);
    }
    if let Some(checkout) = &extent.against {
        measured.rows.extend(against::measure(checkout)?);
    }
    measured.curves.push(growth()?);
    Ok(measured)
}

fn compare(extent: &Extent, list: BodyKind) -> Res<Vec<FigureRow>> {
    let body = list.body(list.rows());
    let mut jobs = [value(&body), value(&body), client(list, &body, true)?, client(list, &body, false)?];
    let times = interleave(if extent.is_quick { 9 } else { 25 }, &mut jobs, time)?;
    let faster = |at: usize| ratios(&times[0], &times[at]);
    let speed = |at: usize| body.len() as f64 / 1e6 / median(&times[at]);
    let noise = faster(1);
    let what = format!(
        "decode {} {}, CPU of Value / ours (A/A {:.2}, {:.2} to {:.2})",
        list.rows(),
        list.name(),
        median(&noise),
        quantile(&noise, 0.0),
        quantile(&noise, 1.0)
    );
    let observed = median(&faster(2));
    let decode = FigureRow::new("F4", what)
        .raw(format!("Value {:.0} MB/s", speed(0)))
        .ours(format!("{:.0} MB/s, {observed:.2}x", speed(2)))
        .target(format!("{}x", target(list)), observed >= target(list));
    let cost = median(&ratios(&times[2], &times[3]));
    let second = FigureRow::new("F4", format!("decode {}, with the observer / without", list.name()))
        .raw(format!("{:.0} MB/s", speed(3)))
        .ours(format!("{cost:.2}x"))
        .target(format!("{OBSERVED}x"), cost <= OBSERVED);
    Ok(vec![decode, second])
}

/// How the time grows with the rows.
fn growth() -> Res<Curve> {
    let mut curve = Curve::new("decode", "rows of a list of backups", "CPU time, ms");
    let mut lines =
        [("serde_json::Value", Vec::new()), ("ours", Vec::new()), ("ours, no observer", Vec::new())];
    for rows in [100, 300, 1_000, 3_000, 10_000, 30_000] {
        let body = BodyKind::Content.body(rows);
        let mut jobs =
            [value(&body), client(BodyKind::Content, &body, true)?, client(BodyKind::Content, &body, false)?];
        let times = interleave(5, &mut jobs, time)?;
        for (line, times) in lines.iter_mut().zip(&times) {
            line.1.push((rows as f64, quantile(times, 0.0) * 1e3));
        }
    }
    curve.lines = lines.into_iter().map(|(name, points)| (name.to_owned(), points)).collect();
    Ok(curve)
}

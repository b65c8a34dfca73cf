//! F7: many waits at once on a server with pveproxy's manners, in real time.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

use super::{Extent, Measured};
use crate::Res;
use crate::child::Waits;
use crate::curves::Curve;
use crate::server::{Seen, Server};
use crate::stack::BenchSite;
use crate::table::FigureRow;

/// How long each task lasts.
const SECONDS: u64 = 60;

/// How many waits, and how many requests they may take.
const TARGETS: [(u64, u64); 4] = [(1, 70), (10, 80), (100, 100), (1_000, 150)];

/// Handshakes, seconds of the processor, and seconds late, for a thousand.
const HANDSHAKES: u64 = 5;
const CPU: f64 = 0.5;
const LATE: f64 = 1.2;

struct Waited {
    waits: Waits,
    seen: Seen,
}

pub(crate) fn measure(extent: &Extent) -> Res<Measured> {
    let mut all = Vec::new();
    if extent.is_quick {
        let running: Vec<_> = TARGETS.map(|(count, _)| thread::spawn(move || wait(count))).into();
        for waited in running {
            all.push(waited.join().map_err(|_| "a wait ended badly")??);
        }
    } else {
        for (count, _) in TARGETS {
            all.push(wait(count)?);
        }
    }
    let how = if extent.is_quick { "all four at the same time" } else { "one after the other" };
    let note = format!("F7: in real time, {how}, on servers with pveproxy's manners");
    Ok(Measured { rows: rows(&all), notes: vec![note], curves: vec![curve(&all)] })
}

fn wait(count: u64) -> Res<Waited> {
    let mut server = Server::pveproxy()?;
    let place = serde_json::to_string(&BenchSite::of(&mut server)?)?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["child", "wait", &place, &SECONDS.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let upids = server.start_tasks(count, SECONDS * 1000)?;
    let mut stdin = child.stdin.take().ok_or("no stdin")?;
    writeln!(stdin, "{}", serde_json::to_string(&upids)?)?;
    drop(stdin);
    let said = child.wait_with_output()?;
    let mut seen = server.seen()?;
    // The call that opened the connection.
    seen.requests = seen.requests.saturating_sub(1);
    Ok(Waited { waits: serde_json::from_slice(&said.stdout)?, seen })
}

fn rows(all: &[Waited]) -> Vec<FigureRow> {
    let mut rows = Vec::new();
    for ((count, target), Waited { waits, seen }) in TARGETS.into_iter().zip(all) {
        let what = format!("{count} waits of {SECONDS} s: requests, handshakes");
        let row = FigureRow::new("F7", what).peer(format!("each second {}", count * SECONDS));
        let row = row.ours(format!("{}, {}", seen.requests, seen.handshakes));
        rows.push(if count < 1000 {
            row.target(format!("{target}"), seen.requests <= target)
        } else {
            let is_met = seen.requests <= target && seen.handshakes <= HANDSHAKES;
            row.target(format!("{target}, {HANDSHAKES}"), is_met)
        });
        let what = format!("{count} waits: CPU, late in the median and in 99 of 100");
        let ours = format!("{:.2} s, {:.2} s, {:.2} s", waits.cpu, waits.late_median, waits.late_p99);
        let row = FigureRow::new("F7", what).ours(ours);
        let is_met = waits.cpu <= CPU && waits.late_p99 <= LATE && waits.failed == 0;
        rows.push(if count < 1000 { row } else { row.target(format!("{CPU} s, , {LATE} s"), is_met) });
    }
    rows
}

fn curve(all: &[Waited]) -> Curve {
    let mut curve = Curve::new("waits", "waits of 60 s at once", "requests");
    let counts = TARGETS.map(|(count, _)| count as f64);
    let fixed = counts.map(|count| (count, count * SECONDS as f64)).to_vec();
    let of = |value: fn(&Waited) -> u64| {
        counts.into_iter().zip(all.iter().map(move |waited| value(waited).max(1) as f64))
    };
    curve.lines.push(("each polls every second".into(), fixed));
    curve.lines.push(("ours, requests".into(), of(|waited| waited.seen.requests).collect()));
    curve.lines.push(("ours, handshakes".into(), of(|waited| waited.seen.handshakes).collect()));
    curve
}

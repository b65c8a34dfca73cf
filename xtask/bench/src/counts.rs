//! What is counted and not timed, so that it is the same on every machine: instructions, allocations, requests.

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};

use crate::bodies::BodyKind;
use crate::child::{ask, instructions};
use crate::figure::SELFTEST;
use crate::measure::cost_of;
use crate::server::Server;
use crate::stack::{BenchSite, Kind};
use crate::{Res, simulation, tool};

/// What one GET takes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Get {
    /// Nothing without valgrind.
    pub(crate) instructions: Option<f64>,
    pub(crate) allocations: f64,
}

/// Counts the GETs of one stack: those of a long run less those of a short one, so that the beginning falls out.
pub(crate) fn get(kind: Kind, place: &BenchSite) -> Res<Get> {
    let (name, text) = (format!("{kind:?}").to_lowercase(), serde_json::to_string(place)?);
    let allocations = ask(&["get", &name, &text, "1000"])?;
    let count = |count: &str| instructions(&["get", &name, &text, count]);
    let instructions =
        if tool::is_there("valgrind") { Some((count("1200")? - count("200")?) / 1000.0) } else { None };
    Ok(Get { instructions, allocations })
}

/// The committed limits, by the names of the counts.
const LIMITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/limits.json");

/// A count so far below its limit, and by so much, is told, so that the limit follows.
const FAR_BELOW: f64 = 0.9;
const FAR_LESS: f64 = 2.0;

/// Compares all counts with their limits: 1 if one is exceeded.
pub(crate) fn run() -> Res<ExitCode> {
    let limits: BTreeMap<String, f64> = serde_json::from_slice(&std::fs::read(LIMITS)?)?;
    let counts = all()?;
    if !tool::is_there("valgrind") {
        println!("valgrind is not installed, so no instructions were counted");
    }
    let mut is_well = true;
    for (name, count) in &counts {
        let limit = limits.get(name).copied();
        let verdict = match limit {
            None => "FAILED: it has no limit in xtask/bench/limits.json",
            Some(limit) if *count > limit => "FAILED: above its limit",
            Some(limit) if *count < limit * FAR_BELOW && *count < limit - FAR_LESS => {
                "the limit can be lowered"
            }
            Some(_) => "",
        };
        is_well &= !verdict.starts_with("FAILED");
        let limit = limit.map(|limit| limit.to_string()).unwrap_or_default();
        println!("{name:<44} {count:>10.1}  limit {limit:>8}  {verdict}");
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn all() -> Res<Vec<(String, f64)>> {
    let mut all = of_a_get()?;
    for list in BodyKind::ALL {
        all.extend(of_rows(list)?);
    }
    let single = simulation::wait(1, 60.0)?;
    all.push(("requests of 1 wait for 60 s".into(), single.requests as f64));
    for count in [10, 100, 1000] {
        let waited = simulation::wait(count, 60.0)?;
        all.push((format!("requests of {count} waits for 60 s"), waited.requests as f64));
        all.push((format!("closed connections of {count} waits for 60 s"), waited.closes as f64));
    }
    all.extend(of_the_selftest()?);
    Ok(all)
}

/// Above the raw stack: what TLS costs depends on the processor.
fn of_a_get() -> Res<Vec<(String, f64)>> {
    let mut server = Server::fast()?;
    let place = BenchSite::of(&mut server)?;
    let (raw, ours) = (get(Kind::Raw, &place)?, get(Kind::Ours, &place)?);
    let mut all = vec![("allocations per GET above raw".into(), ours.allocations - raw.allocations)];
    if let (Some(raw), Some(ours)) = (raw.instructions, ours.instructions) {
        all.push(("instructions per GET above raw".into(), ours - raw));
    }
    Ok(all)
}

fn of_rows(list: BodyKind) -> Res<Vec<(String, f64)>> {
    let (name, rows) = (list.name(), list.rows() / 10);
    let text = rows.to_string();
    let words = |times| ["decode", name, &text, times];
    let allocations = ask::<f64>(&words("2"))? - ask::<f64>(&words("1"))?;
    let mut all = vec![(format!("allocations per row of {name}"), allocations)];
    if tool::is_there("valgrind") {
        let instructions = instructions(&words("2"))? - instructions(&words("1"))?;
        all.push((format!("instructions per row of {name}"), instructions / rows as f64));
    }
    Ok(all)
}

fn of_the_selftest() -> Res<Vec<(String, f64)>> {
    let mut server = Server::pveproxy()?;
    let mut agent = Command::new(std::env::current_exe()?);
    agent.args(["child", "agent", "--config"]).arg(server.configuration()).args(SELFTEST);
    cost_of(&mut agent)?;
    let seen = server.seen()?;
    let opened = seen.handshakes.saturating_sub(seen.closes) as f64;
    Ok(vec![
        ("requests of the self-test".into(), seen.requests as f64),
        ("connections of the self-test less its closes".into(), opened),
    ])
}

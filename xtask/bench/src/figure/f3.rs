//! F3: a cold self-test, beside curl with the same URLs.

use std::path::Path;
use std::process::Command;

use super::{Extent, Measured};
use crate::measure::{self, Cost, cost_of, median, quantile, ratios};
use crate::server::{Manners, Server};
use crate::table::FigureRow;
use crate::{Res, tool};

/// What this machine does not have is left out: it is no PVE host.
pub(crate) const SELFTEST: [&str; 3] = ["selftest", "--skip", "sudo,host"];

/// How long the slow server works on every request, in milliseconds, and how many at a time.
const SERVICE: u64 = 20;
const WORKERS: usize = 3;

/// The agent's self-test with this configuration.
pub(crate) fn selftest(agent: &Path, configuration: &Path) -> Command {
    let mut command = Command::new(agent);
    command.arg("--config").arg(configuration).args(SELFTEST).env_clear();
    command
}

pub(crate) fn measure(extent: &Extent) -> Res<Measured> {
    let mut measured = Measured::default();
    if !extent.agent.exists() {
        measured.notes.push(format!("F3: {} is not built", extent.agent.display()));
        return Ok(measured);
    }
    fast(extent, &mut measured)?;
    slow(extent, &mut measured)?;
    Ok(measured)
}

/// A curl that asks for the same, one after the other over kept connections, and reads its list from a file.
fn curl(server: &Server, targets: &[String]) -> Res<Command> {
    let head = format!(
        "silent\nhttp1.1\ncacert = \"{}\"\nheader = \"Authorization: PVEAPIToken={}\"\n",
        server.folder().join("ca.pem").display(),
        server.token
    );
    let url = |target: &String| {
        format!("url = \"https://127.0.0.1:{}{target}\"\noutput = \"/dev/null\"", server.port)
    };
    let list = head + &targets.iter().map(url).collect::<Vec<_>>().join("\n");
    let path = server.folder().join("curl.conf");
    std::fs::write(&path, list)?;
    let mut command = Command::new("curl");
    command.arg("-K").arg(path);
    Ok(command)
}

fn fast(extent: &Extent, measured: &mut Measured) -> Res<()> {
    let mut server = Server::pveproxy()?;
    let agent = || selftest(&extent.agent, &server.configuration());
    let mut jobs = vec![agent(), agent()];
    cost_of(&mut agent())?;
    let (seen, targets) = (server.seen()?, server.targets()?);
    match tool::version("curl") {
        Some(version) => {
            jobs.push(curl(&server, &targets)?);
            measured.notes.push(format!("F3: {version}"));
        }
        None => measured.notes.push("F3: curl is not installed".into()),
    }
    let (wall, cpu) = run(if extent.is_quick { 9 } else { 25 }, &mut jobs)?;
    let noise = ratios(&wall[1], &wall[0]);
    let what = format!(
        "cold self-test, {} GETs, wall (A/A {:.2}, {:.2} to {:.2})",
        targets.len(),
        median(&noise),
        quantile(&noise, 0.0),
        quantile(&noise, 1.0)
    );
    let milliseconds = |all: &[f64]| median(all) / 1e3;
    let mut row = FigureRow::new("F3", what).ours(format!("{:.1} ms", milliseconds(&wall[0])));
    let mut cost =
        FigureRow::new("F3", "cold self-test, CPU").ours(format!("{:.1} ms", milliseconds(&cpu[0])));
    if let (Some(curl), Some(curl_cpu)) = (wall.get(2), cpu.get(2)) {
        let ratio = median(&ratios(&wall[0], curl));
        let ours = format!("{:.1} ms, {ratio:.2}x", milliseconds(&wall[0]));
        row = row.peer(format!("curl {:.1} ms", milliseconds(curl))).ours(ours).target("0.6x", ratio <= 0.6);
        cost = cost.peer(format!("curl {:.1} ms", milliseconds(curl_cpu)));
    }
    let shakes = FigureRow::new("F3", "cold self-test, handshakes").ours(seen.handshakes.to_string());
    let most = WORKERS as u64 + seen.closes;
    let shakes = shakes.target(format!("3 + {} closes", seen.closes), seen.handshakes <= most);
    measured.rows.extend([row, cost.target("5 ms", median(&cpu[0]) <= 5e3), shakes]);
    Ok(())
}

/// What each job took, round by round.
type Rounds = Vec<Vec<f64>>;

/// Wall and CPU in microseconds.
fn run(rounds: usize, jobs: &mut [Command]) -> Res<(Rounds, Rounds)> {
    let mut cpu = vec![Vec::new(); jobs.len()];
    let mut numbered: Vec<_> = jobs.iter_mut().enumerate().collect();
    let wall = measure::interleave(rounds, &mut numbered, |(at, job)| {
        let Cost { wall, cpu: cost } = cost_of(job)?;
        cpu[*at].push(cost);
        Ok(wall)
    })?;
    Ok((wall, cpu))
}

fn slow(extent: &Extent, measured: &mut Measured) -> Res<()> {
    let mut server = Server::start(&Manners { keep: false, service: SERVICE, workers: WORKERS })?;
    let mut jobs = [selftest(&extent.agent, &server.configuration())];
    cost_of(&mut jobs[0])?;
    let requests = server.seen()?.requests;
    let (wall, _) = run(if extent.is_quick { 5 } else { 15 }, &mut jobs)?;
    let (wall, limit) = (median(&wall[0]) / 1e3, (requests.div_ceil(WORKERS as u64) * SERVICE) as f64);
    let what = format!("the same, {SERVICE} ms a request and {WORKERS} workers, wall");
    let row = FigureRow::new("F3", what)
        .raw(format!("{limit:.0} ms"))
        .ours(format!("{wall:.0} ms, {:.2}x", wall / limit));
    measured.rows.push(row.target("1.25x", wall <= 1.25 * limit));
    Ok(())
}

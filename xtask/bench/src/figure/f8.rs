//! F8: the binary that ships: its size, its start and its memory.

use std::process::Command;

use super::{Extent, Measured, f3};
use crate::Res;
use crate::child::ask;
use crate::measure::{cost_of, interleave, median, quantile, ratios};
use crate::server::Server;
use crate::table::FigureRow;

const MEGABYTE: f64 = 1e6;

pub(crate) fn measure(extent: &Extent) -> Res<Measured> {
    let agent = &extent.agent;
    if !agent.exists() {
        let note = format!("F8: {} is not built", agent.display());
        return Ok(Measured { notes: vec![note], ..Measured::default() });
    }
    let size = std::fs::metadata(agent)?.len() as f64 / MEGABYTE;
    let size =
        FigureRow::new("F8", "stripped binary").ours(format!("{size:.2} MB")).target("4.5 MB", size <= 4.5);
    let server = Server::pveproxy()?;
    let (program, configuration) = (agent.to_string_lossy(), server.configuration());
    let configuration = configuration.to_string_lossy();
    let words = [&["peak", &program, "--config", &configuration][..], &f3::SELFTEST];
    let peak = ask::<u64>(&words.concat())? as f64 / MEGABYTE;
    let memory = FigureRow::new("F8", "largest memory of the self-test").ours(format!("{peak:.1} MB"));
    let memory = memory.target("8 MB", peak <= 8.0);
    Ok(Measured { rows: vec![size, start(extent)?, memory], ..Measured::default() })
}

fn start(extent: &Extent) -> Res<FigureRow> {
    let mut version = Command::new(&extent.agent);
    version.arg("--version");
    let mut jobs = [Command::new("/bin/true"), Command::new("/bin/true"), version];
    let walls = interleave(if extent.is_quick { 40 } else { 200 }, &mut jobs, |job| Ok(cost_of(job)?.wall))?;
    let (noise, ratio) = (ratios(&walls[1], &walls[0]), median(&ratios(&walls[2], &walls[0])));
    let what = format!(
        "--version, wall (A/A {:.2}, {:.2} to {:.2})",
        median(&noise),
        quantile(&noise, 0.1),
        quantile(&noise, 0.9)
    );
    let row = FigureRow::new("F8", what).raw(format!("true {:.2} ms", median(&walls[0]) / 1e3));
    Ok(row.ours(format!("{:.2} ms, {ratio:.2}x", median(&walls[2]) / 1e3)).target("1.5x", ratio <= 1.5))
}

//! F5: how far memory grows over a list of 50,000 rows, beside the size of the answer.

use super::{Extent, Measured};
use crate::Res;
use crate::bodies::BodyKind;
use crate::child::ask;
use crate::server::Server;
use crate::stack::BenchSite;
use crate::table::FigureRow;

const ROWS: u64 = 50_000;

pub(crate) fn measure(extent: &Extent) -> Res<Measured> {
    let mut server = Server::fast()?;
    let place = serde_json::to_string(&BenchSite::of(&mut server)?)?;
    let payload = BodyKind::Content.body(ROWS).len() as f64;
    let growth = |how: &str| -> Res<f64> {
        let mut least = f64::INFINITY;
        for _ in 0..if extent.is_quick { 1 } else { 3 } {
            least = least.min(ask::<f64>(&["grow", how, &place, &ROWS.to_string()])? / payload);
        }
        Ok(least)
    };
    let (raw, value, ours) = (growth("typed")?, growth("value")?, growth("ours")?);
    let row =
        FigureRow::new("F5", format!("growth of memory / payload, {ROWS} backups, {:.1} MB", payload / 1e6))
            .raw(format!("{raw:.2}x"))
            .peer(format!("Value {value:.2}x"))
            .ours(format!("{ours:.2}x"));
    Ok(Measured { rows: vec![row.target("2.5x", ours <= 2.5)], ..Measured::default() })
}

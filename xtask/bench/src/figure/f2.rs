//! F2: how many instructions and allocations one typed GET takes. These repeat, whatever else the machine does.

use super::{Extent, Measured};
use crate::counts::{self, Get};
use crate::server::Server;
use crate::stack::{BenchSite, Kind};
use crate::table::FigureRow;
use crate::{Res, tool};

pub(crate) fn measure(_: &Extent) -> Res<Measured> {
    let mut server = Server::fast()?;
    let place = BenchSite::of(&mut server)?;
    let mut all = Vec::new();
    for kind in Kind::ALL {
        all.push((*kind, counts::get(*kind, &place)?));
    }
    let mut measured = Measured::default();
    if !tool::is_there("valgrind") {
        measured.notes.push("F2: valgrind is not installed, so no instructions were counted".into());
    }
    let of =
        |wanted: Kind| all.iter().find(|(kind, _)| *kind == wanted).map(|(_, get)| *get).unwrap_or_default();
    let (raw, ours) = (of(Kind::Raw), of(Kind::Ours));
    let peer = |count: fn(&Get) -> Option<f64>| {
        let peers = all.iter().skip(2).filter_map(|(kind, get)| Some((kind.name(), count(get)?)));
        let best = peers.min_by(|one, other| one.1.total_cmp(&other.1));
        best.map(|(name, count)| format!("{name} {count:.0}")).unwrap_or_default()
    };
    if let (Some(raw), Some(ours)) = (raw.instructions, ours.instructions) {
        let row = FigureRow::new("F2", "instructions per GET")
            .raw(format!("{raw:.0}"))
            .peer(peer(|get| get.instructions));
        let row = row.ours(format!("{ours:.0}, {:.2}x", ours / raw));
        measured.rows.push(row.target("1.20x", ours <= 1.2 * raw));
    }
    let row = FigureRow::new("F2", "allocations per GET").raw(format!("{:.1}", raw.allocations));
    let row = row.peer(peer(|get| Some(get.allocations))).ours(format!("{:.1}", ours.allocations));
    measured.rows.push(row.target("raw + 8", ours.allocations <= raw.allocations + 8.0));
    Ok(measured)
}

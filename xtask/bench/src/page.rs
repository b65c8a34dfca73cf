//! `docs/benchmarks.md`: the method, the machine, the table and the curves.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use crate::figure::Measured;
use crate::{Res, table, tool};

/// The page without what was measured.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/page.md");

/// Writes the page and its curves below a folder.
pub(crate) fn write(measured: &Measured, docs: &Path) -> Res<()> {
    let pictures = docs.join("benchmarks");
    fs::create_dir_all(&pictures)?;
    let mut curves = Vec::new();
    for curve in &measured.curves {
        let file = curve.draw(&pictures)?;
        curves.push(format!("![{}, by {}](benchmarks/{file})", curve.up, curve.across));
    }
    let notes: Vec<_> = measured.notes.iter().map(|note| format!("- {note}")).collect();
    let page = fs::read_to_string(PAGE)?
        .replace("{machine}", &machine())
        .replace("{table}", &table::markdown(&measured.rows))
        .replace("{notes}", &notes.join("\n"))
        .replace("{curves}", &curves.join("\n\n"));
    Ok(fs::write(docs.join("benchmarks.md"), page)?)
}

/// What was measured on: processor, kernel, compiler, day.
fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let processor =
        read("/proc/cpuinfo").lines().find_map(|line| line.strip_prefix("model name").map(str::to_owned));
    let processor = processor.unwrap_or_default();
    // This process is pinned to one of them.
    let cores = read("/proc/cpuinfo").lines().filter(|line| line.starts_with("processor")).count();
    let kernel = read("/proc/sys/kernel/osrelease");
    let date = httpdate::fmt_http_date(SystemTime::now());
    let facts = [
        ("processor", processor.trim_start_matches([' ', '\t', ':']).to_owned()),
        ("cores", cores.to_string()),
        ("kernel", kernel.trim().to_owned()),
        ("compiler", tool::version("rustc").unwrap_or_default()),
        ("valgrind", tool::version("valgrind").unwrap_or_else(|| "not installed".into())),
        ("taken", date),
    ];
    let rows: Vec<_> = facts.iter().map(|(name, fact)| format!("| {name} | {fact} |")).collect();
    format!("| | |\n|---|---|\n{}", rows.join("\n"))
}

//! Lines of aligned columns.

use crate::report::finding::Status;
use crate::report::terminal::plain;

/// Rows below a heading; the last column is as wide as it is.
pub(super) fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| plain(cell)).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(heading.get(column).map(|title| title.len())).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let heading: Vec<String> = heading.iter().map(ToString::to_string).collect();
    let lines = std::iter::once(&heading).chain(&rows).map(|row| line(row, &widths));
    lines.collect::<Vec<_>>().concat()
}

fn line(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
    format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
}

/// A number of bytes as a person reads it: `14.9 GiB`.
pub(super) fn bytes(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let steps = (1..units.len()).take_while(|step| bytes >> (10 * step) > 0).count();
    let unit = units.get(steps).copied().unwrap_or_default();
    if steps == 0 {
        return format!("{bytes} {unit}");
    }
    let tenths = (u128::from(bytes) * 10) >> (10 * steps);
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// A value, or a dash.
pub(super) fn or_dash(value: Option<impl ToString>, unit: &str) -> String {
    value.map_or_else(|| "-".into(), |value| format!("{}{unit}", value.to_string()))
}

/// The exit for the worst of several verdicts.
pub(super) fn worst(statuses: impl IntoIterator<Item = Status>) -> crate::report::exit::Exit {
    if statuses.into_iter().any(|status| status == Status::Fail) {
        crate::report::exit::Exit::Fail
    } else {
        crate::report::exit::Exit::Ok
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a", "22 °C", "x y"], ["long name", "-", ""]];
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.map(Into::into).into()).collect();
        assert_eq!(
            table(&["NAME", "TEMP", "WHY"], &rows),
            "NAME       TEMP   WHY\na          22 °C  x y\nlong name  -\n"
        );
    }

    #[test]
    fn bytes_have_the_unit_that_a_person_reads() {
        let read = [0, 1023, 1024, 1536, 15_728_640_000, u64::MAX].map(bytes);
        assert_eq!(read, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "14.6 GiB", "16383.9 PiB"]);
    }
}

//! Decoding beside that of commit 0a23620, the last one before its speed was looked at.
//!
//! Two versions of one package cannot be linked into one program, so a small one is built over the other checkout.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::bodies::BodyKind;
use crate::canned::CannedReader;
use crate::measure::{self, median, quantile, ratios};
use crate::table::FigureRow;
use crate::{Res, target_folder};

const ROUNDS: usize = 15;

/// The program over the other checkout.
const PROGRAM: &str = include_str!("against/program.rs.txt");

pub(crate) fn measure(checkout: &Path) -> Res<Vec<FigureRow>> {
    let folder = target_folder()?.join("against");
    fs::create_dir_all(folder.join("src"))?;
    let checkout = checkout.canonicalize()?;
    let manifest =
        include_str!("against/manifest.toml.txt").replace("CHECKOUT", &checkout.display().to_string());
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/main.rs"), PROGRAM)?;
    let built = Command::new("cargo")
        .args(["build", "--release", "--quiet"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .status()?;
    if !built.success() {
        return Err(format!("{} does not build as commit 0a23620 does", checkout.display()).into());
    }
    BodyKind::ALL.into_iter().map(|list| compare(&folder, list)).collect()
}

fn compare(folder: &Path, list: BodyKind) -> Res<FigureRow> {
    let body = list.body(list.rows());
    let path = folder.join("body.json");
    fs::write(&path, &body)?;
    let mut other = Command::new(folder.join("target/release/against"))
        .arg(list.name())
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut asks = other.stdin.take().ok_or("no stdin")?;
    let mut says = BufReader::new(other.stdout.take().ok_or("no stdout")?).lines();
    let reader = CannedReader::new(list, &body, false)?;
    let (mut before, mut now) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        writeln!(asks)?;
        before.push(says.next().ok_or("the program ended")??.parse::<f64>()?);
        let start = measure::cpu();
        reader.read()?;
        now.push((measure::cpu() - start) / 1e6);
    }
    drop(asks);
    other.wait()?;
    let ratio = ratios(&now, &before);
    let what = format!("decode {} without the observer / 0a23620", list.name());
    let ours =
        format!("{:.2}x ({:.2} to {:.2})", median(&ratio), quantile(&ratio, 0.0), quantile(&ratio, 1.0));
    Ok(FigureRow::new("F4", what).raw(format!("{:.1} ms", median(&before) * 1e3)).ours(ours))
}

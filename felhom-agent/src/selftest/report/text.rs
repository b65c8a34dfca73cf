//! The report for people: status first, one line for what is well, more for what is not, and the repairs at the bottom.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::Report;
use crate::selftest::check::{Claim, Finding, Status};
use crate::terminal::plain;
use crate::version;

/// How the report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether statuses are coloured.
    pub has_color: bool,
    /// Whether only what is not well is shown.
    pub is_quiet: bool,
}

/// Width of the id column.
const ID: usize = 16;

/// Where the text of a line begins.
const INDENT: usize = 2 + 4 + 2 + ID + 2;

impl Report {
    /// The report as lines of text.
    pub fn text(&self, style: Style) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text, style);
        text
    }

    fn write(&self, out: &mut String, style: Style) -> std::fmt::Result {
        if !style.is_quiet {
            writeln!(out, "{}\n", self.header())?;
        }
        let (mut group, mut repairs) = (None, Repairs::default());
        for (claim, finding) in self.lines() {
            if style.is_quiet && matches!(finding.status, Status::Ok | Status::Skip) {
                continue;
            }
            if group.replace(claim.group) != Some(claim.group) && !style.is_quiet {
                writeln!(out, "{}", claim.group.title())?;
            }
            line(out, claim, finding, style, &mut repairs)?;
        }
        writeln!(out, "{}{}", if style.is_quiet { "" } else { "\n" }, self.summary(style))?;
        let failed = self.lines().filter(|(_, finding)| finding.status == Status::Fail);
        let mut repairs = Repairs::default();
        for (claim, finding) in failed {
            let fix = finding.fix.iter().map(|fix| fix.run.as_str()).collect::<Vec<_>>().join(" && ");
            if repairs.is_new(&fix) {
                let (label, id) = (label(Status::Fail, style), plain(&claim.id_of(finding)));
                writeln!(out, "{label} {id}  ->  {}", plain(&fix))?;
            }
        }
        for leftover in self.leftovers() {
            writeln!(out, "{}  ->  {}", plain(&format!("LEFT {}", leftover.what)), plain(&leftover.command))?;
        }
        Ok(())
    }

    fn header(&self) -> String {
        let agent = format!("felhom-agent {} ({})", version::NUMBER, version::COMMIT);
        match &self.target {
            Some(target) => format!(
                "{agent}  node {} at {}  as {}  config {}",
                target.node, target.url, target.auth, self.config_path
            ),
            None => format!("{agent}  config {}", self.config_path),
        }
    }

    fn summary(&self, style: Style) -> String {
        let count = |status| format!("{} {}", self.count(status), label(status, style));
        let counters = &self.counters;
        let wire = format!(
            "{}  {}  {:.2} s",
            counted(counters.requests, "request"),
            counted(counters.handshakes, "handshake"),
            self.duration.as_secs_f64()
        );
        let cut = if self.is_complete() { "" } else { "  incomplete" };
        format!(
            "{}  {}  {}  {} skipped  {wire}{cut}  exit {}",
            count(Status::Ok),
            count(Status::Warn),
            count(Status::Fail),
            self.count(Status::Skip),
            self.exit().code()
        )
    }
}

/// Repairs that were printed: each is printed once, at the first finding that it repairs.
#[derive(Default)]
struct Repairs(BTreeSet<String>);

impl Repairs {
    fn is_new(&mut self, fix: &str) -> bool {
        self.0.insert(fix.into())
    }
}

fn line(
    out: &mut String,
    claim: &Claim,
    finding: &Finding,
    style: Style,
    repairs: &mut Repairs,
) -> std::fmt::Result {
    let name = format!("{:4}", finding.status.label());
    let name = paint(finding.status, &name, style);
    writeln!(out, "  {name}  {:ID$}  {}", plain(&claim.id_of(finding)), plain(&finding.summary))?;
    if !matches!(finding.status, Status::Warn | Status::Fail) {
        return Ok(());
    }
    let blank = "";
    for (index, detail) in finding.detail.iter().flat_map(|detail| detail.lines()).enumerate() {
        let label = if index == 0 { "why" } else { "" };
        writeln!(out, "{blank:INDENT$}{label:3}  {}", plain(detail))?;
    }
    for fix in finding.fix.iter().filter(|fix| repairs.is_new(&fix.run)) {
        writeln!(out, "{blank:INDENT$}fix  {}", plain(&fix.run))?;
    }
    Ok(())
}

fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn label(status: Status, style: Style) -> String {
    paint(status, status.label(), style)
}

fn paint(status: Status, text: &str, style: Style) -> String {
    let code = match status {
        Status::Ok => "32",
        Status::Warn => "33",
        Status::Fail => "1;31",
        Status::Skip => "2",
    };
    if style.has_color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.into() }
}

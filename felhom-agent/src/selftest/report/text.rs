//! The report for people: status first, one line for what is well, more for what is not, and the repairs at the bottom.

use std::collections::BTreeSet;
use std::iter;

use super::Report;
use crate::report;
use crate::report::finding::{Claim, Finding, Status};
use crate::report::terminal::{counted, plain};

/// How the report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether statuses are coloured.
    pub has_color: bool,
    /// Whether only what is not well is shown.
    pub is_quiet: bool,
}

/// Least width of the id column.
const ID: usize = 16;

/// A page that is being written.
struct TextPage {
    text: String,
    style: Style,
    /// Width of the id column.
    width: usize,
    /// Repairs that were printed: each is printed once, at the first finding that it repairs.
    repairs: BTreeSet<String>,
    /// The last reason that was printed: one that is given several times in a row is printed once.
    last_detail: Option<String>,
}

impl Report {
    /// The report as lines of text.
    pub fn text(&self, style: Style) -> String {
        let ids = self.lines().map(|(claim, finding)| plain(&claim.id_of(finding)).chars().count());
        let width = ids.max().unwrap_or_default().max(ID);
        let mut page =
            TextPage { text: String::new(), style, width, repairs: BTreeSet::new(), last_detail: None };
        if !style.is_quiet {
            page.line(&format!("{}\n", self.header()));
        }
        self.write_checks(&mut page);
        page.line(&format!("{}{}", if style.is_quiet { "" } else { "\n" }, self.summary(style)));
        self.write_repairs(&mut page);
        page.text
    }

    fn write_checks(&self, page: &mut TextPage) {
        let (is_quiet, mut group) = (page.style.is_quiet, "");
        let mut blocked: Vec<&str> = self.lines().filter_map(|(_, finding)| finding.blocked_by).collect();
        let is_shown = |finding: &Finding| {
            finding.blocked_by.is_none() && !(is_quiet && matches!(finding.status, Status::Ok | Status::Skip))
        };
        for (claim, finding) in self.lines().filter(|(_, finding)| is_shown(finding)) {
            if !is_quiet && group != claim.heading() {
                group = claim.heading();
                page.line(group);
            }
            page.finding(claim, finding);
            // How many checks were not done because of this one, once.
            let more = blocked.extract_if(.., |root| *root == claim.id).count();
            if !is_quiet && more > 0 {
                let verb = if more == 1 { "needs" } else { "need" };
                page.below("", &format!("{} {verb} {}", counted(more, "check"), claim.id));
            }
        }
    }

    /// What must be done, at the bottom, where people look first.
    fn write_repairs(&self, page: &mut TextPage) {
        page.repairs.clear();
        for (claim, finding) in self.lines().filter(|(_, finding)| finding.status == Status::Fail) {
            let first = finding.commands().next().map_or("look", |(label, _)| label);
            let arrow = if first == "fix" { "->" } else { first };
            let commands = finding.commands().filter(|(label, _)| *label == first);
            let command = commands.map(|(_, run)| run).collect::<Vec<_>>().join(" && ");
            if page.repairs.insert(command.clone()) {
                let (label, id) = (label(Status::Fail, page.style), plain(&claim.id_of(finding)));
                page.line(&format!("{label} {id}  {arrow}  {}", plain(&command)));
            }
        }
        for leftover in self.leftovers() {
            page.line(&format!("LEFT {}  ->  {}", plain(&leftover.what), plain(&leftover.command)));
        }
    }

    fn header(&self) -> String {
        let agent = format!("felhom-agent {} ({})", report::VERSION, report::COMMIT);
        match &self.setup.config {
            Ok(config) => format!(
                "{agent}  node {} at {}  as {}  config {}",
                config.node,
                config.url,
                config.token.id(),
                self.config_path
            ),
            Err(_) => format!("{agent}  config {}", self.config_path),
        }
    }

    fn summary(&self, style: Style) -> String {
        let count = |status| match self.count(status) {
            0 => format!("0 {}", status.label()),
            number => format!("{number} {}", label(status, style)),
        };
        let counters = self.counters();
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

impl TextPage {
    fn line(&mut self, line: &str) {
        self.text.extend([line, "\n"]);
    }

    fn finding(&mut self, claim: &Claim, finding: &Finding) {
        let (label, width) = (format!("{:4}", finding.status.label()), self.width);
        let label = paint(finding.status, &label, self.style);
        let id = plain(&claim.id_of(finding));
        self.line(&format!("  {label}  {id:width$}  {}", plain(&finding.summary)));
        if !matches!(finding.status, Status::Warn | Status::Fail) {
            return;
        }
        if let Some(detail) = &finding.detail
            && self.last_detail.replace(detail.clone()).as_ref() != Some(detail)
        {
            for (label, line) in iter::once("why").chain(iter::repeat("")).zip(detail.lines()) {
                self.below(label, line);
            }
        }
        for (label, command) in finding.commands() {
            let is_new = self.repairs.insert(command.into());
            self.below(label, if is_new { command } else { "the same as above" });
        }
    }

    /// A line below a finding, under its text.
    fn below(&mut self, label: &str, text: &str) {
        let indent = 2 + 4 + 2 + self.width + 2;
        self.line(&format!("{:indent$}{label:4} {}", "", plain(text)));
    }
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
